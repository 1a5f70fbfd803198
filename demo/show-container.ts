import { CUDA, DRIVER, TRIPLET } from "./paths.ts";
import type { DemoReport } from "./report.ts";

/** ENXIO: the open reached the driver, which the demo lacks. */
const REACHED = "No such device or address";

/** Shows and checks what the container saw. */
export function showContainer(
  report: DemoReport,
  { devices = [], files = [], cache = [], program = [] }: Readonly<Record<string, string[]>>,
  findings: readonly string[],
): void {
  report.section("Its devices");
  for (const line of devices) report.line(line);
  const expected = ["/dev/nvhost-gpu", "/dev/nvmap"].map((node) => `${node}: ${REACHED}`);
  report.check("are the host's, and an open reaches the driver (the demo has none)", same(devices, expected));

  report.section("Its files");
  for (const line of files) report.line(line);
  report.check(
    "are the host's, instead of an empty placeholder and a dangling link",
    same(files, [
      `${DRIVER}/libcuda.so -> libcuda.so.1.1`,
      `${DRIVER}/libcuda.so.1 -> libcuda.so.1.1`,
      `${DRIVER}/libcuda.so.1.1`,
      `${DRIVER}/libnvrm_gpu.so`,
      `/usr/lib/${TRIPLET}/tegra -> nvidia`,
      `${CUDA}/`,
      "/usr/local/cuda -> cuda-12.6",
      "/usr/lib/firmware/tegra23x/gpu.bin",
      "/etc/nvpmodel.conf",
      "/etc/nv_tegra_release",
    ]),
  );

  report.section("Its linker cache, as ldconfig -p prints it in the container");
  const injected = cache.filter((line) => line.includes("=> /usr/") && /libcuda|libnvrm/.test(line));
  for (const line of injected) report.line(line);
  const names = ["libcuda.so.1", "libcudart.so.12", "libnvrm_gpu.so"];
  report.check(
    "has every injected library",
    names.every((name) => injected.some((line) => line.startsWith(`${name} `))),
  );

  report.section("A program that is linked with libcuda.so.1 and libcudart.so.12");
  for (const line of program) report.line(line);
  report.check("finds both and runs", same(program, ["driver 540.4.0, CUDA 12.6"]));

  report.section("What was skipped, and why (nvoci plan)");
  for (const line of findings) report.line(line);
  const named = ["libnvdla_compiler.so", "nvsciipc", "l4t.csv:7"];
  report.check(
    "names the two missing entries and the bad line",
    named.every((part) => findings.some((line) => line.includes(part))),
  );
}

/** Reports whether the lines are equal in any order. */
const same = (seen: readonly string[], expected: readonly string[]) =>
  JSON.stringify([...seen].sort()) === JSON.stringify([...expected].sort());
