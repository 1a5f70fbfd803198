/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_QUICKJS_ENGINE_H
#define NVOCI_QUICKJS_ENGINE_H

#include "quickjs.h"

/* Returns the functions of the object that ../primitives.ts describes. Requires the intrinsics for typed arrays. */
JSValue nvoci_new_engine(JSContext *ctx);

/* Adds what differs between processes: machine, command line and environment. */
void nvoci_describe_process(JSContext *ctx, JSValueConst engine, char **argv);

/* QuickJS's number for Uint8Array, which is found once. */
extern uint32_t nvoci_array_class;

#endif
