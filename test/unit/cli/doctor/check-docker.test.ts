import { describe, expect, it } from "vitest";
import { checkDocker } from "../../../../src/cli/doctor/check-docker.ts";
import { checkEngines } from "../../../../src/cli/doctor/check-engines.ts";
import type { Check } from "../../../../src/model/check.ts";
import { type FactsOptions, hostFacts } from "../../../support/cli/host-facts.ts";

const WRAPPER = "/usr/bin/nvidia-container-runtime";
const HOOK = `${WRAPPER}-hook`;
const INSTALLED = ["file /usr/bin/nvoci", `symlink ${WRAPPER} -> nvoci`, `symlink ${HOOK} -> nvoci`];
const REGISTERED = { nvidia: { path: WRAPPER } };
const file = (value: unknown, path = "/etc/docker/daemon.json"): string =>
  `file ${path} = ${JSON.stringify(typeof value === "string" ? value : JSON.stringify(value))}`;

/** A running dockerd: since second 1100, if the kernel runs since 1000. */
const running = (words: readonly string[] = ["/usr/bin/dockerd"], path = "/usr/sbin:/usr/bin"): string[] => [
  'file /proc/stat = "cpu 1\\nbtime 1000\\n"',
  "symlink /proc/self/ns/mnt -> mnt:[1]",
  "symlink /proc/7/ns/mnt -> mnt:[1]",
  'file /proc/7/comm = "dockerd\\n"',
  `file /proc/7/stat = "7 (docker d) S ${"1 ".repeat(18)}10000 5 6\\n"`,
  `file /proc/7/cmdline = ${JSON.stringify(`${words.join("\0")}\0`)}`,
  `file /proc/7/environ = ${JSON.stringify(`HOME=/\0PATH=${path}\0`)}`,
];
const info = (answer: object, socket = "/run/docker.sock") => ({ answers: { [`${socket} /info`]: answer } });

const problems = (options: FactsOptions): readonly string[] =>
  checkDocker(hostFacts(options))
    .filter(({ status }) => status !== "ok")
    .map(({ status, code }) => `${status} ${code}`);

