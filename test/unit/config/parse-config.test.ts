import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";

const FILE = "/etc/nvidia-container-runtime/config.toml";

const parse = (text: string) => {
  const { value: config, findings } = collectFindings((report) => parseConfig(text, FILE, report));
  return { config, findings };
};
const configOf = (text: string) => {
  const { config, findings } = parse(text);
  expect(findings).toEqual([]);
  return config;
};
const refusal = (text: string) => {
  const error = catchError(() => parse(text));
  expect(error.code).toBe("config-invalid");
  expect(error.message.startsWith(`Cannot read "${FILE}": `)).toBe(true);
  expect(error.message).not.toMatch(/\p{Cc}/u);
  return error.message.slice(`Cannot read "${FILE}": `.length);
};

/** Every key that the NVIDIA Container Toolkit documents, with its default. */
const DEFAULTS_WRITTEN_OUT = `
#accept-nvidia-visible-devices-as-volume-mounts = false
accept-nvidia-visible-devices-as-volume-mounts = false
accept-nvidia-visible-devices-envvar-when-unprivileged = true
disable-require = false
supported-driver-capabilities = "compat32,compute,display,graphics,ngx,utility,video"
swarm-resource = ""

[features]
allow-cuda-compat-libs-from-container = false
allow-ldconfig-from-container = false
allow-unknown-oci-spec-fields = false
disable-cuda-compat-lib-hook = false
disable-imex-channel-creation = false
ignore-imex-channel-requests = false
no-additional-gids-for-device-nodes = false

[nvidia-container-cli]
debug = ""
environment = []
ldcache = ""
ldconfig = "@/sbin/ldconfig.real"
load-kmods = true
no-cgroups = false
no-pivot = false
path = ""
root = ""
user = ""

[nvidia-container-runtime]
debug = ""
log-level = "info"
mode = "auto"
runtimes = ["runc", "crun"]

[nvidia-container-runtime.modes.cdi]
annotation-prefixes = ["cdi.k8s.io/"]
default-kind = "nvidia.com/gpu"
spec-dirs = ["/etc/cdi", "/var/run/cdi"]

[nvidia-container-runtime.modes.csv]
compat-container-root = ""
mount-spec-path = "/etc/nvidia-container-runtime/host-files-for-container.d"

[nvidia-container-runtime.modes.jit-cdi]
load-kernel-modules = ["nvidia", "nvidia-uvm", "nvidia-modeset"]
nvcdi-disable-hooks = []
nvcdi-feature-flags = []

[nvidia-container-runtime.modes.legacy]
cuda-compat-mode = "ldconfig"

[nvidia-container-runtime-hook]
path = "nvidia-container-runtime-hook"
skip-mode-detection = false

[nvidia-ctk]
path = "nvidia-ctk"
`;

