/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QuickJS, with names for those of its static functions and tables that nvoci_heap points to. The build writes
 * heap-symbols.h, a list of NVOCI_SYMBOL(name); it is empty for the program that makes the heap.
 */
#include "quickjs.c"

#include "heap.h"

#define NVOCI_SYMBOL(name) extern __typeof__(name) nvoci_at_##name __attribute__((alias(#name)));
#include "heap-symbols.h"

void nvoci_forget_process(JSContext *ctx)
{
    ctx->rt->stack_size = ctx->rt->stack_top = ctx->rt->stack_limit = 0;
    ctx->random_state = 1;
}
