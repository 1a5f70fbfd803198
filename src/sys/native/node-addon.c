/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter for Node.js: the primitives as functions of an addon.
 *
 * Why this is safe: as in quickjs-engine.c, every argument is checked before a call is made. V8 may move a small array
 * until its buffer is requested; napi_get_typedarray_info requests it, and from then on the bytes do not move. Nothing
 * throws while an argument is in use, and no JavaScript runs.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <node_api.h>

#include "primitives.h"

static napi_value type_error(napi_env env, const char *text)
{
    napi_throw_type_error(env, NULL, text);
    return NULL;
}

static napi_value new_integer(napi_env env, int64_t integer)
{
    napi_value value = NULL;

    napi_create_int64(env, integer, &value);
    return value;
}

/* Returns the array's first byte. Not NULL for an empty array, because NULL has another meaning to system calls. */
static unsigned char *array_bytes(napi_env env, napi_value array, size_t *length)
{
    static unsigned char nothing;
    napi_typedarray_type type;
    void *data;

    if (napi_get_typedarray_info(env, array, &type, length, &data, NULL, NULL) || type != napi_uint8_array) {
        type_error(env, "Cannot take an address: not a Uint8Array");
        return NULL;
    }
    return data ? data : &nothing;
}

/* Converts a value to an integer. Returns -1 with an exception when it is not one. Takes a BigInt modulo 2^64. */
static int to_integer(napi_env env, napi_value value, int64_t *result)
{
    double number;
    bool lossless;

    if (!napi_get_value_bigint_int64(env, value, result, &lossless))
        return 0;
    if (!napi_get_value_double(env, value, &number) && nvoci_integer(number, result))
        return 0;
    type_error(env, "Cannot pass the argument: not an integer");
    return -1;
}

/* Converts one argument of a system call. The caller must free `*copy`, the bytes of a string. */
static int to_argument(napi_env env, napi_value value, long *result, char **copy)
{
    napi_valuetype type = napi_undefined;
    int64_t integer;
    size_t length;

    *copy = NULL;
    napi_typeof(env, value, &type);
    switch (type) {
    case napi_null:
        *result = 0;
        return 0;
    case napi_string:
        if (napi_get_value_string_utf8(env, value, NULL, 0, &length) || !(*copy = malloc(length + 1)) ||
            napi_get_value_string_utf8(env, value, *copy, length + 1, &length)) {
            type_error(env, "Cannot pass the argument: out of memory");
            return -1;
        }
        if (memchr(*copy, 0, length)) {
            type_error(env, "Cannot pass the argument: string with NUL");
            return -1;
        }
        *result = (long)*copy;
        return 0;
    case napi_object: {
        unsigned char *bytes = array_bytes(env, value, &length);

        *result = (long)bytes;
        return bytes ? 0 : -1;
    }
    default:
        if (to_integer(env, value, &integer))
            return -1;
        *result = (long)integer;
        return 0;
    }
}

static napi_value node_syscall(napi_env env, napi_callback_info info)
{
    napi_value argv[1 + NVOCI_ARGUMENTS], result = NULL;
    long arguments[NVOCI_ARGUMENTS] = {0};
    char *copies[NVOCI_ARGUMENTS];
    size_t argc = 1 + NVOCI_ARGUMENTS, count = 0;
    int64_t number;

    napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
    if (argc < 1 || argc > 1 + NVOCI_ARGUMENTS)
        return type_error(env, "Cannot make the system call: expected a number and up to six arguments");
    if (to_integer(env, argv[0], &number))
        return NULL;
    while (count < argc - 1) {
        int failed = to_argument(env, argv[count + 1], &arguments[count], &copies[count]);

        count++;
        if (failed)
            goto done;
    }
    result = new_integer(env, nvoci_syscall((long)number, arguments));
done:
    while (count-- > 0)
        free(copies[count]);
    return result;
}

static napi_value node_address(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    size_t argc = 1, length;
    unsigned char *bytes;

    napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
    bytes = array_bytes(env, argv[0], &length);
    return bytes ? new_integer(env, (int64_t)(intptr_t)bytes) : NULL;
}

static napi_value node_spawn(napi_env env, napi_callback_info info)
{
    napi_value argv[3];
    size_t argc = 3, length;
    int64_t flags, report_fd;
    unsigned char *steps;

    napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
    if (to_integer(env, argv[0], &flags) || to_integer(env, argv[2], &report_fd) ||
        !(steps = array_bytes(env, argv[1], &length)))
        return NULL;
    if (length % NVOCI_STEP_SIZE)
        return type_error(env, "Cannot spawn: steps are 64 bytes each");
    return new_integer(env, nvoci_spawn((uint64_t)flags, steps, length / NVOCI_STEP_SIZE, (int)report_fd));
}

static napi_value node_decode(napi_env env, napi_callback_info info)
{
    napi_value argv[3], result = NULL;
    size_t argc = 3, length;
    int64_t start, end;
    unsigned char *bytes;

    napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
    if (to_integer(env, argv[1], &start) || to_integer(env, argv[2], &end) ||
        !(bytes = array_bytes(env, argv[0], &length)))
        return NULL;
    if (start < 0 || start > end || (uint64_t)end > length) {
        napi_throw_range_error(env, NULL, "Cannot decode: the range is outside the array");
        return NULL;
    }
    napi_create_string_utf8(env, (char *)bytes + start, (size_t)(end - start), &result);
    return result;
}

static napi_value environment(napi_env env)
{
    napi_value array = NULL, value;

    napi_create_array(env, &array);
    for (uint32_t i = 0; environ[i]; i++) {
        napi_create_string_utf8(env, environ[i], NAPI_AUTO_LENGTH, &value);
        napi_set_element(env, array, i, value);
    }
    return array;
}

static napi_value arch(napi_env env)
{
    napi_value value = NULL;

    napi_create_string_utf8(env, NVOCI_ARCH, NAPI_AUTO_LENGTH, &value);
    return value;
}

/* Everything in ../primitives.ts except argv and program, which the entry (../node.ts) adds. */
NAPI_MODULE_INIT()
{
    const napi_property_descriptor properties[] = {
        {"syscall", NULL, node_syscall, NULL, NULL, NULL, napi_enumerable, NULL},
        {"address", NULL, node_address, NULL, NULL, NULL, napi_enumerable, NULL},
        {"spawn", NULL, node_spawn, NULL, NULL, NULL, napi_enumerable, NULL},
        {"decode", NULL, node_decode, NULL, NULL, NULL, napi_enumerable, NULL},
        {"arch", NULL, NULL, NULL, NULL, arch(env), napi_enumerable, NULL},
        {"environ", NULL, NULL, NULL, NULL, environment(env), napi_enumerable, NULL},
        {"argvAddress", NULL, NULL, NULL, NULL, new_integer(env, 0), napi_enumerable, NULL},
        {"environAddress", NULL, NULL, NULL, NULL, new_integer(env, (int64_t)(intptr_t)environ), napi_enumerable, NULL},
    };

    /* Node.js ignores SIGPIPE, and the low-level runtime would inherit that by execve(2). */
    signal(SIGPIPE, SIG_DFL);
    napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]), properties);
    return exports;
}
