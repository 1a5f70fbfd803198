/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap that is linked into the program: QuickJS's objects as they are after its parts were loaded. A start then
 * reads no bytecode and makes no intrinsics, which took half of the time of a container that requests nothing.
 *
 * build/heap.ts writes it: it runs this program as NVOCI_DUMP, whose arena cuts all blocks from one region at
 * NVOCI_HEAP_ADDRESS, and turns the region into C. Pointers into the region are numbers, since the linker puts it at
 * the same address again. Pointers to functions and tables are symbols, so that one file serves all machines with the
 * same sizes of types: x86_64 and aarch64. Others load the parts from bytecode.
 *
 * Why this is safe: the region is data of the program like its bytecode, private to each process. Its address is
 * fixed, as that of the code is; what a start allocates is at random addresses as before.
 */
#ifndef NVOCI_HEAP_H
#define NVOCI_HEAP_H

#include <stdint.h>

#include "quickjs.h"

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__LP64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && \
    !defined(__PIE__) && !defined(NVOCI_DUMP) && !defined(NVOCI_NO_HEAP)
#define NVOCI_HEAP
#endif

#define NVOCI_HEAP_ADDRESS 0x10000000 /* also in build/native.ts and the Makefile, for the linker */

/* Where everything else is found. It begins the region. */
struct nvoci_roots {
    JSRuntime *runtime;
    JSContext *context;
    JSValue engine;       /* the global `nvociEngine` */
    JSValue main;         /* the part `main` as function (require, module, exports), not run yet */
    JSValue *loaded;      /* by index in nvoci_payload: the module object, or undefined */
    uint32_t array_class; /* QuickJS's number for Uint8Array */
};

#ifdef NVOCI_HEAP
extern uintptr_t nvoci_heap[];
extern const size_t nvoci_heap_size; /* in bytes */
#endif

/* Forgets what is true for one process only: addresses on the stack, and the seed of Math.random(). */
void nvoci_forget_process(JSContext *ctx);

#endif
