import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { compileCuda, type FakeServer, openServer } from "../../fixtures/host/fake-server.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type Docker, startDocker } from "../support/engines/docker.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  type BrokenHost,
  diagnoseHost,
  doctor,
  installation,
  mustRunOn,
} from "../support/host/broken-host.ts";
import { type Jetson, openJetson } from "../support/host/jetson.ts";

const FILE = "/etc/docker/daemon.json";
const WRAPPER = "/usr/bin/nvidia-container-runtime";
const HOOK = `${WRAPPER}-hook`;
const RESTART = "systemctl restart docker";

const stand = (name: string, lines: string): string =>
  `printf '#!/bin/sh\\nset -e\\n%s\\n' '${lines}' > /opt/stands/${name}; chmod +x /opt/stands/${name}`;
const write = (text: string): string => `cp ${FILE} /opt/stands/; printf '%s' '${text}' > ${FILE}`;
const EDITOR = stand("sudoedit", "cp /opt/stands/daemon.json $1");
const registered = (path: string): string =>
  JSON.stringify({ runtimes: { nvidia: { path } }, "default-runtime": "nvidia" });

const BROKEN: readonly BrokenHost[] = [
  {
    title: "the runtime is not registered",
    breaks: write("{}"),
    codes: ["docker-runtime-unregistered"],
    status: 0,
    fix: `nvoci configure docker --default && ${RESTART}`,
  },
  {
    title: "neither the runtime nor the hook is there",
    breaks: `${write("{}")}; rm ${HOOK}`,
    codes: ["docker-runtime-unregistered", "hook-missing"],
    status: 1,
    fix: `nvoci configure docker --default && ${RESTART}`,
    stands: `ln -s nvoci ${HOOK}`,
  },
  {
    title: "the runtime is not the default one",
    breaks: write(JSON.stringify({ runtimes: { nvidia: { path: WRAPPER } } })),
    codes: ["docker-not-default"],
    status: 0,
    fix: `nvoci configure docker --default && ${RESTART}`,
  },
  {
    title: "the default runtime is misspelled",
    breaks: write(JSON.stringify({ runtimes: { nvidia: { path: WRAPPER } }, "default-runtime": "nvdia" })),
    codes: ["docker-default-unknown"],
    status: 1,
    fix: `sudoedit ${FILE}`,
    stands: EDITOR,
  },
  {
    title: "daemon.json is not JSON",
    breaks: write('{\n "runtimes": {},\n}'),
    codes: ["docker-file-invalid"],
    status: 1,
    fix: `sudoedit ${FILE}`,
    stands: EDITOR,
  },
  {
    title: "the runtime's program does not exist",
    breaks: write(registered("/usr/bin/gone")),
    codes: ["docker-runtime-broken"],
    status: 1,
    fix: `nvoci configure docker --default && ${RESTART}`,
  },
  {
    title: "the runtime is another program",
    breaks: write(registered("/bin/true")),
    codes: ["docker-runtime-foreign"],
    status: 0,
    fix: `nvoci configure docker --default && ${RESTART}`,
  },
  {
    title: "the hook is another program",
    breaks: `rm ${HOOK}; printf '#!/bin/sh\\n' > ${HOOK}; chmod +x ${HOOK}`,
    codes: ["hook-foreign"],
    status: 0,
    fix: `ln -sf /usr/bin/nvoci ${HOOK}`,
  },
  {
    title: "the hook is missing",
    breaks: `rm ${HOOK}`,
    codes: ["hook-missing"],
    status: 0,
    fix: `ln -s /usr/bin/nvoci ${HOOK} && ${RESTART}`,
  },
];

describeBuilds([...CONTAINER, "dockerd"], "nvoci doctor about docker's files", (build) => {
  let jetson: Jetson | undefined;
  const open = async (breaks = ""): Promise<Jetson> => {
    const root = { kind: "directory", path: "/opt/stands" } as const;
    jetson = await openJetson({ more: [...installation(build), root] });
    mustRunOn(jetson.place, `${stand("systemctl", `test "$*" = "restart docker"`)}; ${breaks}`);
    return jetson;
  };
  afterEach(() => jetson?.close());

  it.each(BROKEN)("finds the cause and the command: $title", async ({
    breaks,
    codes,
    status,
    fix,
    stands = "",
  }) => {
    const { place } = await open(breaks);
    const found = diagnoseHost(place);
    expect(found.problems.map(({ code }) => code)).toEqual(codes);
    expect(found.status).toBe(status);
    // The program's own path depends on the build.
    expect(found.problems[0]?.fix?.replace(build.path, "/usr/bin/nvoci")).toBe(fix);
    mustRunOn(place, stands);
    mustRunOn(place, fix);
    expect(diagnoseHost(place)).toMatchObject({ status: 0, problems: [] });
  });

  it("names the line of a daemon.json that is not JSON", async () => {
    const { place } = await open(write('{\n "runtimes": {},\n}'));
    expect(doctor(place).stdout).toContain(`${FILE}: line 3, column 1 is not JSON\n`);
  });

  it("says that BuildKit does not use the default runtime", async () => {
    const { place } = await open();
    expect(doctor(place).stdout).toContain("DOCKER_BUILDKIT=0");
  });
});

