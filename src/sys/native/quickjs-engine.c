/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter for QuickJS: the primitives as JavaScript functions.
 *
 * Why this is safe: each function checks every argument before it makes a call, and holds what it passes by address
 * until the call returns. No JavaScript runs in between (no getter, no valueOf), so nothing is moved or freed.
 */
#define _GNU_SOURCE
#include "quickjs-engine.h"

#include <string.h>
#include <unistd.h>

#include "primitives.h"
#include "utf8.h"

JSClassID nvoci_array_class;

/* Returns a JavaScript string with U+FFFD for malformed UTF-8. */
static JSValue new_string(JSContext *ctx, const char *text, size_t length)
{
    unsigned char *repaired;
    JSValue string;

    if (nvoci_utf8_valid((const unsigned char *)text, length) == length)
        return JS_NewStringLen(ctx, text, length);
    if (!(repaired = js_malloc(ctx, 3 * length)))
        return JS_EXCEPTION;
    string = JS_NewStringLen(ctx, (char *)repaired, nvoci_utf8_repair((const unsigned char *)text, length, repaired));
    js_free(ctx, repaired);
    return string;
}

/* Returns the array's first byte. The pointer is valid while the array is reachable: nothing detaches a buffer. */
static uint8_t *array_bytes(JSContext *ctx, JSValueConst array, size_t *length)
{
    size_t offset, size;
    uint8_t *start;
    JSValue buffer;

    if (JS_GetClassID(array) != nvoci_array_class) {
        JS_ThrowTypeError(ctx, "Cannot take an address: not a Uint8Array");
        return NULL;
    }
    buffer = JS_GetTypedArrayBuffer(ctx, array, &offset, length, NULL);
    if (JS_IsException(buffer))
        return NULL;
    start = JS_GetArrayBuffer(ctx, &size, buffer);
    JS_FreeValue(ctx, buffer);
    return start ? start + offset : NULL;
}

/* Converts a value to an integer. Returns -1 with an exception when it is not one. Takes a BigInt modulo 2^64. */
static int to_integer(JSContext *ctx, JSValueConst value, int64_t *result)
{
    double number;

    if (JS_IsBigInt(ctx, value))
        return JS_ToBigInt64(ctx, result, value);
    if (JS_IsNumber(value) && !JS_ToFloat64(ctx, &number, value) && nvoci_integer(number, result))
        return 0;
    JS_ThrowTypeError(ctx, "Cannot pass the argument: not an integer");
    return -1;
}

/* Converts one argument of a system call. The caller must free `*text`, the bytes of a string. */
static int to_argument(JSContext *ctx, JSValueConst value, long *result, const char **text)
{
    int64_t integer;
    size_t length;

    *text = NULL;
    if (JS_IsNull(value)) {
        *result = 0;
        return 0;
    }
    if (JS_IsString(value)) {
        if (!(*text = JS_ToCStringLen(ctx, &length, value)))
            return -1;
        if (memchr(*text, 0, length)) {
            JS_ThrowTypeError(ctx, "Cannot pass the argument: string with NUL");
            return -1;
        }
        /* Writes to a copy: QuickJS returns only ASCII strings uncopied, and they contain no surrogates. */
        nvoci_utf8_replace_surrogates((unsigned char *)*text, length);
        *result = (long)*text;
        return 0;
    }
    if (JS_IsObject(value)) {
        uint8_t *bytes = array_bytes(ctx, value, &length);

        *result = (long)bytes;
        return bytes ? 0 : -1;
    }
    if (to_integer(ctx, value, &integer))
        return -1;
    *result = (long)integer;
    return 0;
}

JSValue nvoci_js_syscall(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    long arguments[NVOCI_ARGUMENTS] = {0};
    const char *texts[NVOCI_ARGUMENTS];
    JSValue result = JS_EXCEPTION;
    int64_t number;
    int count = 0;

    if (argc < 1 || argc > 1 + NVOCI_ARGUMENTS)
        return JS_ThrowTypeError(ctx, "Cannot make the system call: expected a number and up to six arguments");
    if (to_integer(ctx, argv[0], &number))
        return JS_EXCEPTION;
    while (count < argc - 1) {
        int failed = to_argument(ctx, argv[count + 1], &arguments[count], &texts[count]);

        count++;
        if (failed)
            goto done;
    }
    result = JS_NewInt64(ctx, nvoci_syscall((long)number, arguments));
done:
    while (count-- > 0)
        JS_FreeCString(ctx, texts[count]);
    return result;
}

