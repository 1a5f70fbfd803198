/* Runs a program, returns its status, and writes its time in microseconds: timed FILE PROGRAM [ARGUMENT...] */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t child = fork();
    if (child == 0) {
        execv(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    FILE *file = fopen(argv[1], "w");
    if (file) {
        long seconds = end.tv_sec - start.tv_sec;
        fprintf(file, "%ld\n", seconds * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000);
        fclose(file);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
