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
#include "heap.h"
#include "payload.h"
#include "quickjs-engine.h"

enum {
    EXIT_FAILED = 1,
    EXIT_BUG = 70,         /* EX_SOFTWARE of sysexits(3) */
    STACK_BYTES = 1 << 20, /* an eighth of the usual limit: deep JSON causes an exception, not a crash */
    STACK_SPARE = 1 << 16, /* for C code between two stack checks */
    STACK_LEAST = 1 << 14,
};

static JSValue *loaded; /* by index in nvoci_payload: the module object, or undefined; see heap.h */

static void __attribute__((noreturn)) bug(const char *text, const char *stack)
{
    if (!text || !strcmp(text, "InternalError: out of memory")) {
        dprintf(STDERR_FILENO, "nvoci: Cannot continue: out of memory\n");
        _exit(EXIT_FAILED);
    }
    dprintf(STDERR_FILENO, "nvoci: bug: %s\n%s", text, stack ? stack : "");
    _exit(EXIT_BUG);
}

/* Returns the index of a part in nvoci_payload, or nvoci_payload_count. */
static uint32_t find_part(const char *name)
{
    uint32_t i = 0;

    while (i < nvoci_payload_count && strcmp(nvoci_payload[i].name, name))
        i++;
    return i;
}

/* Returns a part as function (require, module, exports). */
static JSValue read_part(JSContext *ctx, uint32_t i)
{
    JSValue script = JS_ReadObject(ctx, nvoci_payload[i].bytes, *nvoci_payload[i].size, JS_READ_OBJ_BYTECODE);

    return JS_IsException(script) ? script : JS_EvalFunction(ctx, script);
}

JSValue nvoci_require(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv);

/* Runs a part and returns its exports. Consumes `script`. */
static JSValue run_part(JSContext *ctx, uint32_t i, JSValue script)
{
    JSValue require, module, exports, value;

    if (JS_IsException(script))
        return script;
    module = JS_NewObject(ctx);
    exports = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, module, "exports", JS_DupValue(ctx, exports));
    loaded[i] = module; /* before it runs: parts may require each other */
    require = JS_NewCFunction(ctx, nvoci_require, "require", 1);
    value = JS_Call(ctx, script, JS_UNDEFINED, 3, (JSValueConst[]){require, module, exports});
    JS_FreeValue(ctx, require);
    JS_FreeValue(ctx, exports);
    JS_FreeValue(ctx, script);
    if (JS_IsException(value))
        return value;
    JS_FreeValue(ctx, value);
    return JS_GetPropertyStr(ctx, module, "exports");
}

/* require(): returns the exports of a part by its file name, and runs it the first time. */
JSValue nvoci_require(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *name = JS_ToCString(ctx, argv[0]);
    uint32_t i;

    if (!name)
        return JS_EXCEPTION;
    i = find_part(strncmp(name, "./", 2) ? name : name + 2);
    JS_FreeCString(ctx, name);
    if (i == nvoci_payload_count)
        return JS_ThrowReferenceError(ctx, "Cannot find the part of the program");
    if (!JS_IsUndefined(loaded[i]))
        return JS_GetPropertyStr(ctx, loaded[i], "exports");
    return run_part(ctx, i, read_part(ctx, i));
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

/* Ends the process because of the context's exception. */
static void __attribute__((noreturn)) fail(JSContext *ctx)
{
    JSValue error = JS_GetException(ctx);
    const char *text = JS_ToCString(ctx, error), *stack = NULL;

    /* There was no memory for the engine or for its error. */
    if (JS_IsUninitialized(error) || JS_IsNull(error))
        bug(NULL, NULL);
    if (JS_IsError(ctx, error))
        stack = JS_ToCString(ctx, JS_GetPropertyStr(ctx, error, "stack"));
    bug(text, stack);
}

#ifdef NVOCI_HEAP
/* Returns the objects that are linked into the program. */
static struct nvoci_roots *find_roots(void)
{
    struct nvoci_roots *roots = (struct nvoci_roots *)(nvoci_heap + 1);

    if ((uintptr_t)nvoci_heap != NVOCI_HEAP_ADDRESS)
        bug("Cannot start: the program's own heap is at another address; link it as its Makefile does", "");
    nvoci_array_class = roots->array_class;
    return roots;
}
#else
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

/* Makes the engine, and reads `main`. */
static struct nvoci_roots *find_roots(void)
{
    struct nvoci_roots *roots = nvoci_arena_malloc(NULL, sizeof(*roots)); /* first, as heap.h says */
    uint32_t main_part = find_part("main.cjs");
    JSContext *ctx;

    if (!roots || !(roots->runtime = JS_NewRuntime2(&nvoci_arena, NULL)) ||
        !(roots->context = ctx = JS_NewContextRaw(roots->runtime)) ||
        !(roots->loaded = js_malloc(ctx, nvoci_payload_count * sizeof(*loaded))))
        bug(NULL, NULL);
    for (uint32_t i = 0; i < nvoci_payload_count; i++)
        roots->loaded[i] = JS_UNDEFINED;
    /* The process lives for milliseconds: reference counting frees enough, and collecting cycles would cost more. */
    JS_SetGCThreshold(roots->runtime, (size_t)-1);
    add_intrinsics(ctx);
    roots->engine = nvoci_new_engine(ctx);
    roots->array_class = nvoci_array_class;
    roots->main = read_part(ctx, main_part);
    if (JS_IsException(roots->main))
        fail(ctx);
    JSValue global = JS_GetGlobalObject(ctx);
    JS_SetPropertyStr(ctx, global, "nvociEngine", JS_DupValue(ctx, roots->engine));
    JS_FreeValue(ctx, global);
    return roots;
}
#endif

/* Finds the engine and its context, and limits its stack to this process's. */
static struct nvoci_roots *begin(void)
{
    struct nvoci_roots *roots = find_roots();

    loaded = roots->loaded;
    JS_UpdateStackTop(roots->runtime);
    JS_SetMaxStackSize(roots->runtime, stack_size());
    return roots;
}

#ifdef NVOCI_DUMP
/* Loads the parts whose file names are given, and writes the heap to standard output. */
int main(int argc, char **argv)
{
    struct nvoci_roots *roots = begin();
    const char *at = (const char *)NVOCI_HEAP_ADDRESS;

    for (int i = 1; i < argc; i++) {
        JSValue name = JS_NewString(roots->context, argv[i]);
        JSValue exports = nvoci_require(roots->context, JS_UNDEFINED, 1, (JSValueConst[]){name});

        if (JS_IsException(exports))
            fail(roots->context);
        JS_FreeValue(roots->context, exports);
        JS_FreeValue(roots->context, name);
    }
    nvoci_forget_process(roots->context);
    while (at < (const char *)nvoci_arena_end()) {
        ssize_t count = write(STDOUT_FILENO, at, (size_t)((const char *)nvoci_arena_end() - at));

        if (count <= 0)
            return EXIT_FAILED;
        at += count;
    }
    return EXIT_SUCCESS;
}
#else
int main(int argc, char **argv)
{
    struct nvoci_roots *roots = begin();
    JSContext *ctx = roots->context;

    nvoci_describe_process(ctx, roots->engine, argv);
    if (JS_IsException(run_part(ctx, find_part("main.cjs"), roots->main)))
        fail(ctx);
    _exit(EXIT_SUCCESS);
}
#endif
