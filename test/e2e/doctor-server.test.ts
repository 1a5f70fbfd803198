import { afterEach, expect, it } from "vitest";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  type FakeServer,
  openServer,
} from "../../fixtures/host/fake-server.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serverBundle } from "../support/engines/server-bundle.ts";
import {
  type BrokenHost,
  diagnoseHost,
  doctor,
  installation,
  mustRunOn,
} from "../support/host/broken-host.ts";

const CUDA = `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`;
const MAJOR = DRIVER_VERSION.split(".")[0];
const PACKAGE = `apt-get install --reinstall libnvidia-compute-${MAJOR}`;

/** Stands in for a program of the host. */
const stand = (name: string, lines: string): string =>
  `printf '#!/bin/sh\\nset -e\\n%s\\n' '${lines}' > /opt/stands/${name}; chmod +x /opt/stands/${name}`;

const PROC = "/proc/driver/nvidia";

const BROKEN: readonly BrokenHost[] = [
  {
    title: "the kernel modules are not loaded",
    breaks: `mv ${PROC}/version ${PROC}/gpus /root/moved/`,
    codes: ["driver-missing"],
    status: 1,
    fix: "nvoci system create-device-nodes",
    // No kernel module can be loaded here.
    stands: stand(
      "nvoci",
      `case "$1" in system) mv /root/moved/* ${PROC}/;; *) exec /usr/bin/nvoci "$@";; esac`,
    ),
  },
  {
    title: "the libraries are newer than the modules",
    breaks: `sed -i "s/${DRIVER_VERSION}/530.30.02/" ${PROC}/version`,
    codes: ["driver-mismatch"],
    status: 1,
    fix: "reboot",
    stands: stand("reboot", `sed -i "s/530.30.02/${DRIVER_VERSION}/" ${PROC}/version`),
  },
  {
    title: "libcuda is gone",
    breaks: `mv ${CUDA} /root/moved/; ldconfig`,
    codes: ["library-missing"],
    status: 1,
    fix: PACKAGE,
    stands: stand("apt-get", `mv /root/moved/* ${DRIVER_LIBRARIES}/; ldconfig`),
  },
  {
    title: "libcuda has 0 bytes",
    breaks: `cp ${CUDA} /root/moved/; : > ${CUDA}`,
    codes: ["library-empty"],
    status: 1,
    fix: PACKAGE,
    stands: stand("apt-get", `cp /root/moved/* ${DRIVER_LIBRARIES}/; ldconfig`),
  },
  {
    title: "libcuda has 0 bytes, and ldconfig has run since",
    breaks: `cp ${CUDA} /root/moved/; : > ${CUDA}; ldconfig`,
    codes: ["library-empty"],
    status: 1,
    fix: PACKAGE,
    stands: stand("apt-get", `cp /root/moved/* ${DRIVER_LIBRARIES}/; ldconfig`),
  },
  {
    title: "all libraries of the driver are gone",
    breaks: `mv ${DRIVER_LIBRARIES}/*.so.${DRIVER_VERSION} /root/moved/; ldconfig`,
    codes: ["libraries-none"],
    status: 1,
    fix: PACKAGE,
    stands: stand("apt-get", `mv /root/moved/* ${DRIVER_LIBRARIES}/; ldconfig`),
  },
  {
    title: "ld.so.cache does not list libcuda",
    breaks: `mv ${CUDA} /root/moved/; rm -f ${DRIVER_LIBRARIES}/libcuda.so.1; ldconfig; mv /root/moved/* ${DRIVER_LIBRARIES}/`,
    codes: ["library-uncached"],
    status: 1,
    fix: "ldconfig",
  },
  {
    title: "/dev/nvidia-uvm is gone, and the kernel has no number for it",
    breaks: "mv /dev/nvidia-uvm /root/moved/",
    codes: ["node-missing"],
    status: 1,
    fix: "nvoci system create-device-nodes",
    stands: stand(
      "nvoci",
      'case "$1" in system) mv /root/moved/* /dev/;; *) exec /usr/bin/nvoci "$@";; esac',
    ),
  },
  {
    title: "/dev/nvidia0 is gone, which the next start creates",
    breaks: "rm /dev/nvidia0",
    codes: ["node-later"],
    status: 0,
    fix: "nvoci system create-device-nodes",
    // The rest of what the program does needs the module nvidia-uvm.
    stands: stand("nvoci", '/usr/bin/nvoci "$@" || test "$1" = system'),
  },
  {
    title: "only root can open a GPU",
    breaks: "chmod 0600 /dev/nvidia0",
    codes: ["node-closed"],
    status: 0,
    fix: "chmod a+rw /dev/nvidia0",
  },
  {
    title: "an old CDI specification is there",
    breaks: "mkdir -p /etc/cdi; printf 'cdiVersion: 0.5.0\\nkind: nvidia.com/gpu\\n' > /etc/cdi/nvidia.yaml",
    codes: ["cdi-foreign"],
    status: 0,
    fix: "rm /etc/cdi/nvidia.yaml",
  },
  {
    title: "podman does not know nvoci",
    breaks: "rm /etc/containers/containers.conf.d/99-nvoci.conf",
    codes: ["engine-unregistered"],
    status: 0,
    fix: "nvoci configure podman",
  },
  {
    title: "containerd serves a kubelet and does not know nvoci",
    breaks: "printf '#!/bin/sh\\n' > /usr/bin/kubelet; chmod +x /usr/bin/kubelet",
    codes: ["engine-unregistered"],
    status: 0,
    fix: "nvoci configure containerd && systemctl restart containerd",
    stands: stand("systemctl", 'test "$*" = "restart containerd"'),
  },
  {
    title: "CRI-O does not know nvoci",
    breaks: "printf '#!/bin/sh\\n' > /usr/bin/crio; chmod +x /usr/bin/crio",
    codes: ["engine-unregistered"],
    status: 0,
    fix: "nvoci configure crio && systemctl restart crio",
    stands: stand("systemctl", 'test "$*" = "restart crio"'),
  },
  {
    title: "k3s was started before nvoci was installed",
    breaks: "printf '#!/bin/sh\\n' > /usr/bin/k3s; chmod +x /usr/bin/k3s",
    codes: ["k3s-unregistered"],
    status: 0,
    fix: "systemctl restart k3s",
    stands: stand(
      "systemctl",
      "mkdir -p /var/lib/rancher/k3s/agent/etc/containerd; echo nvidia-container-runtime > /var/lib/rancher/k3s/agent/etc/containerd/config.toml",
    ),
  },
];

