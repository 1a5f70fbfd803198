/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_QUICKJS_ENGINE_H
#define NVOCI_QUICKJS_ENGINE_H

#include "quickjs.h"

/* Returns the object that ../primitives.ts describes. Requires the intrinsics for typed arrays. */
JSValue nvoci_new_engine(JSContext *ctx, char **argv);

#endif