describeBuilds([...CONTAINER, "dockerd", "gcc"], "nvoci doctor about a running dockerd", (build) => {
  let server: FakeServer;
  let made: TemporaryDirectory;
  let engine: Docker | undefined;
  const rootfs = (): string => join(made.path, "rootfs");
  const start = async (): Promise<Docker> => {
    engine = await startDocker(server.place, { configFile: FILE });
    engine.importImage("image", rootfs());
    return engine;
  };
  /** Stands in for systemd: sends the signal of a reload. */
  const reload = stand("systemctl", `test "$*" = "reload docker"; kill -HUP $(cat /opt/stands/pid); sleep 1`);
  const notePid = (): void => {
    const own = `readlink /proc/self/ns/mnt`;
    const line = `for p in $(pgrep -x dockerd); do test "$(readlink /proc/$p/ns/mnt)" != "$(${own})" || echo $p; done > /opt/stands/pid`;
    mustRunOn(server.place, line);
  };

  beforeAll(() => {
    made = temporaryDirectory("doctor-docker");
    mkdirSync(rootfs());
    makeRootfs(rootfs(), "debian");
    copyFileSync(compileCuda().program, join(rootfs(), "usr/bin/use-cuda"));
  });
  afterEach(async () => {
    await engine?.close();
    engine = undefined;
    server?.close();
  });
  afterAll(() => made?.remove());

  const open = async (breaks: string): Promise<void> => {
    const root = { kind: "directory", path: "/opt/stands" } as const;
    server = await openServer({ more: [...installation(build), root, fileEntry("/opt/stands/none", "")] });
    mustRunOn(server.place, breaks);
  };

  describe("that was started before", () => {
    it("the runtime was registered: the fix is a reload", async () => {
      await open(write("{}"));
      const docker = await start();
      mustRunOn(
        server.place,
        `cp /opt/stands/daemon.json ${FILE}; sed -i '/default-runtime/d; s/},$/}/' ${FILE}`,
      );
      const run = () =>
        docker.run("image", ["use-cuda"], ["--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=all"]);
      expect(run().stderr).toMatch(/[Uu]nknown (or invalid )?runtime/);
      const found = diagnoseHost(server.place);
      expect(found.problems).toMatchObject([
        { code: "docker-runtime-unloaded", fix: "systemctl reload docker" },
      ]);

      notePid();
      mustRunOn(server.place, `${reload}; systemctl reload docker`);
      expect(diagnoseHost(server.place).problems).toEqual([]);
      expect(run()).toMatchObject({ status: 0, stdout: "535\n" });
    });

    it("the hook was installed: the fix is a restart", async () => {
      await open(`rm ${HOOK}`);
      const docker = await start();
      mustRunOn(server.place, `sleep 4; ln -s nvoci ${HOOK}`);
      const run = (client: Docker) => client.run("image", ["use-cuda"], ["--gpus=all", "--runtime=runc"]);
      expect(run(docker).stderr).toContain("could not select device driver");
      const found = diagnoseHost(server.place);
      expect(found.problems).toMatchObject([{ code: "docker-hook-unseen", fix: "systemctl restart docker" }]);

      await docker.close();
      const restarted = await start();
      expect(diagnoseHost(server.place).problems).toEqual([]);
      expect(run(restarted)).toMatchObject({ status: 0, stdout: "535\n" });
    });
  });

  it("finds a container by its name and by its id", async () => {
    await open("true");
    const docker = await start();
    const run = ["run", "--detach", "--network=none", "--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=all"];
    const { stdout: id } = docker.docker(...run, "--name=trainer", "image", "sleep", "300");
    docker.docker(
      "run",
      "--detach",
      "--network=none",
      "--runtime=runc",
      "--name=plain",
      "image",
      "sleep",
      "300",
    );
    try {
      for (const name of ["trainer", id.trim(), id.slice(0, 12)]) {
        expect(diagnoseHost(server.place, ["--container", name])).toMatchObject({ status: 0, problems: [] });
      }
      expect(diagnoseHost(server.place, ["--container", "plain"]).problems).toMatchObject([
        { code: "container-asks-nothing" },
      ]);
      const why = server.place.run([build.path, "why", "libnvidia-encode.so.1", "--container", "trainer"]);
      expect(why.stdout).toContain("capability missing: video");
    } finally {
      docker.docker("rm", "--force", "trainer", "plain");
    }
  });
});
