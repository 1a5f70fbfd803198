/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_PAYLOAD_H
#define NVOCI_PAYLOAD_H

#include <stdint.h>

/* One part of the program as QuickJS bytecode: a script whose value is function (require, module, exports). */
struct nvoci_script {
    const char *name;
    const uint8_t *bytes; /* NULL if nvoci_heap contains the part */
    const uint32_t *size;
};

/* The build writes this as C data, so that strip, prelink and objcopy leave it intact. */
extern const struct nvoci_script nvoci_payload[];
extern const uint32_t nvoci_payload_count;

#endif
