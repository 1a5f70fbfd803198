/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QuickJS decodes malformed UTF-8 differently from Node.js and accepts lone surrogates. This code makes them agree, so
 * that both programs see the same file name.
 *
 * Why this is safe: every read is preceded by a check against `length`, and the caller provides three bytes for each
 * byte.
 */
#include "utf8.h"

#include <string.h>

/*
 * Returns the length of the sequence at `p`: positive when it is well-formed, otherwise minus the number of bytes that
 * one U+FFFD replaces. `n` is at least 1. See table 3-7 of the Unicode standard, chapter 3.
 */
static int sequence(const unsigned char *p, size_t n)
{
    unsigned char low = 0x80, high = 0xbf;
    int length;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return -1;
    length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= n || p[i] < low || p[i] > high)
            return -i;
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

size_t nvoci_utf8_valid(const unsigned char *bytes, size_t length)
{
    size_t i = 0;

    while (i < length) {
        int step = sequence(bytes + i, length - i);

        if (step < 0)
            break;
        i += (size_t)step;
    }
    return i;
}

size_t nvoci_utf8_repair(const unsigned char *bytes, size_t length, unsigned char *out)
{
    size_t i = 0, written = 0;

    while (i < length) {
        int step = sequence(bytes + i, length - i);

        if (step > 0) {
            memcpy(out + written, bytes + i, (size_t)step);
            written += (size_t)step;
            i += (size_t)step;
        } else {
            memcpy(out + written, "\xef\xbf\xbd", 3);
            written += 3;
            i += (size_t)-step;
        }
    }
    return written;
}

void nvoci_utf8_replace_surrogates(unsigned char *bytes, size_t length)
{
    unsigned char *end = bytes + length;

    /* The first byte of a surrogate, 0xed, is never the second or third of another character. */
    while ((bytes = memchr(bytes, 0xed, (size_t)(end - bytes))) && end - bytes >= 3) {
        if (bytes[1] >= 0xa0)
            memcpy(bytes, "\xef\xbf\xbd", 3);
        bytes += 3;
    }
}