describe("parseConfig()", () => {
  it("returns the defaults for an empty file", () => {
    expect(configOf("")).toEqual(DEFAULT_CONFIG);
    expect(configOf("\ufeff# nothing\r\n[nvidia-container-cli]\r\n")).toEqual(DEFAULT_CONFIG);
  });

  it("accepts every key of the toolkit and has the same defaults", () => {
    expect(configOf(DEFAULTS_WRITTEN_OUT)).toEqual(DEFAULT_CONFIG);
  });

  it("reads every key that has an effect", () => {
    const config = configOf(`
accept-nvidia-visible-devices-as-volume-mounts = true
accept-nvidia-visible-devices-envvar-when-unprivileged = false
disable-require = true
supported-driver-capabilities = "video, compute"
swarm-resource = "DOCKER_RESOURCE_GPU, DOCKER_RESOURCE_MIG"
[nvidia-container-cli]
debug = "/var/log/a.log"
ldcache = "/etc/ld.so.cache"
ldconfig = "@/usr/sbin/ldconfig"
environment = ["CUDA_MPS_PIPE_DIRECTORY=/opt/first", "CUDA_MPS_PIPE_DIRECTORY=/run/mps/"]
load-kmods = false
no-cgroups = true
root = "/run/nvidia/driver/"
[nvidia-container-runtime]
debug = "/var/log/b.log"
log-level = "WARN"
mode = "csv"
runtimes = ["/usr/bin/crun", "runc"]
modes.csv = { mount-spec-path = "/opt/csv", compat-container-root = "/usr/local/cuda/compat" }
modes.cdi.default-kind = "example.com/gpu"
modes.legacy.cuda-compat-mode = "disabled"
[nvidia-container-runtime-hook]
path = "/opt/hook"
[features]
allow-ldconfig-from-container = true
disable-cuda-compat-lib-hook = true
disable-imex-channel-creation = true
ignore-imex-channel-requests = true
no-additional-gids-for-device-nodes = true
[nvoci]
alternate-roots = ["/usr/share/a", "/usr/share/b"]
csv-mounts = "all"
ldconfig = false
library-search-paths = ["/opt/lib"]
[[nvoci.directories]]
host = "/opt/models"
container = "/models"
[[nvoci.directories]]
host = "/opt/same"
`);
    expect(config).toEqual({
      acceptNvidiaVisibleDevicesAsVolumeMounts: true,
      acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: false,
      disableRequire: true,
      supportedDriverCapabilities: ["compute", "video"],
      swarmResource: ["DOCKER_RESOURCE_GPU", "DOCKER_RESOURCE_MIG"],
      nvidiaContainerCli: {
        debug: "/var/log/a.log",
        ldcache: "/etc/ld.so.cache",
        ldconfig: { from: "host", path: "/usr/sbin/ldconfig" },
        loadKmods: false,
        mpsPipeDirectory: "/run/mps",
        noCgroups: true,
        root: "/run/nvidia/driver",
      },
      nvidiaContainerRuntime: {
        debug: "/var/log/b.log",
        logLevel: "warning",
        mode: "csv",
        runtimes: ["/usr/bin/crun", "runc"],
        modes: {
          cdi: { defaultKind: "example.com/gpu" },
          csv: { mountSpecPath: "/opt/csv", compatContainerRoot: "/usr/local/cuda/compat" },
          legacy: { cudaCompatMode: "disabled" },
        },
      },
      nvidiaContainerRuntimeHook: { path: "/opt/hook" },
      features: {
        allowLdconfigFromContainer: true,
        disableCudaCompatLibHook: true,
        disableImexChannelCreation: true,
        ignoreImexChannelRequests: true,
        noAdditionalGidsForDeviceNodes: true,
      },
      nvoci: {
        alternateRoots: ["/usr/share/a", "/usr/share/b"],
        csvMounts: "all",
        ldconfig: false,
        librarySearchPaths: ["/opt/lib"],
        directories: [
          { host: "/opt/models", container: "/models" },
          { host: "/opt/same", container: "/opt/same" },
        ],
      },
    });
  });

  it("reads an explicit empty list of capabilities as none", () => {
    expect(configOf('supported-driver-capabilities = ""').supportedDriverCapabilities).toEqual([]);
    expect(configOf('supported-driver-capabilities = "all"').supportedDriverCapabilities).toHaveLength(7);
  });

  it("uses meta-tegra's alt-roots if nvoci's own key is missing", () => {
    const altRoots = '[nvidia-container-runtime.modes.csv]\nalt-roots = ["/a"]\n';
    expect(configOf(altRoots).nvoci.alternateRoots).toEqual(["/a"]);
    expect(configOf(`${altRoots}[nvoci]\nalternate-roots = []`).nvoci.alternateRoots).toEqual([]);
    expect(configOf(altRoots.replace('"/a"', "")).nvoci.alternateRoots).toEqual([]);
  });

  it.each([
    "trace:debug",
    "DEBUG:debug",
    ":info",
    "Warning:warning",
    "error:error",
    "fatal:error",
    "panic:error",
  ])("reads the log level in %j", (pair) => {
    const [word, level] = pair.split(":");
    const text = `[nvidia-container-runtime]\nlog-level = "${word}"`;
    expect(configOf(text).nvidiaContainerRuntime.logLevel).toBe(level);
  });

  it("treats jit-cdi as auto and reports it", () => {
    const { config, findings } = parse('[nvidia-container-runtime]\nmode = "jit-cdi"');
    expect(config.nvidiaContainerRuntime.mode).toBe("auto");
    expect(findings).toMatchObject([
      { code: "config-value-replaced", args: { value: "jit-cdi", used: "auto" } },
    ]);
  });

  it("reports all unknown keys and tables, and nothing else", () => {
    const { config, findings } = parse(
      'disable-requires = true\n[nvidia-container-cli]\nroots = "/x"\n[new.deep]\na = 1\n[nvoci]\nldconfg = 1\n' +
        '[[nvoci.directories]]\nhost = "/a"\nmode = "rw"\n[nvidia-container-runtime.modes.foo]\nx = 1',
    );
    expect(config).toMatchObject({ disableRequire: false });
    expect(findings.every((finding) => finding.code === "config-key-unknown")).toBe(true);
    expect(findings.map((finding) => finding.source).sort()).toEqual(
      [
        "disable-requires",
        "new",
        "nvidia-container-cli.roots",
        "nvidia-container-runtime.modes.foo",
        "nvoci.directories[0].mode",
        "nvoci.ldconfg",
      ].map((key) => `${FILE}: ${key}`),
    );
  });

  it.each([
    [
      'nvidia-container-runtime.modes.legacy.cuda-compat-mode = "mount"',
      { key: "nvidia-container-runtime.modes.legacy.cuda-compat-mode", value: "mount", used: "ldconfig" },
    ],
    [
      "features.allow-cuda-compat-libs-from-container = true",
      { key: "features.allow-cuda-compat-libs-from-container", value: "true", used: "false" },
    ],
  ])("reports %j, which would mount files of an image", (text, args) => {
    const { config, findings } = parse(text);
    expect(config).toEqual(DEFAULT_CONFIG);
    expect(findings).toEqual([
      {
        code: "config-value-replaced",
        severity: "warning",
        source: `${FILE}: ${args.key}`,
        args: { file: FILE, ...args },
      },
    ]);
  });

  it("reads the modes of CUDA forward compatibility that nvoci has", () => {
    for (const mode of ["ldconfig", "hook", "disabled"]) {
      const { modes } = configOf(
        `nvidia-container-runtime.modes.legacy.cuda-compat-mode = "${mode}"`,
      ).nvidiaContainerRuntime;
      expect(modes.legacy.cudaCompatMode).toBe(mode);
    }
  });

  it("reports a swarm variable that swarm does not set, and keeps it", () => {
    const { config, findings } = parse('swarm-resource = "MY_GPU,DOCKER_RESOURCE_GPU"');
    expect(config.swarmResource).toEqual(["MY_GPU", "DOCKER_RESOURCE_GPU"]);
    expect(findings).toMatchObject([{ code: "config-swarm-resource-unseen", args: { variable: "MY_GPU" } }]);
  });
});

