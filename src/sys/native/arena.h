/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_ARENA_H
#define NVOCI_ARENA_H

#include "quickjs.h"

/* Memory for a JavaScript runtime that lives for milliseconds: blocks are reused, but not returned to the kernel. */
extern const JSMallocFunctions nvoci_arena;

/* Its functions have names for the linker because the heap in heap.h points to them. */
void *nvoci_arena_malloc(JSMallocState *state, size_t wanted);
void nvoci_arena_free(JSMallocState *state, void *memory);
void *nvoci_arena_realloc(JSMallocState *state, void *memory, size_t wanted);
size_t nvoci_arena_usable_size(const void *memory);

#ifdef NVOCI_DUMP
/* Returns the end of the blocks, which begin at NVOCI_HEAP_ADDRESS. */
const void *nvoci_arena_end(void);
#endif

#endif
