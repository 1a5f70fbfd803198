/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_ARENA_H
#define NVOCI_ARENA_H

#include "quickjs.h"

/* Memory for a runtime that lives for milliseconds: reused, never given back. */
extern const JSMallocFunctions nvoci_arena;

#endif
