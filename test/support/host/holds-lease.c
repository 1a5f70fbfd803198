/* Holds a lease on a file until its standard input ends: a process that opens the file waits until then. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char byte;
  signal(SIGIO, SIG_IGN);
  int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
  if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0) return perror("lease"), 1;
  puts("held");
  fflush(stdout);
  while (read(0, &byte, 1) > 0)
    ;
  return 0;
}
