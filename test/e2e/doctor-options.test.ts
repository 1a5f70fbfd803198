import { afterEach, describe, expect, it } from "vitest";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  type FakeServer,
  openServer,
} from "../../fixtures/host/fake-server.ts";
import { createContainer } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serverBundle } from "../support/engines/server-bundle.ts";
import { diagnoseHost, doctor, installation, mustRunOn } from "../support/host/broken-host.ts";

const HOOK = "/usr/bin/nvidia-container-runtime-hook";
const PODMAN = "/etc/containers/containers.conf.d/99-nvoci.conf";

describeBuilds([...CONTAINER, "gcc"], "the options of nvoci doctor", (build) => {
  let server: FakeServer | undefined;
  const open = async (breaks = ""): Promise<FakeServer> => {
    server = await openServer({
      more: [...installation(build), { kind: "directory", path: "/opt/stands" }],
    });
    mustRunOn(server.place, breaks);
    return server;
  };
  afterEach(() => server?.close());

  describe("--fix", () => {
    it("shows and runs the safe commands, and leaves the others to the administrator", async () => {
      const { place } = await open(
        `rm ${HOOK} ${PODMAN}; echo "#" > /opt/stands/systemctl; chmod 0600 /dev/nvidia0`,
      );
      const { status, stdout } = doctor(place, ["--fix"]);
      expect(status).toBe(0);
      const ran = stdout.split("\n").filter((line) => /^(run|left to you|failed): /.test(line));
      expect(ran.map((line) => line.replace(build.path, "/usr/bin/nvoci"))).toEqual([
        "left to you: chmod a+rw /dev/nvidia0",
        `run: ln -s /usr/bin/nvoci ${HOOK}`,
        "left to you: systemctl restart docker",
        "run: nvoci configure podman",
      ]);
      expect(diagnoseHost(place).problems.map(({ code }) => code)).toEqual(["node-closed"]);
    });

    it("says why a command failed, and fails as before", async () => {
      const { place } = await open("rm /dev/nvidia-uvm");
      const { status, stdout } = doctor(place, ["--fix"]);
      expect(status).toBe(1);
      expect(stdout).toContain("run: nvoci system create-device-nodes\n");
      expect(stdout).toContain("\nfailed: ");
      expect(stdout).toContain("\nfail  devices: the host has no /dev/nvidia-uvm\n");
    });

    it("changes nothing on a host that is well", async () => {
      const { place, host } = await open();
      // Opening the server wrote its cache and links.
      const before = host.changes();
      expect(doctor(place, ["--fix"]).status).toBe(0);
      expect(host.changes()).toEqual(before);
    });

    it("is refused to users", async () => {
      const { place } = await open();
      const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      const { status, stderr } = place.run([...user, "nvoci", "doctor", "--fix"]);
      expect(status).toBe(1);
      expect(stderr).toContain("Cannot fix this host: it needs root");
    });
  });

  describe("the trial", () => {
    /** Runs a script on a host whose mounts are shared, and returns the mount table before and after. */
    const tables = async (script: string): Promise<readonly string[]> => {
      const { place } = await open();
      const lines = `mount --make-rshared /; cat /proc/self/mountinfo > /opt/stands/before; ${script}; cat /proc/self/mountinfo > /opt/stands/after`;
      mustRunOn(place, lines);
      return ["before", "after"].map((name) => place.run(["cat", `/opt/stands/${name}`]).stdout);
    };

    it("leaves no mount on a host whose mounts are shared", async () => {
      const [before, after] = await tables("nvoci doctor > /opt/stands/said");
      expect(server?.place.run(["cat", "/opt/stands/said"]).stdout).toMatch(/trial: \d+ operations done/);
      expect(after).toBe(before);
    });

    it("leaves none when it is killed in the middle", async () => {
      const traced = "strace -f -o /dev/null -e inject=move_mount,mount:signal=KILL:when=20 nvoci doctor";
      const kill = `${traced} > /dev/null 2>&1 && exit 1 || test $? = 137`;
      const [before, after] = await tables(kill);
      expect(after).toBe(before);
    });
  });

  it("--json prints one document with a schema, the commands and the arguments", async () => {
    const { place } = await open("rm /dev/nvidia-uvm");
    const document = JSON.parse(doctor(place, ["--json"]).stdout);
    expect(document).toMatchObject({ schema: "nvoci/doctor/1", healthy: false });
    expect(document.checks[0]).toEqual({
      code: "node-missing",
      status: "fail",
      text: "devices: the host has no /dev/nvidia-uvm",
      means: expect.any(String),
      fix: "nvoci system create-device-nodes",
      args: { path: "/dev/nvidia-uvm", alternatives: [], remedy: "create" },
    });
  });

  describe("--container", () => {
    /** Runs the doctor on a started container, after a change of the host. */
    const examine = async (
      asks: Parameters<typeof serverBundle>[1],
      change = "",
    ): Promise<{ readonly codes: readonly string[]; readonly status: number; readonly stdout: string }> => {
      const { place } = await open();
      const bundle = serverBundle(build, asks);
      const container = createContainer(bundle, undefined, place);
      try {
        container.start();
        mustRunOn(place, change);
        const { problems, status } = diagnoseHost(place, ["--container", `${container.pid}`]);
        const byId = diagnoseHost(place, ["--container", container.id]);
        expect(byId.problems.map(({ code }) => code)).toEqual(problems.map(({ code }) => code));
        const { stdout } = doctor(place, ["--container", `${container.pid}`]);
        return { codes: problems.map(({ code }) => code), status, stdout };
      } finally {
        container.delete();
        bundle.remove();
      }
    };

    it("finds nothing in a container that has everything", async () => {
      const { codes, status, stdout } = await examine({});
      expect({ codes, status }).toEqual({ codes: [], status: 0 });
      expect(stdout).toMatch(/\nok {4}container: it has all \d+ files, links and devices\n/);
    });

    it("recognizes a container that was started without nvoci", async () => {
      const { codes, status, stdout } = await examine({ hooks: {}, driverCapabilities: "utility" });
      expect(status).toBe(1);
      expect(new Set(codes)).toEqual(new Set(["container-lacks"]));
      expect(stdout).toContain(
        `fail  container: it has no ${DRIVER_LIBRARIES}/libnvidia-ml.so.${DRIVER_VERSION}\n`,
      );
    });

    it("recognizes a misspelled request", async () => {
      const { codes, stdout } = await examine({ visible: "void", env: ["NVIDIA_VISIBLE_DEVICE=all"] });
      expect(codes).toEqual(["container-asks-nothing"]);
      expect(stdout).toContain("it sets NVIDIA_VISIBLE_DEVICE=all, which nothing reads");
    });

    it("recognizes a driver that was updated since", async () => {
      const newer = "540.10.01";
      const files = `cd ${DRIVER_LIBRARIES}; for f in *.so.${DRIVER_VERSION}; do cp $f \${f%${DRIVER_VERSION}}${newer}; done`;
      const { codes, status, stdout } = await examine(
        {},
        `${files}; ldconfig; sed -i "s/${DRIVER_VERSION}/${newer}/" /proc/driver/nvidia/version`,
      );
      expect(status).toBe(1);
      expect(new Set(codes)).toEqual(new Set(["container-stale"]));
      expect(stdout).toContain(`libcuda.so.${DRIVER_VERSION} is not of the running driver ${newer}`);
    });

    it("refuses a name that no container has", async () => {
      const { place } = await open();
      const { status, stderr } = doctor(place, ["--container", "nosuch"]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/Cannot find the container "nosuch"/);
    });
  });
});
