/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_UTF8_H
#define NVOCI_UTF8_H

#include <stddef.h>

/* Number of leading bytes that are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
size_t nvoci_utf8_valid(const unsigned char *bytes, size_t length);

/*
 * Writes `bytes` to `out` with each malformed part as U+FFFD and returns the number of bytes written: at most
 * three times `length`. What counts as one part is the rule of the WHATWG decoder, which Node.js follows.
 */
size_t nvoci_utf8_repair(const unsigned char *bytes, size_t length, unsigned char *out);

/* Replaces surrogates that QuickJS wrote as three bytes each by U+FFFD, which takes as many. */
void nvoci_utf8_replace_surrogates(unsigned char *bytes, size_t length);

#endif
