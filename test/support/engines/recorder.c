/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces a low-level runtime: records how it was started in a file next to itself, and exits with status 7. */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[PATH_MAX];

static FILE *record(const char *name)
{
    char path[PATH_MAX + 64];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "we");
    if (!file)
        abort();
    return file;
}

static void copy(const char *name)
{
    char path[64], buffer[4096];
    size_t count;
    FILE *from, *to;

    snprintf(path, sizeof(path), "/proc/self/%s", name);
    from = fopen(path, "re");
    to = record(name);
    if (!from)
        abort();
    while ((count = fread(buffer, 1, sizeof(buffer), from)) > 0)
        fwrite(buffer, 1, count, to);
    fclose(from);
    fclose(to);
}

int main(void)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int open_ones[64], count = 0;
    FILE *list;

    if (length < 0)
        abort();
    self[length] = '\0';
    strcpy(directory, dirname(self));
    for (int fd = 0; fd < 64; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            open_ones[count++] = fd;
    list = record("descriptors");
    for (int i = 0; i < count; i++)
        fprintf(list, "%d\n", open_ones[i]);
    fclose(list);
    copy("cmdline");
    copy("environ");
    copy("status");
    copy("limits");
    return 7;
}
