/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native program: QuickJS, the primitives as the global `nvociEngine`, and the program's parts as bytecode.
 *
 * Why this is safe: scripts come from the program's own data, never from a file, and there is no eval. They reach the
 * system only by the primitives. Nothing is freed at exit, because the kernel does that faster.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arena.h"
#include "payload.h"
#include "quickjs-engine.h"

enum {
    EXIT_FAILED = 1,
    EXIT_BUG = 70,         /* EX_SOFTWARE of sysexits(3) */
    STACK_BYTES = 1 << 20, /* an eighth of the usual limit: deep JSON causes an exception, not a crash */
    STACK_SPARE = 1 << 16, /* for C code between two stack checks */
    STACK_LEAST = 1 << 14,
};

static JSValue *loaded; /* by index in nvoci_payload: the module object, or undefined */

static void __attribute__((noreturn)) bug(const char *text, const char *stack)
{
    if (!text || !strcmp(text, "InternalError: out of memory")) {
        dprintf(STDERR_FILENO, "nvoci: Cannot continue: out of memory\n");
        _exit(EXIT_FAILED);
    }
    dprintf(STDERR_FILENO, "nvoci: bug: %s\n%s", text, stack ? stack : "");
    _exit(EXIT_BUG);
}

/* require(): returns the exports of a part by its file name, and runs it the first time. */
static JSValue js_require(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *given = JS_ToCString(ctx, argv[0]), *name;
    JSValue script, module, exports, value;
    uint32_t i = 0;

    if (!given)
        return JS_EXCEPTION;
    name = strncmp(given, "./", 2) ? given : given + 2;
    while (i < nvoci_payload_count && strcmp(nvoci_payload[i].name, name))
        i++;
    JS_FreeCString(ctx, given);
    if (i == nvoci_payload_count)
        return JS_ThrowReferenceError(ctx, "Cannot find the part of the program");
    if (!JS_IsUndefined(loaded[i]))
        return JS_GetPropertyStr(ctx, loaded[i], "exports");
    script = JS_ReadObject(ctx, nvoci_payload[i].bytes, *nvoci_payload[i].size, JS_READ_OBJ_BYTECODE);
    if (JS_IsException(script) || JS_IsException(script = JS_EvalFunction(ctx, script)))
        return JS_EXCEPTION;
    module = JS_NewObject(ctx);
    exports = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, module, "exports", JS_DupValue(ctx, exports));
    loaded[i] = module; /* before it runs: parts may require each other */
    JSValue require = JS_NewCFunction(ctx, js_require, "require", 1);
    value = JS_Call(ctx, script, JS_UNDEFINED, 3, (JSValueConst[]){require, module, exports});
    JS_FreeValue(ctx, require);
    JS_FreeValue(ctx, exports);
    JS_FreeValue(ctx, script);
    if (JS_IsException(value))
        return value;
    JS_FreeValue(ctx, value);
    return JS_GetPropertyStr(ctx, module, "exports");
}

/* Adds the intrinsics that the parts use, and no others: no eval, Proxy or String.prototype.normalize. */
static void add_intrinsics(JSContext *ctx)
{
    JS_AddIntrinsicBaseObjects(ctx);
    JS_AddIntrinsicDate(ctx);
    JS_AddIntrinsicRegExp(ctx);
    JS_AddIntrinsicJSON(ctx);
    JS_AddIntrinsicMapSet(ctx);
    JS_AddIntrinsicTypedArrays(ctx);
    JS_AddIntrinsicPromise(ctx);
}

static void check_payload(void)
{
    if (memcmp(nvoci_payload_magic, NVOCI_PAYLOAD_MAGIC, sizeof(NVOCI_PAYLOAD_MAGIC)) || !nvoci_payload_count)
        bug("Cannot start: the program's own scripts are missing; reinstall it", "");
    for (uint32_t i = 0; i < nvoci_payload_count; i++)
        if (!*nvoci_payload[i].size || !nvoci_payload[i].bytes[0])
            bug("Cannot start: the program's own scripts are damaged; reinstall it", "");
}

/*
 * Returns the stack size for scripts. It is smaller when the stack limit is small, because beyond that limit there is
 * SIGSEGV instead of an exception. The command line and the environment are on the stack too, and the program's name is
 * above them at the top.
 */
static size_t stack_size(void)
{
    const char *top = (const char *)getauxval(AT_EXECFN), here = 0;
    struct rlimit limit;
    size_t used;

    if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur == RLIM_INFINITY || top < &here)
        return STACK_BYTES;
    used = (size_t)(top - &here) + STACK_SPARE;
    if (limit.rlim_cur < used + STACK_LEAST)
        return STACK_LEAST;
    return limit.rlim_cur - used < STACK_BYTES ? (size_t)limit.rlim_cur - used : STACK_BYTES;
}

int main(int argc, char **argv)
{
    JSRuntime *runtime;
    JSContext *ctx;
    JSValue global, name, result;

    check_payload();
    if (!(runtime = JS_NewRuntime2(&nvoci_arena, NULL)) || !(ctx = JS_NewContextRaw(runtime)) ||
        !(loaded = malloc(nvoci_payload_count * sizeof(*loaded))))
        bug(NULL, NULL);
    for (uint32_t i = 0; i < nvoci_payload_count; i++)
        loaded[i] = JS_UNDEFINED;
    JS_SetMaxStackSize(runtime, stack_size());
    /* The process lives for milliseconds: reference counting frees enough, and collecting cycles would cost more. */
    JS_SetGCThreshold(runtime, (size_t)-1);
    add_intrinsics(ctx);
    global = JS_GetGlobalObject(ctx);
    JS_SetPropertyStr(ctx, global, "nvociEngine", nvoci_new_engine(ctx, argv));
    name = JS_NewString(ctx, "main.cjs");
    result = js_require(ctx, JS_UNDEFINED, 1, (JSValueConst[]){name});
    if (JS_IsException(result)) {
        JSValue error = JS_GetException(ctx);
        const char *text = JS_ToCString(ctx, error), *stack = NULL;

        /* There was no memory for the engine or for its error. */
        if (JS_IsUninitialized(error) || JS_IsNull(error)) {
            static const char message[] = "nvoci: Cannot continue: out of memory\n";

            (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
            _exit(EXIT_FAILURE);
        }
        if (JS_IsError(ctx, error))
            stack = JS_ToCString(ctx, JS_GetPropertyStr(ctx, error, "stack"));
        bug(text, stack);
    }
    _exit(EXIT_SUCCESS);
}
