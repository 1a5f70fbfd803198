import { afterEach, expect, it } from "vitest";
import { ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  type BrokenHost,
  diagnoseHost,
  doctor,
  installation,
  mustRunOn,
} from "../support/host/broken-host.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";

const MANIFESTS = "/etc/nvidia-container-runtime/host-files-for-container.d";
const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia";
const CUDA = `${DRIVER}/libcuda.so.1.1`;
const CONFIG = "/etc/nvidia-container-runtime/config.toml";

/** As JetPack 6 has them: devices in one file, everything else in the other. */
const isDevice = (line: string): boolean => line.startsWith("dev,");
const LINES = ORIN_MANIFEST.split("\n");
const SPLIT = {
  "devices.csv": LINES.filter(isDevice).join("\n"),
  "drivers.csv": LINES.filter((line) => !isDevice(line)).join("\n"),
};

/** Stands in for apt-get: prints nothing, and puts back what the test has moved away. */
const packages = (lines: string): string =>
  `mkdir -p /opt/stands; printf '#!/bin/sh\\nset -e\\n%s\\n' '${lines}' > /opt/stands/apt-get; chmod +x /opt/stands/apt-get`;
const edits = (lines: string): string =>
  `mkdir -p /opt/stands; printf '#!/bin/sh\\nset -e\\n%s\\n' '${lines}' > /opt/stands/sudoedit; chmod +x /opt/stands/sudoedit`;

const BROKEN: readonly BrokenHost[] = [
  {
    title: "drivers.csv is gone, devices.csv is there",
    breaks: `mv ${MANIFESTS}/drivers.csv /root/`,
    codes: ["library-unlisted", "library-unlisted"],
    status: 1,
    fix: "apt-get install --reinstall nvidia-l4t-init",
    stands: packages(`mv /root/drivers.csv ${MANIFESTS}/`),
  },
  {
    title: "libcuda.so.1.1 is listed and missing",
    breaks: `mv ${CUDA} /root/`,
    codes: ["library-missing"],
    status: 1,
    fix: "apt-get install --reinstall nvidia-l4t-cuda",
    stands: packages(`mv /root/libcuda.so.1.1 ${DRIVER}/`),
  },
  {
    title: "libcuda has 0 bytes",
    breaks: `cp ${CUDA} /root/; : > ${CUDA}`,
    codes: ["library-empty"],
    status: 1,
    fix: "apt-get install --reinstall nvidia-l4t-cuda",
    stands: packages(`cp /root/libcuda.so.1.1 ${DRIVER}/`),
  },
  {
    title: "libcuda is not a library",
    breaks: `cp ${CUDA} /root/; echo "<html>404" > ${CUDA}`,
    codes: ["library-damaged"],
    status: 1,
    fix: "apt-get install --reinstall nvidia-l4t-cuda",
    stands: packages(`cp /root/libcuda.so.1.1 ${DRIVER}/`),
  },
  {
    title: "the nodes of the GPU and nvmap are gone",
    breaks: "mkdir /root/dev; mv /dev/nvmap /dev/nvhost-ctrl-gpu /root/dev/; mv /dev/nvgpu /root/dev/",
    codes: ["node-missing", "node-missing"],
    status: 1,
    fix: "modprobe nvgpu",
    stands: `mkdir -p /opt/stands; printf '#!/bin/sh\\nmv /root/dev/* /dev/\\n' > /opt/stands/modprobe; chmod +x /opt/stands/modprobe`,
  },
  {
    title: "the release file is of R32, the manifests are of R36",
    breaks: `cp /etc/nv_tegra_release /root/; sed -i "s/R36/R32/" /etc/nv_tegra_release`,
    codes: ["release-mismatch"],
    status: 0,
    fix: "apt-get install --reinstall nvidia-l4t-init",
    stands: packages("cp /root/nv_tegra_release /etc/"),
  },
  {
    title: "the release file is gone",
    breaks: "mv /etc/nv_tegra_release /root/",
    codes: ["release-missing"],
    status: 0,
    fix: "apt-get install --reinstall nvidia-l4t-core",
    stands: packages("mv /root/nv_tegra_release /etc/"),
  },
  {
    title: "there are no manifests",
    breaks: `mv ${MANIFESTS} /root/`,
    codes: ["manifests-none"],
    status: 1,
    fix: "apt-get install --reinstall nvidia-l4t-init",
    stands: packages(`mv /root/host-files-for-container.d /etc/nvidia-container-runtime/`),
  },
  {
    title: "every user may write to the directory of manifests",
    breaks: `chmod o+w ${MANIFESTS}`,
    codes: ["manifests-writable"],
    status: 1,
    fix: `chmod o-w ${MANIFESTS}`,
  },
  {
    title: "every user may write to one manifest",
    breaks: `chmod o+w ${MANIFESTS}/drivers.csv`,
    codes: ["manifests-writable"],
    status: 1,
    fix: `chmod o-w ${MANIFESTS}/drivers.csv`,
  },
  {
    title: "a manifest has bad lines",
    breaks: `cp ${MANIFESTS}/drivers.csv /root/; echo "library /usr/lib/x" >> ${MANIFESTS}/drivers.csv; echo "lib, x" >> ${MANIFESTS}/drivers.csv`,
    codes: ["manifest-lines"],
    status: 0,
    fix: "nvoci manifest lint",
    stands: `cp /root/drivers.csv ${MANIFESTS}/`,
  },
  {
    title: "config.toml has a bad value",
    breaks: `echo 'accept-nvidia-visible-devices-as-volume-mounts = "yes"' > ${CONFIG}`,
    codes: ["config-invalid"],
    status: 1,
    fix: `sudoedit ${CONFIG}`,
    stands: edits('rm "$1"'),
  },
  {
    title: "config.toml has an unknown key",
    breaks: `printf '[nvoci]\\nldconfg = true\\n' > ${CONFIG}`,
    codes: ["config-key-unknown"],
    status: 0,
    fix: `sudoedit ${CONFIG}`,
    stands: edits('rm "$1"'),
  },
];

