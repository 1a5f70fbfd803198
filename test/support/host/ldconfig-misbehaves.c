/* In ldconfig's place: a program that does what MODE says, and no more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAILS, CRASHES, FLOODS, WRITES_NOTHING };

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
    default:
      return 0;
  }
}
