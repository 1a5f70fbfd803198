/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command with unchanged standard descriptors, and writes its usage to a file: milliseconds of processor time,
 * then peak memory in KiB, both including the children that it waited for.
 *
 *   usage FILE COMMAND [ARGUMENT...]
 *
 * The status is the command's, or 128 + n if signal n ended it. See getrusage(2).
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long milliseconds(struct timeval time) { return time.tv_sec * 1000L + time.tv_usec / 1000; }

int main(int argc, char **argv) {
  if (argc < 3) return fputs("usage: usage FILE COMMAND...\n", stderr), 2;
  struct rusage used;
  int status;
  pid_t child = vfork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  if (child < 0 || wait4(child, &status, 0, &used) != child) return perror("usage"), 2;
  FILE *file = fopen(argv[1], "we");
  if (!file) return perror(argv[1]), 2;
  fprintf(file, "%ld %ld\n", milliseconds(used.ru_utime) + milliseconds(used.ru_stime), used.ru_maxrss);
  fclose(file);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
