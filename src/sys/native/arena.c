/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QuickJS allocates thousands of small blocks before the first line of nvoci runs. Cutting them from mappings that the
 * kernel populates at once, instead of by page faults, shortens the start by a tenth.
 *
 * Why this is safe: there is one thread; each block is preceded by its size; a size that would overflow is refused;
 * malloc(3) allocates blocks of more than eight kilobytes.
 */
#define _GNU_SOURCE
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HEADER = 8, /* the block's size, header included; contents are aligned to 8 bytes, as QuickJS requires */
    GRAIN = 16,
    LARGEST = 8192,
    MAPPING = 128 * 1024,
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

static struct block *cut(size_t size)
{
    struct block *block;

    if ((size_t)(unused_end - unused) < size) {
        /* The rest of the last mapping, less than LARGEST, is abandoned. */
        unsigned char *mapping = mmap(NULL, MAPPING, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

        if (mapping == MAP_FAILED)
            return NULL;
        unused = mapping;
        unused_end = mapping + MAPPING;
    }
    block = (struct block *)unused;
    unused += size;
    return block;
}

static void *arena_malloc(JSMallocState *state, size_t wanted)
{
    struct block *block;
    size_t size;

    if (wanted > SIZE_MAX / 2)
        return NULL;
    size = (wanted + HEADER + GRAIN - 1) / GRAIN * GRAIN;
    if (size > LARGEST) {
        block = malloc(size);
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

static void arena_free(JSMallocState *state, void *memory)
{
    struct block *block;

    if (!memory)
        return;
    block = block_of(memory);
    if (block->size > LARGEST) {
        free(block);
    } else {
        block->next = freed[block->size / GRAIN];
        freed[block->size / GRAIN] = block;
    }
}

static size_t arena_usable_size(const void *memory)
{
    return memory ? block_of((void *)memory)->size - HEADER : 0;
}

static void *arena_realloc(JSMallocState *state, void *memory, size_t wanted)
{
    size_t usable = arena_usable_size(memory);
    void *moved;

    if (memory && wanted == 0) {
        arena_free(state, memory);
        return NULL;
    }
    if (usable + HEADER <= LARGEST && wanted <= usable)
        return memory;
    if (usable + HEADER > LARGEST && wanted > LARGEST && wanted < SIZE_MAX / 2) {
        struct block *block = realloc(block_of(memory), wanted + HEADER);

        if (!block)
            return NULL;
        block->size = wanted + HEADER;
        return (unsigned char *)block + HEADER;
    }
    if (!(moved = arena_malloc(state, wanted)))
        return NULL;
    if (memory)
        memcpy(moved, memory, usable < wanted ? usable : wanted);
    arena_free(state, memory);
    return moved;
}

const JSMallocFunctions nvoci_arena = {arena_malloc, arena_free, arena_realloc, arena_usable_size};