JSValue nvoci_js_address(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    size_t length;
    uint8_t *bytes = array_bytes(ctx, argv[0], &length);

    return bytes ? JS_NewInt64(ctx, (int64_t)(intptr_t)bytes) : JS_EXCEPTION;
}

JSValue nvoci_js_spawn(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    int64_t flags, report_fd;
    uint8_t *steps;
    size_t length;

    if (to_integer(ctx, argv[0], &flags) || to_integer(ctx, argv[2], &report_fd) ||
        !(steps = array_bytes(ctx, argv[1], &length)))
        return JS_EXCEPTION;
    if (length % NVOCI_STEP_SIZE)
        return JS_ThrowTypeError(ctx, "Cannot spawn: steps are 64 bytes each");
    return JS_NewInt64(ctx, nvoci_spawn((uint64_t)flags, steps, length / NVOCI_STEP_SIZE, (int)report_fd));
}

JSValue nvoci_js_decode(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    int64_t start, end;
    uint8_t *bytes;
    size_t length;

    if (to_integer(ctx, argv[1], &start) || to_integer(ctx, argv[2], &end) ||
        !(bytes = array_bytes(ctx, argv[0], &length)))
        return JS_EXCEPTION;
    if (start < 0 || start > end || (uint64_t)end > length)
        return JS_ThrowRangeError(ctx, "Cannot decode: the range is outside the array");
    return new_string(ctx, (char *)bytes + start, (size_t)(end - start));
}

/* The method decode() of a TextDecoder: strict UTF-8, and TypeError for anything else. */
JSValue nvoci_js_decode_strictly(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    size_t length;
    uint8_t *bytes = array_bytes(ctx, argv[0], &length);

    if (!bytes)
        return JS_EXCEPTION;
    if (nvoci_utf8_valid(bytes, length) != length)
        return JS_ThrowTypeError(ctx, "Cannot decode: not UTF-8");
    return JS_NewStringLen(ctx, (char *)bytes, length);
}

/* The constructor TextDecoder(), in the only form that is used: UTF-8, fatal, and with the byte order mark kept. */
JSValue nvoci_js_text_decoder(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv)
{
    JSValue decoder = JS_NewObject(ctx);

    JS_SetPropertyStr(ctx, decoder, "decode", JS_NewCFunction(ctx, nvoci_js_decode_strictly, "decode", 1));
    return decoder;
}

/* Returns the strings of a NULL-terminated array. */
static JSValue string_array(JSContext *ctx, char **strings)
{
    JSValue array = JS_NewArray(ctx);

    for (uint32_t i = 0; strings[i]; i++)
        JS_SetPropertyUint32(ctx, array, i, new_string(ctx, strings[i], strlen(strings[i])));
    return array;
}

JSValue nvoci_new_engine(JSContext *ctx)
{
    static const struct {
        const char *name;
        JSCFunction *function;
        int length;
    } functions[] = {{"syscall", nvoci_js_syscall, 1},
                     {"address", nvoci_js_address, 1},
                     {"spawn", nvoci_js_spawn, 3},
                     {"decode", nvoci_js_decode, 3}};
    JSValue engine = JS_NewObject(ctx);
    JSValue array = JS_NewTypedArray(ctx, 1, (JSValueConst[]){JS_UNDEFINED}, JS_TYPED_ARRAY_UINT8);

    JSValue global = JS_GetGlobalObject(ctx);

    nvoci_array_class = JS_GetClassID(array);
    JS_FreeValue(ctx, array);
    JS_SetPropertyStr(ctx, global, "TextDecoder",
                      JS_NewCFunction2(ctx, nvoci_js_text_decoder, "TextDecoder", 2, JS_CFUNC_constructor, 0));
    JS_FreeValue(ctx, global);

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        JS_SetPropertyStr(ctx, engine, functions[i].name,
                          JS_NewCFunction(ctx, functions[i].function, functions[i].name, functions[i].length));
    return engine;
}

void nvoci_describe_process(JSContext *ctx, JSValueConst engine, char **argv)
{
    JS_SetPropertyStr(ctx, engine, "arch", JS_NewString(ctx, NVOCI_ARCH));
    JS_SetPropertyStr(ctx, engine, "argv", string_array(ctx, argv));
    JS_SetPropertyStr(ctx, engine, "environ", string_array(ctx, environ));
    JS_SetPropertyStr(ctx, engine, "argvAddress", JS_NewInt64(ctx, (int64_t)(intptr_t)argv));
    JS_SetPropertyStr(ctx, engine, "environAddress", JS_NewInt64(ctx, (int64_t)(intptr_t)environ));
}
