/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QuickJS allocates thousands of small blocks before the first line of nvoci runs. Cutting them from mappings that the
 * kernel populates at once, instead of by page faults, shortens the start by a tenth.
 *
 * Blocks of the heap that is linked into the program (heap.h) are freed and used again like others. NVOCI_DUMP, which
 * makes that heap, cuts blocks of every size from one region.
 *
 * Why this is safe: there is one thread; each block is preceded by its size; a size that would overflow is refused;
 * malloc(3) allocates blocks of more than eight kilobytes.
 */
#define _GNU_SOURCE
#include "arena.h"

#include "heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HEADER = 8, /* the block's size, header included; contents are aligned to 8 bytes, as QuickJS requires */
    GRAIN = 16,
    LARGEST = 8192,
#ifdef NVOCI_DUMP
    MAPPING = 16 * 1024 * 1024,
#else
    MAPPING = 64 * 1024,
#endif
};

/* A free block: the size keeps its place, the pointer to the next free block replaces the contents. */
struct block {
    uint64_t size;
    struct block *next;
};

static struct block *freed[LARGEST / GRAIN + 1]; /* by size / GRAIN */
static unsigned char *unused, *unused_end;

static struct block *block_of(void *memory)
{
    return (struct block *)((unsigned char *)memory - HEADER);
}

/* Returns pages for blocks, or MAP_FAILED. */
static void *map(void)
{
    const int access = PROT_READ | PROT_WRITE, kind = MAP_PRIVATE | MAP_ANONYMOUS;

#ifdef NVOCI_DUMP
    if (unused)
        return MAP_FAILED;
    return mmap((void *)NVOCI_HEAP_ADDRESS, MAPPING, access, kind | MAP_FIXED, -1, 0);
#else
    return mmap(NULL, MAPPING, access, kind | MAP_POPULATE, -1, 0);
#endif
}

static struct block *cut(size_t size)
{
    struct block *block;

    if ((size_t)(unused_end - unused) < size) {
        /* The rest of the last mapping, less than LARGEST, is abandoned. */
        unsigned char *mapping = map();

        if (mapping == MAP_FAILED)
            return NULL;
        unused = mapping;
        unused_end = mapping + MAPPING;
    }
    block = (struct block *)unused;
    unused += size;
    return block;
}

/* Allocates a block that is too large to be kept for reuse. */
static struct block *allocate_large(size_t size)
{
#ifdef NVOCI_DUMP
    return cut(size);
#else
    return malloc(size);
#endif
}

/* Reports whether a large block is from malloc(3), not from the heap that is linked into the program. */
static int is_allocated(const struct block *block)
{
#ifdef NVOCI_HEAP
    return (uintptr_t)block - NVOCI_HEAP_ADDRESS >= nvoci_heap_size;
#elif defined(NVOCI_DUMP)
    return 0;
#else
    return 1;
#endif
}

void *nvoci_arena_malloc(JSMallocState *state, size_t wanted)
{
    struct block *block;
    size_t size;

    if (wanted > SIZE_MAX / 2)
        return NULL;
    size = (wanted + HEADER + GRAIN - 1) / GRAIN * GRAIN;
    if (size > LARGEST) {
        block = allocate_large(size);
    } else if ((block = freed[size / GRAIN])) {
        freed[size / GRAIN] = block->next;
    } else {
        block = cut(size);
    }
    if (!block)
        return NULL;
    block->size = size;
    return (unsigned char *)block + HEADER;
}

void nvoci_arena_free(JSMallocState *state, void *memory)
{
    struct block *block;

    if (!memory)
        return;
    block = block_of(memory);
#ifdef NVOCI_DUMP
    /* What a block contained, such as an address on the stack, must not get into the heap as padding. */
    memset(memory, 0, block->size - HEADER);
#endif
    if (block->size > LARGEST) {
        if (is_allocated(block))
            free(block);
    } else {
        block->next = freed[block->size / GRAIN];
        freed[block->size / GRAIN] = block;
    }
}

size_t nvoci_arena_usable_size(const void *memory)
{
    return memory ? block_of((void *)memory)->size - HEADER : 0;
}

void *nvoci_arena_realloc(JSMallocState *state, void *memory, size_t wanted)
{
    size_t usable = nvoci_arena_usable_size(memory);
    void *moved;

    if (memory && wanted == 0) {
        nvoci_arena_free(state, memory);
        return NULL;
    }
    if (usable + HEADER <= LARGEST && wanted <= usable)
        return memory;
    if (usable + HEADER > LARGEST && wanted > LARGEST && wanted < SIZE_MAX / 2 && is_allocated(block_of(memory))) {
        struct block *block = realloc(block_of(memory), wanted + HEADER);

        if (!block)
            return NULL;
        block->size = wanted + HEADER;
        return (unsigned char *)block + HEADER;
    }
    if (!(moved = nvoci_arena_malloc(state, wanted)))
        return NULL;
    if (memory)
        memcpy(moved, memory, usable < wanted ? usable : wanted);
    nvoci_arena_free(state, memory);
    return moved;
}

const JSMallocFunctions nvoci_arena = {nvoci_arena_malloc, nvoci_arena_free, nvoci_arena_realloc,
                                         nvoci_arena_usable_size};

#ifdef NVOCI_DUMP
const void *nvoci_arena_end(void)
{
    return unused;
}
#endif
