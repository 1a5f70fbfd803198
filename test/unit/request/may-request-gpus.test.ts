import { expect, it } from "vitest";
import { mayRequestGpus } from "../../../src/request/visible-devices.ts";

const ROOT = "/var/run/nvidia-container-devices";

it.each([
  [["NVIDIA_VISIBLE_DEVICES=all"]],
  [["NVIDIA_VISIBLE_DEVICES=none"]],
  [["NVIDIA_VISIBLE_DEVICES= 0 "]],
  [["NVIDIA_VISIBLE_DEVICES=void", "NVIDIA_VISIBLE_DEVICES=0"]],
  [["CUDA_VERSION=8.0.61"]],
  [["CUDA_VERSION=8.0.61", "NVIDIA_REQUIRE_CUDA="]],
  [["NVIDIA_VISIBLE_DEVICES=void", "DOCKER_RESOURCE_GPU=GPU-1"]],
])("mayRequestGpus() is true for %j", (env) => {
  expect(mayRequestGpus({ env, mounts: [] })).toBe(true);
});

it.each([
  [[]],
  [["PATH=/bin", "NOEQUALS"]],
  [["NVIDIA_VISIBLE_DEVICES="]],
  [["NVIDIA_VISIBLE_DEVICES"]],
  [["NVIDIA_VISIBLE_DEVICES= , ,"]],
  [["NVIDIA_VISIBLE_DEVICES=void"]],
  [["NVIDIA_VISIBLE_DEVICES= void "]],
  [["NVIDIA_VISIBLE_DEVICES=all,void"]],
  [["NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_VISIBLE_DEVICES=void"]],
  [["XNVIDIA_VISIBLE_DEVICES=all", "nvidia_visible_devices=all"]],
  [["NVIDIA_DRIVER_CAPABILITIES=all", "NVIDIA_REQUIRE_CUDA=cuda>=12"]],
  [["CUDA_VERSION=12.4", "NVIDIA_REQUIRE_CUDA=cuda>=12.4"]],
  [["CUDA_VERSION="]],
  [["CUDA_VERSION=8.0", "NVIDIA_VISIBLE_DEVICES="]],
])("mayRequestGpus() is false for %j", (env) => {
  expect(mayRequestGpus({ env, mounts: [] })).toBe(false);
});

it.each([
  [`${ROOT}/0`, "/dev/null", true],
  [`/var//run/./nvidia-container-devices//all/`, "/dev/null", true],
  [`${ROOT}/../../x`, "/dev/null", true],
  [ROOT, "/dev/null", false],
  [`${ROOT}/`, "/dev/null", false],
  [`${ROOT}s/0`, "/dev/null", false],
  [`/x${ROOT}/0`, "/dev/null", false],
  [`${ROOT}/0`, "/dev/zero", false],
  [`${ROOT}/0`, undefined, false],
  ["var/run/nvidia-container-devices/0", "/dev/null", false],
])("mayRequestGpus() for a mount at %j of %j is %j", (destination, source, expected) => {
  expect(mayRequestGpus({ env: [], mounts: [{ destination, source }] })).toBe(expected);
});
