/*
 * Replaces ldconfig: writes a description of its environment, as JSON, to the file that -C names. It receives the
 * configuration with -f, like ldconfig(8).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

static FILE *out;

static void text(const char *name, const char *value) {
  fprintf(out, "\"%s\":\"", name);
  for (; *value; value++)
    if (*value == '\n') fputs("\\n", out);
    else if (*value == '"' || *value == '\\') fprintf(out, "\\%c", *value);
    else fputc(*value, out);
  fputs("\",\n", out);
}

static void number(const char *name, long long value) { fprintf(out, "\"%s\":%lld,\n", name, value); }

/* Writes 0, or the errno of a failed call. */
static void answer(const char *name, long result) { number(name, result < 0 ? errno : 0); }

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void list(const char *name, const char *path) {
  char line[65536] = "";
  struct dirent **names;
  int count = scandir(path, &names, NULL, by_name);
  for (int i = 0; i < count; i++) {
    if (names[i]->d_name[0] == '.' && (!names[i]->d_name[1] || names[i]->d_name[1] == '.')) continue;
    strcat(strcat(line, *line ? " " : ""), names[i]->d_name);
  }
  text(name, count < 0 ? strerror(errno) : line);
}

static void same(const char *name, const char *a, const char *b) {
  struct stat one, other;
  number(name, stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev);
}

static void rest_of(const char *name, int fd) {
  char content[65536];
  ssize_t size = fd < 0 ? -1 : read(fd, content, sizeof content - 1);
  content[size < 0 ? 0 : size] = 0;
  text(name, size < 0 ? strerror(errno) : content);
}

/* Writes 0, or the errno of a call through the i386 table; -1 if the machine has none. */
static void through_i386(const char *name, int call) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(call) : "memory", "r8", "r9", "r10", "r11");
  number(name, result < 0 ? -result : 0);
#else
  number(name, -1 + 0 * call);
#endif
}

static void opening(const char *name, const char *path, int flags) {
  int fd = open(path, flags | O_NONBLOCK);
  answer(name, fd);
  if (fd >= 0) close(fd);
}

int main(int argc, char **argv, char **environ_) {
  const char *configuration = "", *cache = "";
  char command[4096] = "";
  for (int i = 0; i < argc; i++) strcat(strcat(command, i ? " " : ""), argv[i]);
  for (int i = 1; i + 1 < argc; i++) {
    if (strcmp(argv[i], "-f") == 0) configuration = argv[i + 1];
    if (strcmp(argv[i], "-C") == 0) cache = argv[i + 1];
  }

  char open_fds[4096] = "";
  for (int fd = 0; fd < 4096; fd++)
    if (fcntl(fd, F_GETFD) >= 0) sprintf(open_fds + strlen(open_fds), "%s%d", *open_fds ? " " : "", fd);

  out = fopen(cache, "w");
  if (out == NULL) return perror(cache), 1;
  fputs("{", out);
  text("command", command);
  text("openFds", open_fds);
  text("program", (const char *)getauxval(AT_EXECFN));
  int variables = 0;
  for (; environ_[variables]; variables++)
    ;
  number("variables", variables);

  uid_t ids[3];
  gid_t groups[3];
  getresuid(&ids[0], &ids[1], &ids[2]);
  getresgid(&groups[0], &groups[1], &groups[2]);
  fprintf(out, "\"uids\":[%u,%u,%u],\"gids\":[%u,%u,%u],\n", ids[0], ids[1], ids[2], groups[0], groups[1], groups[2]);
  number("groups", getgroups(0, NULL));
  number("pid", getpid());
  number("parent", getppid());

  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  syscall(SYS_capget, &header, data);
  number("capabilities", data[0].effective | data[0].permitted | data[0].inheritable | data[1].effective |
                             data[1].permitted | data[1].inheritable);
  int bounding = 0, ambient = 0;
  for (int cap = 0; cap < 64; cap++) {
    bounding += prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
    ambient += prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1;
  }
  number("bounding", bounding);
  number("ambient", ambient);
  number("noNewPrivileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  number("umask", umask(0));

  static const struct {
    const char *name;
    int resource;
  } limits[] = {{"limitCpu", RLIMIT_CPU},       {"limitData", RLIMIT_DATA},   {"limitMemory", RLIMIT_AS},
                {"limitFile", RLIMIT_FSIZE},
                {"limitFiles", RLIMIT_NOFILE}, {"limitCore", RLIMIT_CORE}};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    struct rlimit limit;
    getrlimit(limits[i].resource, &limit);
    number(limits[i].name, limit.rlim_max == limit.rlim_cur ? (long long)limit.rlim_max : -1);
  }

  list("root", "/");
  list("proc", "/proc");
  list("sys", "/sys");
  list("dev", "/dev");
  same("rootIsItsParent", "/", "/..");
  same("aboveIsRoot", "/", "/../../../../..");
  same("startsInRoot", "/", ".");
  int file = open(configuration, O_RDONLY);
  rest_of("configuration", file);
  rest_of("input", 0);
  text("configurationFile", configuration);

  opening("writeConfiguration", configuration, O_WRONLY);
  answer("removeConfiguration", unlink(configuration));
  opening("writeDev", "/dev/x", O_CREAT | O_WRONLY);
  opening("writeProc", "/proc/x", O_CREAT | O_WRONLY);
  opening("writeRoot", "/written", O_CREAT | O_WRONLY);
  opening("writeTmp", "/tmp/written", O_CREAT | O_WRONLY);
  opening("writeVolume", "/volume/written", O_CREAT | O_WRONLY);
  opening("readSecret", "/volume/secret", O_RDONLY);
  answer("changeSecret", chmod("/volume/secret", 04777));
  list("volume", "/volume");
  answer("memoryFile", syscall(SYS_memfd_create, "x", 0));
  void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  answer("sharedMemory", shared == MAP_FAILED ? -1 : 0);
  void *much = mmap(NULL, 1 << 29, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  answer("muchMemory", much == MAP_FAILED ? -1 : 0);
  answer("link", symlink("/etc/passwd", "/dev/results/link"));
  through_i386("i386", 20);
  opening("writeAuxCache", "/var/cache/x", O_CREAT | O_WRONLY);
  opening("openImageDevice", "/device", O_RDONLY);
  opening("openVolumeDevice", "/volume/device", O_RDONLY);
  answer("makeDevice", mknod("/made-device", S_IFCHR | 0666, makedev(1, 3)));
  answer("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
  answer("unmount", umount2("/dev", MNT_DETACH));
  answer("unshare", unshare(CLONE_NEWNS));
  answer("unshareUser", unshare(CLONE_NEWUSER));
  long cloned = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (cloned == 0) _exit(0);
  answer("cloneUser", cloned);
  answer("clone3", syscall(435, NULL, 0));
  answer("socket", syscall(SYS_socket, 1, 1, 0));
  answer("bpf", syscall(SYS_bpf, 0, NULL, 0));
  pid_t child = fork();
  if (child == 0) _exit(0);
  answer("fork", child);
  answer("chroot", chroot("/tmp"));
  answer("sethostname", sethostname("x", 1));
  answer("setuid", setuid(1));
  answer("ptraceParent", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
  answer("raiseLimit", setrlimit(RLIMIT_CPU, &(struct rlimit){1000, 1000}));
  number("end", 0);
  fputs("\"ok\":true}\n", out);
  return fclose(out);
}
