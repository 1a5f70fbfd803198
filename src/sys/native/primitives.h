/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C page of nvoci: what both engines (quickjs.c, node-addon.c) share. It knows nothing of containers: structures,
 * flags and system-call numbers are TypeScript, see ../linux.ts. The contract is ../engine.ts.
 */
#ifndef NVOCI_PRIMITIVES_H
#define NVOCI_PRIMITIVES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define NVOCI_ARCH "x64"
#elif defined(__aarch64__) && !defined(__ILP32__)
#define NVOCI_ARCH "arm64"
#else
#error "nvoci knows the system calls of x86_64 and aarch64 only"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "nvoci encodes the kernel's structures as little-endian"
#endif

enum {
    NVOCI_ARGUMENTS = 6,  /* the most that a Linux system call takes */
    NVOCI_STEP_SIZE = 64, /* number, six arguments, the errno to ignore: eight 64-bit integers */
};

/* Makes one system call. Returns its result or -errno. */
long nvoci_syscall(long number, const long arguments[NVOCI_ARGUMENTS]);

/*
 * Starts a child that makes `count` system calls from `steps` and exits. Returns its pid or -errno.
 * Flags other than CLONE_NEW... are refused with -EINVAL.
 */
long nvoci_spawn(uint64_t clone_flags, const unsigned char *steps, size_t count, int report_fd);

/* True, with the integer in *result, when `number` is one and at most 2^53 away from zero. */
int nvoci_integer(double number, int64_t *result);

#endif
