import { expect, it } from "vitest";
import { onlyCauses } from "../../../../src/cli/doctor/causes.ts";
import { type Check, check } from "../../../../src/model/check.ts";

const WRITABLE = check("warn", "manifests-writable", { path: "/d/drivers.csv" });
const UNLISTED = check("fail", "library-unlisted", {
  name: "libcuda.so.1",
  found: undefined,
  directory: "/d",
  install: undefined,
});
const LATER = check("warn", "node-later", { path: "/dev/nvidia0" });
const IMPOSSIBLE = check("fail", "plan-impossible", { message: "Cannot give GPU", hint: undefined });
const WELL = check("ok", "cgroup", { version: 2 });
const codes = (checks: readonly Check[]) => onlyCauses(checks).map(({ code, status }) => `${status} ${code}`);

it("onlyCauses() leaves out consequences, and a cause is as bad as they are", () => {
  expect(codes([UNLISTED, WELL, WRITABLE])).toEqual(["fail manifests-writable", "ok cgroup"]);
  expect(codes([WELL, WRITABLE])).toEqual(["warn manifests-writable", "ok cgroup"]);
});

it("onlyCauses() keeps a problem without its cause", () => {
  expect(codes([WELL, UNLISTED])).toEqual(["fail library-unlisted", "ok cgroup"]);
});

it("onlyCauses() does not make a failure of a node that the next start creates", () => {
  expect(codes([IMPOSSIBLE, LATER])).toEqual(["warn node-later"]);
});

it("onlyCauses() puts failures before warnings, and these before what is well, in their order", () => {
  const hook = check("warn", "hook-missing", { path: "/a", program: "/b" });
  expect(codes([WELL, hook, LATER, UNLISTED])).toEqual([
    "fail library-unlisted",
    "warn hook-missing",
    "warn node-later",
    "ok cgroup",
  ]);
});

it("onlyCauses() takes no well result for a cause", () => {
  const devices = check("ok", "driver-loaded", { version: "1.2" });
  expect(codes([devices, IMPOSSIBLE])).toEqual(["fail plan-impossible", "ok driver-loaded"]);
});