describe("checkDocker()", () => {
  it("says nothing where Docker is not installed", () => {
    expect(checkDocker(hostFacts({ tree: INSTALLED }))).toEqual([]);
  });

  it.each([
    ["{}"],
    [""],
    ['{"runtimes": null}'],
    ['{"runtimes": {"nvidia": {"path": 1}}}'],
  ])("warns that %j does not register the runtime, while the hook works", (content) => {
    expect(problems({ tree: [...INSTALLED, file(content)] })).toEqual(["warn docker-runtime-unregistered"]);
  });

  it.each(["{", "null", "[]", "1"])("fails for %j, with which dockerd does not start", (content) => {
    expect(problems({ tree: [...INSTALLED, file(content)] })).toEqual(["fail docker-file-invalid"]);
  });

  it("accepts repeated keys, as dockerd does", () => {
    const twice = `{"debug": true, "debug": false, "runtimes": ${JSON.stringify(REGISTERED)}}`;
    expect(problems({ tree: [...INSTALLED, file(twice)] })).toEqual([]);
  });

  it("fails where neither the runtime nor the hook works", () => {
    expect(problems({ tree: ["file /usr/bin/dockerd", "file /usr/bin/nvoci"] })).toEqual([
      "fail docker-runtime-unregistered",
      "fail hook-missing",
    ]);
  });

  it("believes the daemon's answer, not its file", () => {
    const tree = [...INSTALLED, file({ runtimes: REGISTERED }), ...running()];
    expect(problems({ tree, ...info({ Runtimes: { runc: {} } }) })).toEqual(["warn docker-runtime-unloaded"]);
    expect(problems({ tree, ...info({ Runtimes: REGISTERED }) })).toEqual([]);
    const other = { nvidia: { path: "/usr/bin/old" } };
    const replaced = [...tree, "file /usr/bin/old"];
    expect(problems({ tree: replaced, ...info({ Runtimes: other }) })).toEqual([
      "warn docker-runtime-foreign",
    ]);
  });

  it("recognizes a default runtime that the daemon has not read", () => {
    const tree = [...INSTALLED, file({ runtimes: REGISTERED, "default-runtime": "nvidia" }), ...running()];
    const answer = (name: string) => info({ Runtimes: REGISTERED, DefaultRuntime: name });
    expect(problems({ tree, ...answer("runc") })).toEqual(["warn docker-runtime-unloaded"]);
    expect(problems({ tree, ...answer("nvidia") })).toEqual([]);
  });

  it("takes the file, the socket and PATH from the running daemon", () => {
    const words = ["/usr/bin/dockerd", "--config-file=/srv/d.json", "-H", "unix:///srv/d.sock"];
    const tree = [
      "file /opt/bin/nvoci",
      "symlink /opt/bin/nvidia-container-runtime -> nvoci",
      "symlink /opt/bin/nvidia-container-runtime-hook -> nvoci",
      file({ runtimes: {} }, "/srv/d.json"),
      ...running(words, "/opt/bin"),
    ];
    const answer = info({ Runtimes: { nvidia: { path: "nvidia-container-runtime" } } }, "/srv/d.sock");
    expect(problems({ tree, ...answer })).toEqual([]);
    expect(checkDocker(hostFacts({ tree }))).toContainEqual(
      expect.objectContaining({
        code: "docker-runtime-unregistered",
        args: expect.objectContaining({ options: ["--config", "/srv/d.json"] }),
      }),
    );
  });

  it("compares the hook's age with the daemon's start", () => {
    const tree = [...INSTALLED, file({ runtimes: REGISTERED }), ...running()];
    expect(problems({ tree, changed: { [HOOK]: 1090 } })).toEqual([]);
    expect(problems({ tree, changed: { [HOOK]: 1101 } })).toEqual([]);
    expect(problems({ tree, changed: { [HOOK]: 1200 } })).toEqual(["warn docker-hook-unseen"]);
  });

  it("ignores a dockerd of another host on the same kernel", () => {
    const others = running().map((line) =>
      line.replace("/proc/7/ns/mnt -> mnt:[1]", "/proc/7/ns/mnt -> mnt:[2]"),
    );
    const tree = [...INSTALLED, file({ runtimes: REGISTERED }), ...others];
    expect(problems({ tree, changed: { [HOOK]: 1200 }, ...info({ Runtimes: {} }) })).toEqual([]);
  });

  it("ignores a dockerd of another user, who could name any file and socket", () => {
    const words = ["/usr/bin/dockerd", "--config-file=/home/a/d.json", "-H", "unix:///home/a/sock"];
    const tree = [
      ...INSTALLED,
      file({ runtimes: REGISTERED }),
      "dir /proc/7 0555 1000:1000",
      ...running(words),
    ];
    const answer = info({ Runtimes: {} }, "/home/a/sock");
    expect(problems({ tree, ...answer })).toEqual([]);
    const root = tree.map((line) => line.replace("1000:1000", "0:0"));
    expect(problems({ tree: root, ...answer })).toEqual(["warn docker-runtime-unregistered"]);
  });

  it("knows the files and commands of a snap and of a rootless daemon", () => {
    const restart = (checks: readonly Check[]) =>
      checks.flatMap(({ args }) => ("restart" in args ? [args.restart] : []));
    const snap = "/var/snap/docker/current/config/daemon.json";
    const ofSnap = checkDocker(hostFacts({ tree: [...INSTALLED, file({}, snap)] }));
    expect(ofSnap[0]).toMatchObject({ args: { options: ["--config", snap] } });
    expect(restart(ofSnap)).toEqual(["snap restart docker"]);
    const environ = ["DOCKER_HOST=unix:///run/user/1000/docker.sock", "HOME=/home/a"];
    const rootless = checkDocker(hostFacts({ tree: INSTALLED, environ }));
    expect(rootless[0]).toMatchObject({
      args: { options: ["--config", "/home/a/.config/docker/daemon.json"] },
    });
    expect(restart(rootless)).toEqual(["systemctl --user restart docker"]);
  });

  it("warns that containers of --gpus lose their devices under systemd's cgroup driver", () => {
    const answer = info({ Runtimes: {}, CgroupDriver: "systemd" });
    const tree = [...INSTALLED, file({}), ...running()];
    expect(problems({ tree, ...answer })).toEqual([
      "warn docker-runtime-unregistered",
      "warn docker-cgroup-systemd",
    ]);
    const well = info({ Runtimes: REGISTERED, CgroupDriver: "systemd" });
    expect(problems({ tree: [...INSTALLED, file({ runtimes: REGISTERED }), ...running()], ...well })).toEqual(
      [],
    );
  });

  it("wants the default runtime on a board, for docker build", () => {
    const board = { platform: { kind: "tegra", release: undefined } } as const;
    const tree = [...INSTALLED, file({ runtimes: REGISTERED })];
    expect(problems({ tree, ...board })).toEqual(["warn docker-not-default"]);
    expect(problems({ tree })).toEqual([]);
    const isDefault = [...INSTALLED, file({ runtimes: REGISTERED, "default-runtime": "nvidia" })];
    expect(problems({ tree: isDefault, ...board })).toEqual([]);
    expect(problems({ tree: [...INSTALLED, file({ "default-runtime": "io.containerd.runc.v2" })] })).toEqual([
      "warn docker-runtime-unregistered",
    ]);
  });
});