describeBuilds([...CONTAINER, "gcc"], "nvoci doctor on a server", (build) => {
  let server: FakeServer | undefined;
  const open = async (breaks = ""): Promise<FakeServer> => {
    server = await openServer({
      more: [
        ...installation(build),
        { kind: "directory", path: "/opt/stands" },
        { kind: "directory", path: "/root/moved" },
        { kind: "directory", path: "/var/lib/moved" },
        fileEntry("/etc/os-release", 'ID=ubuntu\nID_LIKE="debian"\n'),
        fileEntry("/usr/bin/apt-get", "#!/bin/sh\nexit 1\n", 0o755),
      ],
    });
    mustRunOn(server.place, breaks);
    return server;
  };
  afterEach(() => server?.close());

  /** Expects that a program in a container calls libcuda, and that the nodes of the GPU are there. */
  const expectGpu = ({ place }: FakeServer): void => {
    const bundle = serverBundle(build);
    try {
      const script = "use-cuda; test -c /dev/nvidia0 && test -c /dev/nvidia-uvm && echo nodes";
      expect(runContainer(bundle, ["sh", "-c", script], place)).toMatchObject({
        stdout: "535\nnodes\n",
        stderr: "",
      });
    } finally {
      bundle.remove();
    }
  };

  it("finds nothing on a host that is well", async () => {
    const { place } = await open();
    expect(diagnoseHost(place)).toMatchObject({ healthy: true, status: 0, problems: [] });
    expect(doctor(place).stdout).toMatch(/\nok {4}trial: \d+ operations done/);
  });

  it.each(BROKEN)("finds the cause and the command: $title", async ({
    breaks,
    codes,
    status,
    fix,
    stands = "",
  }) => {
    const host = await open(breaks);
    const found = diagnoseHost(host.place);
    expect(found.problems.map(({ code }) => code)).toEqual(codes);
    expect(found).toMatchObject({ status, healthy: status === 0 });
    expect(found.problems[0]?.fix).toBe(fix);
    expect(doctor(host.place).stdout).toContain(`fix: ${fix}\n`);

    mustRunOn(host.place, stands);
    mustRunOn(host.place, fix);
    expect(diagnoseHost(host.place)).toMatchObject({ status: 0, problems: [] });
    expectGpu(host);
  });
});
