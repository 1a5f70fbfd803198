import { afterAll, beforeAll, expect, test } from "vitest";
import { hookEntry } from "../support/builds.ts";
import { runContainer } from "../support/container.ts";
import { MISSING_BEFORE, withoutCalls } from "../support/enosys.ts";
import { askingBundle, describeCommand, describeHost, type Jetson, openJetson } from "../support/jetson.ts";
import { CONTAINER, describeBuilds } from "../support/prerequisites.ts";

describeBuilds([...CONTAINER, "gcc"], "the hook on an older kernel", (build) => {
  let jetson: Jetson;
  beforeAll(async () => {
    jetson = await openJetson();
  });
  afterAll(() => jetson?.close());

  const command = [build.path, "hook", "prestart"];
  const kernels = Object.entries(MISSING_BEFORE);
  const calls = [...new Set(kernels.flatMap(([, names]) => names))].map((name) => [name, [name]] as const);

  test.each([...kernels, ...calls])("injects the same without what %s lacks", (_, names) => {
    const hook = hookEntry(withoutCalls(names, command));
    const bundle = askingBundle(build, { hooks: { prestart: [hook] } });
    try {
      expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
    } finally {
      bundle.remove();
    }
  });
});
