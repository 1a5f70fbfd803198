/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_QUICKJS_ENGINE_H
#define NVOCI_QUICKJS_ENGINE_H

#include "quickjs.h"

/* The object that ../engine.ts describes. Needs the intrinsics for typed arrays. */
JSValue nvoci_new_engine(JSContext *ctx, char **argv);

#endif
