/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The primitives: one page of C that makes system calls. Each JavaScript engine has an adapter for them
 * (quickjs-engine.c, node-addon.c). They know nothing about containers: structures, flags and system-call numbers are in
 * TypeScript, see ../linux.ts. ../primitives.ts is the contract.
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
#error "nvoci supports only x86_64 and aarch64"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "nvoci encodes the kernel's structures as little-endian"
#endif

enum {
    NVOCI_ARGUMENTS = 6,  /* the maximum of a Linux system call */
    NVOCI_STEP_SIZE = 64, /* number, six arguments, the errno to ignore: eight 64-bit integers */
};

/* Makes one system call. Returns its result or -errno. */
long nvoci_syscall(long number, const long arguments[NVOCI_ARGUMENTS]);

/*
 * Starts a child that makes `count` system calls from `steps` and exits. Returns its pid or -errno. Fails with -EINVAL
 * when `clone_flags` contains flags other than CLONE_NEW...
 */
long nvoci_spawn(uint64_t clone_flags, const unsigned char *steps, size_t count, int report_fd);

/* Stores `number` in *result and returns 1 when it is an integer from -2^53 to 2^53. Returns 0 otherwise. */
int nvoci_integer(double number, int64_t *result);

#endif
