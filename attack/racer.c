/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes a container's root as fast as it can, from inside: a hostile neighbor that shares the root.
 *
 *   racer ROOT SEED MILLISECONDS PAIRS [ONE OTHER]... ENTRY...
 *
 * It exchanges PAIRS pairs of names, replaces the entries with links, directories and files, and replaces every
 * name that begins with `.nvoci-` in the entries' directories. Names are below ROOT, which becomes its root
 * directory, so it cannot follow its own links out. It ends with its parent and prints the number of exchanges.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static unsigned state;

static unsigned below(unsigned limit) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % limit;
}

static int exchange(int from, const char *one, int to, const char *other) {
  return syscall(SYS_renameat2, from, one, to, other, RENAME_EXCHANGE) == 0;
}

static void put(int directory, const char *name) {
  char moved[300];
  snprintf(moved, sizeof moved, "moved-%.200s", name);
  switch (below(7)) {
  case 0: symlinkat("/canary", directory, name); break;
  case 1: symlinkat("../../../../../../../../canary/lib", directory, name); break;
  case 2: mkdirat(directory, name, 0755); break;
  case 3: close(openat(directory, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644)); break;
  /* Rare, because ldconfig may wait for the other end until the hook kills it. */
  case 4: if (below(16) == 0) mknodat(directory, name, S_IFIFO | 0600, 0); break;
  case 5: renameat(directory, name, directory, moved); break;
  default: renameat(directory, moved, directory, name);
  }
}

static void take(int directory, const char *name) {
  if (unlinkat(directory, name, 0) != 0) unlinkat(directory, name, AT_REMOVEDIR);
}

/* Replaces the hook's names in one directory. */
static void hunt(const char *path) {
  DIR *directory = opendir(path);
  struct dirent *entry;
  if (!directory) return;
  while ((entry = readdir(directory))) {
    if (strncmp(entry->d_name, ".nvoci-", 7) != 0) continue;
    int fd = dirfd(directory);
    if (below(3) == 0) {
      symlinkat("/canary/etc", fd, "bait");
      exchange(fd, entry->d_name, fd, "bait");
    } else {
      take(fd, entry->d_name);
      put(fd, entry->d_name);
    }
  }
  closedir(directory);
}

int main(int argc, char **argv) {
  if (argc < 6) return fputs("usage: racer ROOT SEED MILLISECONDS PAIRS [ONE OTHER]... ENTRY...\n", stderr), 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  state = (unsigned)strtoul(argv[2], NULL, 10) * 2654435761u | 1;
  unsigned long time = strtoul(argv[3], NULL, 10), exchanges = 0;
  unsigned pairs = (unsigned)strtoul(argv[4], NULL, 10);
  char **entries = argv + 5 + 2 * pairs;
  unsigned count = (unsigned)(argc - 5) - 2 * pairs;
  if (chroot(argv[1]) != 0 || chdir("/") != 0) return perror(argv[1]), 2;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  unsigned long end = now.tv_sec * 1000UL + now.tv_nsec / 1000000 + time;
  do {
    for (int i = 0; i < 64; i++) {
      unsigned what = below(16);
      char path[4096];
      snprintf(path, sizeof path, "%s", entries[below(count)]);
      if (what == 0) take(AT_FDCWD, path);
      else if (what == 1) {
        int parent = open(dirname(strdupa(path)), O_PATH | O_DIRECTORY | O_CLOEXEC);
        put(parent, basename(path));
        close(parent);
      } else if (what < 4) hunt(dirname(path));
      else if (pairs > 0) {
        unsigned pair = 2 * below(pairs);
        exchanges += exchange(AT_FDCWD, argv[5 + pair], AT_FDCWD, argv[6 + pair]);
      }
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec * 1000UL + now.tv_nsec / 1000000 < end);
  printf("%lu\n", exchanges);
  return 0;
}