describe("checkEngines()", () => {
  const codes = (tree: readonly string[]) => checkEngines(hostFacts({ tree })).map(({ code }) => code);

  it("says that there is no engine", () => expect(codes([])).toEqual(["engines-none"]));

  it("does not take docker's own containerd for an engine of the user", () => {
    const tree = ["file /usr/bin/dockerd", "file /usr/bin/containerd"];
    expect(codes(tree)).not.toContain("engine-unregistered");
    expect(codes([...tree, "file /usr/bin/kubelet"])).toContain("engine-unregistered");
    expect(codes(["file /usr/bin/containerd"])).toEqual(["engine-unregistered"]);
  });

  it.each([
    'file /etc/containers/containers.conf.d/99-nvoci.conf = "nvidia = [\\"/usr/bin/nvidia-container-runtime\\"]"',
    'file /usr/share/containers/oci/hooks.d/oci-nvoci-prestart.json = "{\\"path\\": \\"/usr/bin/nvoci\\"}"',
  ])("finds podman's registration in %s", (line) => {
    expect(codes(["file /usr/bin/podman", line])).toEqual(["engine-registered"]);
    expect(codes(["file /usr/bin/podman"])).toEqual(["engine-unregistered"]);
  });

  it("compares the file's age with the start of containerd and CRI-O", () => {
    const path = "/etc/crio/crio.conf.d/99-nvoci.toml";
    const daemon = running().map((line) => line.replace("dockerd\\n", "crio\\n"));
    const tree = [
      "file /usr/bin/crio",
      `file ${path} = "runtime_path = /usr/bin/nvidia-container-runtime"`,
      ...daemon,
    ];
    const code = (changed: number, lines = tree) =>
      checkEngines(hostFacts({ tree: lines, changed: { [path]: changed } }))[0]?.code;
    expect(code(1090)).toBe("engine-registered");
    expect(code(1200)).toBe("engine-unread");
    expect(code(1200, tree.slice(0, 2))).toBe("engine-registered");
  });

  it("warns about CDI specifications of others", () => {
    expect(codes(['file /etc/cdi/nvidia.yaml = "kind: nvidia.com/gpu"'])).toEqual(["cdi-foreign"]);
    expect(codes(['file /etc/cdi/nvidia.yaml = "hookName: /usr/bin/nvoci"'])).toEqual(["engines-none"]);
  });
});
