/*
 * Runs a command as on an older kernel: named system calls fail with ENOSYS (or another errno).
 *
 *   enosys [-e ERRNO] NAME[,NAME...] COMMAND [ARGUMENT...]
 *
 * Every child inherits the filter. An unknown name ends the program with status 2.
 * See seccomp(2).
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* Numbers since 424 are the same on every machine; old headers lack some of them. */
static const struct {
  const char *name;
  int number;
} CALLS[] = {
    {"open_tree", 428},  {"move_mount", 429}, {"fsopen", 430},     {"fsconfig", 431},
    {"fsmount", 432},    {"fspick", 433},     {"pidfd_open", 434}, {"clone3", 435},
    {"close_range", 436}, {"openat2", 437},   {"faccessat2", 439}, {"mount_setattr", 442},
    {"statmount", 457},  {"listmount", 458},  {"fchmodat2", 452},  {"statx", SYS_statx},
    {"bpf", SYS_bpf},    {"mount", SYS_mount}, {"mknodat", SYS_mknodat},
    {"memfd_create", SYS_memfd_create},       {"setns", SYS_setns},
    {"name_to_handle_at", SYS_name_to_handle_at}, {"getrandom", SYS_getrandom},
    {"execveat", SYS_execveat}, {"copy_file_range", SYS_copy_file_range},
    {"renameat2", SYS_renameat2}, {"unshare", SYS_unshare}, {"pivot_root", SYS_pivot_root},
};

static int number_of(const char *name) {
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
    if (strcmp(CALLS[i].name, name) == 0) return CALLS[i].number;
  return -1;
}

int main(int argc, char **argv) {
  unsigned error = ENOSYS;
  int at = 1;
  if (argc > 2 && strcmp(argv[1], "-e") == 0) {
    error = (unsigned)atoi(argv[2]);
    at = 3;
  }
  if (argc < at + 2) return fputs("usage: enosys [-e ERRNO] NAME[,NAME...] COMMAND...\n", stderr), 2;

  struct sock_filter filter[4 + 2 * 64 + 1];
  unsigned short length = 0;
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (char *name = strtok(argv[at], ","); name; name = strtok(NULL, ",")) {
    int number = number_of(name);
    if (number < 0 || length > 2 * 62) return fprintf(stderr, "enosys: unknown call %s\n", name), 2;
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & 0xfff));
  }
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

  struct sock_fprog program = {length, filter};
  /* Root does not need PR_SET_NO_NEW_PRIVS, and runc behaves differently under it. */
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0 &&
      (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0))
    return perror("enosys: seccomp"), 2;
  execvp(argv[at + 1], argv + at + 1);
  return perror(argv[at + 1]), 127;
}
