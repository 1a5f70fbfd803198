/*
 * Prints the device programs that are attached to a cgroup v2 directory, one per line: id and tag, which is the
 * kernel's hash of the instructions. See bpf(2).
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_PROGRAMS 64

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof *attr);
}

static int print_program(uint32_t id)
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	size_t at;
	int fd;

	memset(&attr, 0, sizeof attr);
	attr.prog_id = id;
	fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return -1;
	memset(&info, 0, sizeof info);
	memset(&attr, 0, sizeof attr);
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof info;
	attr.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0)
		return -1;
	close(fd);
	printf("%u ", id);
	for (at = 0; at < sizeof info.tag; at++)
		printf("%02x", info.tag[at]);
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t ids[MOST_PROGRAMS], at;
	union bpf_attr attr;
	int cgroup = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

	if (cgroup < 0) {
		perror("open");
		return 1;
	}
	memset(&attr, 0, sizeof attr);
	attr.query.target_fd = cgroup;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = MOST_PROGRAMS;
	if (bpf(BPF_PROG_QUERY, &attr) < 0) {
		perror("BPF_PROG_QUERY");
		return 1;
	}
	for (at = 0; at < attr.query.prog_cnt; at++) {
		if (print_program(ids[at]) < 0) {
			perror("device program");
			return 1;
		}
	}
	return 0;
}
