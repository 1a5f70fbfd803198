/* Replaces ldconfig: does only what MODE selects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FAILS, CRASHES, FLOODS, WRITES_NOTHING, HANGS, SPINS, FORKS };

/* The only way to sleep that the filter allows. */
static void sleep_for_ever(void) {
  int word = 0;
  for (;;) syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0);
}

int main(int argc, char **argv) {
  switch (MODE) {
    case FAILS:
      fputs("ldconfig: first words\n", stderr);
      fputs("ldconfig: Can't create temporary cache file: \"No space\" left\033[2J\n", stderr);
      return 3;
    case CRASHES:
      abort();
    case FLOODS:
      for (int line = 0; line < 1 << 20; line++) puts("ldconfig: words, words and words, one line after the other");
      return argc > 100 || argv == NULL;
    case HANGS:
      signal(SIGTERM, SIG_IGN);
      for (int fd = 0; fd < 64; fd++) close(fd);
      sleep_for_ever();
    case SPINS:
      for (volatile int turn = 0;; turn++)
        ;
    case FORKS:
      if (fork() >= 0) sleep_for_ever();
      fputs("ldconfig: no children\n", stderr);
      return 4;
    default:
      return 0;
  }
}