describeBuilds([...CONTAINER], "nvoci doctor on a board", (build) => {
  let jetson: Jetson | undefined;
  const open = async (breaks = ""): Promise<Jetson> => {
    // A stand-in for the package manager makes the doctor name Debian's packages, on whatever machine this runs.
    const manager = fileEntry("/usr/bin/apt-get", "#!/bin/sh\nexit 1\n", 0o755);
    const root = { kind: "directory", path: "/opt/stands" } as const;
    jetson = await openJetson({
      manifests: SPLIT,
      more: [...installation(build), manager, root, { kind: "directory", path: "/root/moved" }],
    });
    mustRunOn(jetson.place, breaks);
    return jetson;
  };
  afterEach(() => jetson?.close());

  /** Expects that a container has libcuda and can be given nvmap. */
  const expectGpu = ({ place }: Jetson): void => {
    const bundle = askingBundle(build);
    try {
      const { stdout, stderr } = runContainer(
        bundle,
        ["sh", "-c", `wc -c < ${CUDA}; test -c /dev/nvmap && echo node`],
        place,
      );
      expect(stderr).toBe("");
      expect(stdout).toMatch(/^[1-9]\d*\nnode\n$/);
    } finally {
      bundle.remove();
    }
  };

  it("finds nothing on a host that is well", async () => {
    const { place } = await open();
    expect(diagnoseHost(place)).toMatchObject({ healthy: true, status: 0, problems: [] });
    expect(doctor(place).stdout).toMatch(/\nhealthy: \d+ checks, 0 warnings\n$/);
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
    mustRunOn(host.place, `${fix} || test "${fix}" = "nvoci manifest lint"`);
    expect(diagnoseHost(host.place)).toMatchObject({ status: 0, problems: [] });
    expectGpu(host);
  });

  it("says where a misspelled key belongs, once", async () => {
    const { place } = await open(`printf '[nvoci]\\nldconfg = true\\n' > ${CONFIG}`);
    const { stdout } = doctor(place);
    expect(stdout.split("ldconfg")).toHaveLength(2);
    expect(stdout).toContain("did you mean nvoci.ldconfig?");
  });

  it("does not call a host well for a user who cannot read a manifest", async () => {
    const { place } = await open(`chmod 0600 ${MANIFESTS}/drivers.csv`);
    const { stdout, status } = place.run([
      "setpriv",
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "nvoci",
      "doctor",
    ]);
    expect(status).toBe(1);
    expect(stdout).toContain(`fail  manifests: ${MANIFESTS}/drivers.csv cannot be read\n`);
    expect(stdout).toContain("fix: sudo nvoci doctor\n");
    expect(diagnoseHost(place)).toMatchObject({ status: 0, problems: [] });
  });

  it("names a manifest that is not read by design, and how to have it read", async () => {
    const { place } = await open(`cp ${MANIFESTS}/drivers.csv ${MANIFESTS}/cuda.csv`);
    const { stdout, status } = doctor(place);
    expect(status).toBe(0);
    expect(stdout).toMatch(/ok {4}cuda\.csv: .*csv-mounts/);
  });

  it("changes nothing on the host", async () => {
    const { place, host } = await open();
    doctor(place);
    expect(host.changes()).toEqual([]);
  });
});