describe("parseConfig(): nvidia-container-cli.ldconfig", () => {
  const ldconfig = (value: string, allow = false) =>
    `[features]\nallow-ldconfig-from-container = ${allow}\n[nvidia-container-cli]\nldconfig = "${value}"`;

  it("reads @PATH as the host's, without .real", () => {
    const expected = { from: "host", path: "/usr/sbin/ldconfig" };
    expect(configOf(ldconfig("@/usr/sbin/ldconfig.real")).nvidiaContainerCli.ldconfig).toEqual(expected);
    expect(configOf(ldconfig("@/usr/sbin/ldconfig", true)).nvidiaContainerCli.ldconfig).toEqual(expected);
  });

  it("reads a plain path as the container's only if the feature allows it", () => {
    expect(configOf(ldconfig("/sbin/ldconfig", true)).nvidiaContainerCli.ldconfig).toEqual({
      from: "container",
      path: "/sbin/ldconfig",
    });
    expect(refusal(ldconfig("/sbin/ldconfig"))).toContain("must start with @");
  });

  it.each(["@", "@ldconfig", "ldconfig", "@@/sbin/ldconfig"])("refuses %j", (value) => {
    expect(refusal(ldconfig(value, true))).toContain("nvidia-container-cli.ldconfig must");
  });
});

