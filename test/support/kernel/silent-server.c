/*
 * A FUSE server that never answers: it mounts itself, prints "ready", and answers only what mounting requires.
 *
 *   silent-server [-r] DIRECTORY|FILE
 *
 * It prints a line for each request: the number of the operation in linux/fuse.h. A process that sends a request
 * waits until the server ends and cannot be killed, so the server ends by itself after half a minute.
 *
 * -r: answers the request of a runtime that mounts the volume, the attributes of the root, and lets the kernel cache
 * them forever.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char request[1 << 18];
static int device;

static void answer(const void *body, size_t length) {
  char bytes[sizeof(struct fuse_out_header) + 512];
  struct fuse_out_header header = {(unsigned)(sizeof header + length), 0, ((struct fuse_in_header *)request)->unique};
  memcpy(bytes, &header, sizeof header);
  memcpy(bytes + sizeof header, body, length);
  if (write(device, bytes, header.len) != (ssize_t)header.len) perror("silent-server: write");
}

int main(int argc, char **argv) {
  const char *place = argv[argc - 1];
  int polite = argc > 2;
  char options[128];
  struct stat stat_;

  if (argc < 2 || stat(place, &stat_) != 0) return perror("silent-server"), 2;
  unsigned mode = S_ISDIR(stat_.st_mode) ? S_IFDIR | 0755 : S_IFREG | 0644;
  device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  snprintf(options, sizeof options, "fd=%d,rootmode=%o,user_id=0,group_id=0,allow_other", device, mode & S_IFMT);
  if (mount("silent", place, "fuse.silent", 0, options) != 0) return perror("silent-server: mount"), 1;
  alarm(30);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (;;) {
    ssize_t length = read(device, request, sizeof request);
    const struct fuse_in_header *asked = (const void *)request;
    if (length < 0 && (errno == EINTR || errno == ENOENT)) continue;
    if (length < 0) return 0;
    if (asked->opcode == FUSE_INIT) {
      struct fuse_init_out init = {.major = 7, .minor = 31, .max_write = 4096};
      answer(&init, sizeof init);
      puts("ready");
    } else if (polite && asked->opcode == FUSE_GETATTR && asked->nodeid == FUSE_ROOT_ID) {
      struct fuse_attr_out attributes = {.attr_valid = 1 << 30, .attr = {.ino = 1, .mode = mode, .nlink = 1}};
      answer(&attributes, sizeof attributes);
    } else {
      printf("%u\n", asked->opcode);
    }
  }
}
