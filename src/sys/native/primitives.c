/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The primitives: the only system calls that nvoci's own C makes for TypeScript.
 *
 * Why this is safe: nothing here allocates, locks or follows a pointer other than its arguments. The kernel (EFAULT) and
 * linux.ts, the caller, are responsible for addresses. A string or an array lives until the call returns, because the
 * JavaScript engine holds it as an argument.
 */
#define _GNU_SOURCE
#include "primitives.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/sched.h of kernel 4.9 */
#define NVOCI_NAMESPACES                                                                                           \
    ((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |         \
                CLONE_NEWNET))

long nvoci_syscall(long number, const long a[NVOCI_ARGUMENTS])
{
    long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);

    return result == -1 ? -errno : result;
}

int nvoci_integer(double number, int64_t *result)
{
    const double limit = 9007199254740992.0; /* 2^53; NaN fails both comparisons */

    if (!(number >= -limit && number <= limit) || (double)(int64_t)number != number)
        return 0;
    *result = (int64_t)number;
    return 1;
}

/*
 * Runs the child until it exits. It is a copy of one thread of a process that may have had others (Node.js has), so a
 * lock may stay locked forever: no malloc, no stdio, no atfork handlers, only system calls and its own stack. Signal
 * handlers stay: the native program installs none, and those of Node.js make only system calls. A successful execve(2)
 * resets them.
 */
static void __attribute__((noreturn)) run_steps(const unsigned char *steps, size_t count, int report_fd)
{
    for (size_t i = 0; i < count; i++) {
        int64_t step[NVOCI_STEP_SIZE / sizeof(int64_t)];
        long result;

        /* A copy, because the array may be unaligned. */
        memcpy(step, steps + i * NVOCI_STEP_SIZE, sizeof(step));
        result = nvoci_syscall((long)step[0], (const long *)&step[1]);
        if (result < 0 && result > -4096 && step[7] != -1 && step[7] != -result) {
            int32_t report[2] = {(int32_t)i, (int32_t)-result};

            /* A pipe transfers eight bytes atomically. If the write fails, the exit status still reports the failure. */
            syscall(SYS_write, report_fd, report, sizeof(report));
            for (;;)
                syscall(SYS_exit_group, 127);
        }
    }
    for (;;)
        syscall(SYS_exit_group, 0);
}

long nvoci_spawn(uint64_t clone_flags, const unsigned char *steps, size_t count, int report_fd)
{
    long pid;

    /* Flags such as CLONE_VM would let the child write to our memory. */
    if (clone_flags & ~NVOCI_NAMESPACES)
        return -EINVAL;
    /*
     * The raw call, not fork(3), which runs atfork handlers and takes malloc's locks. Without CLONE_VM, a null stack
     * means the same address in the copy. Architectures pass the last arguments in different orders, which does not
     * matter because all are null.
     */
    pid = syscall(SYS_clone, (unsigned long)clone_flags | SIGCHLD, 0L, 0L, 0L, 0L);
    if (pid == -1)
        return -errno;
    if (pid == 0)
        run_steps(steps, count, report_fd);
    return pid;
}