describe("parseConfig() refuses", () => {
  it.each([
    ["a = ", "line 1, column"],
    ["\n\nmode = auto", "line 3, column"],
    ["a = 1\na = 2", "line 2, column"],
    ["[nvoci]\n[nvoci]", "line 2, column"],
    ["a = 99999999999999999999", "line 1, column"],
  ])("the text %j and names its line", (text, place) => {
    expect(refusal(text)).toContain(place);
  });

  it.each([
    ['disable-require = "true"', "disable-require must be true or false"],
    ["disable-require = 2024-01-01", "disable-require must be true or false, not a date"],
    ["nvidia-container-cli = 1", "nvidia-container-cli must be a table"],
    ["nvoci = 2024-01-01", "nvoci must be a table, not a date"],
    ["[[nvoci]]", "nvoci must be a table, not a list"],
    ['supported-driver-capabilities = "compute,grapics"', 'supported-driver-capabilities contains "grapics"'],
    ['supported-driver-capabilities = ["compute"]', "supported-driver-capabilities must be a string"],
    ['[nvidia-container-cli]\nroot = "run"', "nvidia-container-cli.root must be an absolute path"],
    ['[nvidia-container-cli]\nroot = "/a\\u0000"', "nvidia-container-cli.root must be an absolute path"],
    ...["", "tmp/mps", "/", "//", "/run/..", "/run\\u0000"].map((path) => [
      `[nvidia-container-cli]\nenvironment = ["CUDA_MPS_PIPE_DIRECTORY=${path}"]`,
      "nvidia-container-cli.environment must set CUDA_MPS_PIPE_DIRECTORY to an absolute path",
    ]),
    ['[nvidia-container-cli]\nenvironment = "A=b"', "nvidia-container-cli.environment must be a list"],
    ['[nvidia-container-cli]\nroot = "a\\nb"', "nvidia-container-cli.root must be an absolute path"],
    [
      '[nvidia-container-runtime]\nmode = "fast"',
      "nvidia-container-runtime.mode must be one of auto, csv, legacy",
    ],
    ['[nvidia-container-runtime]\nmode = "cdi"', 'nvidia-container-runtime.mode "cdi" is not supported'],
    ['[nvidia-container-runtime]\nlog-level = "loud"', "nvidia-container-runtime.log-level must be one of"],
    [
      '[nvidia-container-runtime]\nlog-level = "constructor"',
      "nvidia-container-runtime.log-level must be one of",
    ],
    ["[nvidia-container-runtime]\nruntimes = []", "nvidia-container-runtime.runtimes must name"],
    ['[nvidia-container-runtime]\nruntimes = ["./runc"]', "nvidia-container-runtime.runtimes must contain"],
    [
      '[nvidia-container-runtime]\nruntimes = ["runc", 1]',
      "nvidia-container-runtime.runtimes[1] must be a string",
    ],
    [
      'nvidia-container-runtime.modes.legacy.cuda-compat-mode = "x"',
      "nvidia-container-runtime.modes.legacy.cuda-compat-mode must be one of ldconfig, mount, hook, disabled",
    ],
    ["features.disable-cuda-compat-lib-hook = 1", "features.disable-cuda-compat-lib-hook must be true or"],
    [
      'features.allow-cuda-compat-libs-from-container = "yes"',
      "features.allow-cuda-compat-libs-from-container must",
    ],
    [
      'nvidia-container-runtime.modes.csv.mount-spec-path = "x"',
      "nvidia-container-runtime.modes.csv.mount-spec",
    ],
    ['[nvidia-container-runtime-hook]\npath = "./x"', "nvidia-container-runtime-hook.path must be"],
    ['[nvoci]\ncsv-mounts = "most"', "nvoci.csv-mounts must be one of auto, all, base"],
    ['[nvoci]\nldconfig = "@/sbin/ldconfig"', "nvoci.ldconfig must be true or false"],
    ['[nvoci]\nalternate-roots = "/a"', "nvoci.alternate-roots must be a list, not the string"],
    ['[nvoci]\nlibrary-search-paths = ["lib"]', "nvoci.library-search-paths must be an absolute path"],
    ['[nvoci]\ndirectories = ["/a"]', "nvoci.directories[0] must be a table"],
    ['[[nvoci.directories]]\ncontainer = "/a"', "nvoci.directories[0].host is missing"],
    ['[[nvoci.directories]]\nhost = "/a"\ncontainer = "/b/.."', "nvoci.directories[0].container must not"],
  ])("%j", (text, reason) => {
    expect(refusal(text).slice(0, reason.length)).toBe(reason);
  });

  it("nested lists that would exhaust the stack", () => {
    expect(refusal(`a = ${"[".repeat(100_000)}`)).toContain("line 1, column");
  });

  it("nothing because of the type of a key without effect", () => {
    const { config, findings } = parse("[nvidia-ctk]\npath = 3\n[nvidia-container-cli]\nuser = false");
    expect(config).toEqual(DEFAULT_CONFIG);
    expect(findings.map(({ code }) => code)).toEqual(Array(2).fill("config-key-without-effect"));
  });
});
