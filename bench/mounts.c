/*
 * The yardstick for the hook: binds the files of a list below a root, as a loop in C without any safety.
 *
 *   mounts PID ROOT < LIST
 *
 * Joins the mount namespace of PID. For each absolute path in LIST it makes missing directories and an empty file
 * below ROOT, binds the file there and makes the mount read-only, nosuid and nodev.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what) { return perror(what), 1; }

int main(int argc, char **argv) {
  if (argc != 3) return fputs("usage: mounts PID ROOT < LIST\n", stderr), 2;
  char path[4096], target[8192];
  snprintf(path, sizeof path, "/proc/%s/ns/mnt", argv[1]);
  int namespace = open(path, O_RDONLY | O_CLOEXEC);
  if (namespace < 0 || setns(namespace, CLONE_NEWNS) != 0) return fail(path);
  while (fgets(path, sizeof path, stdin)) {
    path[strcspn(path, "\n")] = 0;
    snprintf(target, sizeof target, "%s%s", argv[2], path);
    for (char *slash = strchr(target + strlen(argv[2]) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
      *slash = 0;
      if (mkdir(target, 0755) != 0 && errno != EEXIST) return fail(target);
      *slash = '/';
    }
    int file = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) return fail(target);
    close(file);
    if (mount(path, target, NULL, MS_BIND, NULL) != 0) return fail(target);
    if (mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0)
      return fail(target);
  }
  return 0;
}
