import type { Command } from "../model/check.ts";
import { counted, showPath } from "./text.ts";
import { type CheckWording, split } from "./words-for-checks.ts";

const configure = (options: Command): Command => ["nvoci", "configure", "docker", ...options];

/** The words of results about container engines and single containers. */
export const ENGINE_WORDS = {
  "hook-found": ({ path }) => ({ text: `docker: --gpus uses ${showPath(path)}` }),
  "hook-missing": ({ path, program }) => ({
    text: `docker: ${path} is missing`,
    means: 'docker run --gpus fails: could not select device driver "" with capabilities: [[gpu]]',
    fix: [
      ["ln", "-s", program, path],
      ["systemctl", "restart", "docker"],
    ],
  }),
  "hook-foreign": ({ path, real, program }) => ({
    text: `docker: ${showPath(path)}${real === path ? "" : ` (${showPath(real)})`} is not nvoci`,
    means: "docker run --gpus runs another hook, whatever nvoci's configuration says",
    fix: [["ln", "-sf", program, path]],
  }),

  "engines-none": () => ({ text: "engines: no container engine is installed" }),
  "docker-file-invalid": ({ file, reason }) => ({
    text: `docker: ${showPath(file)}: ${reason}`,
    means: "dockerd does not start with it",
    fix: [["sudoedit", file]],
  }),
  "docker-default-unknown": ({ file, name }) => ({
    text: `docker: ${showPath(file)} makes ${name} the default runtime, which it does not define`,
    means: "dockerd does not start with it",
    fix: [["sudoedit", file]],
  }),
  "docker-runtime": ({ file, path, isDefault, isAsked }) => ({
    text: `docker: ${isAsked ? "dockerd" : showPath(file)} knows the runtime nvidia as ${showPath(path)}${isDefault ? ", the default" : ""}`,
  }),
  "docker-runtime-unregistered": ({ file, options, restart }) => ({
    text: `docker: ${showPath(file)} does not register the runtime nvidia`,
    means: "docker run --runtime nvidia fails: unknown or invalid runtime name: nvidia",
    fix: [configure(options), split(restart)],
  }),
  "docker-runtime-broken": ({ file, path, options, restart }) => ({
    text: `docker: ${showPath(file)} registers the runtime nvidia as ${showPath(path)}, which does not exist`,
    means: "containers of that runtime do not start",
    fix: [configure(options), split(restart)],
  }),
  "docker-runtime-foreign": ({ path, options, restart }) => ({
    text: `docker: the runtime nvidia is ${showPath(path)}, which is not nvoci`,
    means: "nvoci does nothing for containers of that runtime",
    fix: [configure(options), split(restart)],
  }),
  "docker-runtime-unloaded": ({ file }) => ({
    text: `docker: dockerd has not read ${showPath(file)} since the runtime nvidia was registered`,
    means: "docker run --runtime nvidia fails, or uses what was registered before",
    fix: [["systemctl", "reload", "docker"]],
  }),
  "docker-not-default": ({ options, restart }) => ({
    text: "docker: the runtime nvidia is not the default one",
    means: "docker build has no GPU; docker run needs --runtime nvidia or --gpus all",
    fix: [configure(options), split(restart)],
  }),
  "docker-hook-unseen": ({ path, restart }) => ({
    text: `docker: ${showPath(path)} is newer than the running dockerd, which looks for it only when it starts`,
    means:
      'if it was not there before, docker run --gpus fails: could not select device driver "" with capabilities: [[gpu]]',
    fix: [split(restart)],
  }),
  "docker-cgroup-systemd": () => ({
    text: "docker: containers of --gpus lose their devices at each systemctl daemon-reload",
    means: "the runtime nvidia keeps them: Failed to initialize NVML: Unknown Error",
    fix: [["nvoci", "configure", "docker"]],
  }),
  "docker-builds": ({ version }) => ({
    text: `docker: docker build has the driver with DOCKER_BUILDKIT=0; BuildKit${version === undefined ? "" : `, the default since 23 (this is ${version}),`} does not use the default runtime`,
  }),
  "cdi-foreign": ({ path }) => ({
    text: `CDI: ${showPath(path)} describes the GPUs without nvoci`,
    means:
      "podman and docker 28.2 or newer take GPUs from it, and it is stale after an update of the driver: unresolvable CDI devices",
    fix: [["rm", path]],
  }),
  "engine-registered": ({ engine, file }) => ({ text: `${engine}: registered in ${showPath(file)}` }),
  "engine-unregistered": ({ engine, restart }) => ({
    text: `${engine}: nvoci is not registered`,
    means: "its containers get no GPU",
    fix: [["nvoci", "configure", engine], ...(restart === undefined ? [] : [split(restart)])],
  }),
  "engine-unread": ({ engine, file, restart }) => ({
    text: `${engine}: it runs since before ${showPath(file)} was changed`,
    means: "it reads the file only when it starts, so its containers may get no GPU",
    fix: [split(restart)],
  }),
  "k3s-unregistered": () => ({
    text: "k3s: it has no runtime nvidia, which it registers itself when it finds nvidia-container-runtime at its start",
    fix: [["systemctl", "restart", "k3s"]],
  }),

  "container-found": ({ id, pid, given }) => ({
    text: `container: ${showPath(id)} (process ${pid}) would get ${counted(given, "file, link or device", "files, links and devices")} now`,
  }),
  "container-asks-nothing": ({ id, nearMiss }) => ({
    text: `container: ${showPath(id)} does not request GPUs${nearMiss === undefined ? "" : `; it sets ${showPath(nearMiss)}, which nothing reads`}`,
    means: "start it with --gpus all, or with --runtime nvidia and -e NVIDIA_VISIBLE_DEVICES=all",
  }),
  "container-lacks": ({ path }) => ({
    text: `container: it has no ${showPath(path)}`,
    means: "it was started without nvoci, or before the host had it; start it again",
  }),
  "container-stale": ({ path, version }) => ({
    text: `container: ${showPath(path)} is not of the running driver ${version}`,
    means: "the driver was updated since its start: Driver/library version mismatch; start it again",
  }),
  "container-complete": ({ given }) => ({
    text: `container: it has all ${counted(given, "file, link or device", "files, links and devices")}`,
  }),
} satisfies Partial<CheckWording>;
