/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_ARENA_H
#define NVOCI_ARENA_H

#include "quickjs.h"

/* Memory for a JavaScript runtime that lives for milliseconds: blocks are reused, but not returned to the kernel. */
extern const JSMallocFunctions nvoci_arena;

#endif
