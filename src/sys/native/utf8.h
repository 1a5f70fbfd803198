/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVOCI_UTF8_H
#define NVOCI_UTF8_H

#include <stddef.h>

/* Returns the number of leading bytes that are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
size_t nvoci_utf8_valid(const unsigned char *bytes, size_t length);

/*
 * Writes `bytes` to `out`, with U+FFFD for each malformed part, and returns the number of bytes written: at most three
 * times `length`. Parts are delimited as in the WHATWG decoder, which Node.js follows.
 */
size_t nvoci_utf8_repair(const unsigned char *bytes, size_t length, unsigned char *out);

/* Replaces in place each surrogate, which QuickJS encodes in three bytes, by U+FFFD, which also has three. */
void nvoci_utf8_replace_surrogates(unsigned char *bytes, size_t length);

#endif
