import { DRIVER_LIBRARIES, DRIVER_VERSION } from "../../../fixtures/host/fake-server.ts";

/** A complaint that many users have had: what they see, the command to run, and what it answers. */
export interface Complaint {
  /** The error as its program prints it: a heading of docs/troubleshooting.md. */
  readonly symptom: string;
  readonly host: "board" | "server";
  /** Shell lines that make the host that way. */
  readonly breaks: string;
  /** Arguments of nvoci. */
  readonly command: readonly string[];
  /** What the command says: among it the fix, if there is one. */
  readonly answer: string;
}

const HOOK = "/usr/bin/nvidia-container-runtime-hook";
const CUDA = `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`;
const BOARD_CUDA = "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1";

/** A daemon of this name that answers with systemd's cgroup driver and no runtime of nvoci. */
const SYSTEMD_DOCKER = "echo '{}' > /etc/docker/daemon.json; /opt/fake/dockerd >/dev/null 2>&1 & sleep 1";

/**
 * The most common complaints in the issue trackers of NVIDIA's toolkit, of docker, podman and of Jetson projects,
 * with the host that has each.
 */
export const COMPLAINTS: readonly Complaint[] = [
  {
    symptom: 'could not select device driver "" with capabilities: [[gpu]]',
    host: "server",
    breaks: `rm ${HOOK}`,
    command: ["doctor"],
    answer: `${HOOK} && systemctl restart docker\n`,
  },
  {
    symptom: "unknown or invalid runtime name: nvidia",
    host: "server",
    breaks: "echo '{}' > /etc/docker/daemon.json",
    command: ["doctor"],
    answer: "fix: nvoci configure docker && systemctl restart docker\n",
  },
  {
    symptom: "Failed to initialize NVML: Unknown Error",
    host: "server",
    breaks: SYSTEMD_DOCKER,
    command: ["doctor"],
    answer: "containers of --gpus lose their devices at each systemctl daemon-reload",
  },
  {
    symptom: "Driver/library version mismatch",
    host: "server",
    breaks: `sed -i "s/${DRIVER_VERSION}/530.30.02/" /proc/driver/nvidia/version`,
    command: ["doctor"],
    answer: "fix: reboot\n",
  },
  {
    symptom: "libcuda.so.1: cannot open shared object file: No such file or directory",
    host: "server",
    breaks: `rm ${CUDA}; ldconfig`,
    command: ["why", "libcuda.so.1"],
    answer:
      "not on the host: the host has no libcuda.so.1\n  fix: apt-get install --reinstall libnvidia-compute-535\n",
  },
  {
    symptom: "file too short",
    host: "board",
    breaks: `: > ${BOARD_CUDA}`,
    command: ["doctor"],
    answer: "fix: apt-get install --reinstall nvidia-l4t-cuda\n",
  },
  {
    symptom:
      "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) is not supported",
    host: "board",
    breaks: `rm ${HOOK}; printf '#!/bin/sh\\n' > ${HOOK}; chmod +x ${HOOK}`,
    command: ["doctor"],
    answer: `${HOOK} is not nvoci\n`,
  },
  {
    symptom: "`docker build` sees no GPU",
    host: "board",
    breaks: `sed -i '/default-runtime/d; s/},$/}/' /etc/docker/daemon.json`,
    command: ["doctor"],
    answer: "fix: nvoci configure docker --default && systemctl restart docker\n",
  },
  {
    symptom: "Cannot load libnvidia-encode.so.1",
    host: "server",
    breaks: "",
    command: ["why", "libnvidia-encode.so.1"],
    answer: "fix: docker run -e NVIDIA_DRIVER_CAPABILITIES=compute,utility,video\n",
  },
  {
    symptom: "version `GLIBC_2.34' not found",
    host: "server",
    breaks: [
      "mkdir -p /opt/image/lib /opt/lib; cd /opt/lib",
      "echo 'int new(void) { return 1; }' > c.c; echo 'GLIBC_2.31 { }; GLIBC_2.34 { new; };' > new.map",
      "gcc -shared -nostdlib -fPIC -Wl,-soname,libc.so.6 -Wl,--version-script=new.map -o libc.so.6 c.c",
      "echo 'int new(void); int cuda(void) { return new(); }' > cuda.c",
      `gcc -shared -nostdlib -fPIC -Wl,-soname,libcuda.so.1 -o ${CUDA} cuda.c ./libc.so.6`,
      "echo 'int old;' > old.c; echo 'GLIBC_2.31 { old; };' > old.map",
      "gcc -shared -nostdlib -fPIC -Wl,-soname,libc.so.6 -Wl,--version-script=old.map -o /opt/image/lib/libc.so.6 old.c",
    ].join("; "),
    command: ["why", "libcuda.so.1", "--rootfs", "/opt/image"],
    answer: "wants GLIBC_2.34; the image has GLIBC_2.31\n",
  },
  {
    symptom: "file exists",
    host: "board",
    breaks: "sed -i 's,/usr/bin/nvidia-container-runtime,/bin/true,' /etc/docker/daemon.json",
    command: ["doctor"],
    answer: "docker: the runtime nvidia is /bin/true, which is not nvoci\n",
  },
  {
    symptom: "CUDA unknown error - this may be due to an incorrectly set up environment",
    host: "server",
    breaks: "rm /dev/nvidia-uvm",
    command: ["doctor"],
    answer: "fix: nvoci system create-device-nodes\n",
  },
  {
    symptom: "unresolvable CDI devices nvidia.com/gpu=all",
    host: "server",
    breaks: "mkdir -p /etc/cdi; echo 'kind: nvidia.com/gpu' > /etc/cdi/nvidia.yaml",
    command: ["doctor"],
    answer: "fix: rm /etc/cdi/nvidia.yaml\n",
  },
  {
    symptom: "NvRmMemInitNvmap failed with Permission denied",
    host: "board",
    breaks: "chmod 0660 /dev/nvmap; chgrp 44 /dev/nvmap",
    command: ["doctor"],
    answer: "docker run --group-add 44\n",
  },
  {
    symptom: "libcudnn.so.8: cannot open shared object file: No such file or directory",
    host: "board",
    breaks: "echo x > /usr/lib/aarch64-linux-gnu/libcudnn.so.8",
    command: ["why", "libcudnn.so.8"],
    answer: "drivers.csv: lib, /usr/lib/aarch64-linux-gnu/libcudnn.so.8\n",
  },
  {
    symptom: "unsatisfied condition: cuda>=12.9",
    host: "server",
    breaks: "",
    command: ["why", "libcuda.so.1", "--env", "NVIDIA_REQUIRE_CUDA=cuda>=12.9"],
    answer: "refused: Cannot ",
  },
];
