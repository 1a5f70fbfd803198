import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import { openServer } from "../../fixtures/host/fake-server.ts";
import { fileEntry, type TreeEntry } from "../../fixtures/host/tree-entry.ts";
import type { PrivateNamespace } from "../../fixtures/run/private-namespace.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { doctor, installation, mustRunOn } from "../support/host/broken-host.ts";
import { COMPLAINTS, type Complaint } from "../support/host/complaints.ts";
import { openJetson } from "../support/host/jetson.ts";

/** A program with the name of dockerd and the answer of one under systemd, or what a broken one does. */
const fakeDaemon = (answer: string): TreeEntry =>
  fileEntry(
    "/opt/fake/dockerd",
    `#!${process.execPath}
const server = require("node:net").createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => { ${answer} });
});
server.listen("/run/docker.sock");
setTimeout(() => process.exit(), 20000);
`,
    0o755,
  );

const INFO = JSON.stringify({ Runtimes: { runc: {} }, DefaultRuntime: "runc", CgroupDriver: "systemd" });
const ANSWERS = `socket.end("HTTP/1.0 200 OK\\r\\nContent-Type: application/json\\r\\n\\r\\n" + ${JSON.stringify(INFO)})`;

describeBuilds([...CONTAINER, "gcc"], "a common complaint", (build) => {
  let place: PrivateNamespace | undefined;
  let close = (): void => {};
  const open = async (host: Complaint["host"], answer = ANSWERS): Promise<PrivateNamespace> => {
    const more = [
      ...installation(build),
      fakeDaemon(answer),
      { kind: "directory", path: "/opt/stands" } as const,
      { kind: "directory", path: "/run/nothing" } as const,
      fileEntry("/etc/os-release", 'ID=ubuntu\nID_LIKE="debian"\n'),
      fileEntry("/usr/bin/apt-get", "#!/bin/sh\nexit 1\n", 0o755),
    ];
    const opened = host === "board" ? await openJetson({ more }) : await openServer({ more });
    place = opened.place;
    close = () => opened.close();
    return opened.place;
  };
  afterEach(() => {
    place?.run([
      "sh",
      "-c",
      'for p in $(pgrep -x dockerd); do test "$(readlink /proc/$p/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" || kill $p; done',
    ]);
    close();
  });

  it.each(COMPLAINTS)("is answered: $symptom", async ({ host, breaks, command, answer }) => {
    const on = await open(host);
    mustRunOn(on, breaks);
    const { stdout, stderr } = on.run(["nvoci", ...command]);
    expect(stderr).toBe("");
    expect(stdout).toContain(answer);
  });

  it("is a section of docs/troubleshooting.md, with the command", () => {
    const document = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
    for (const { symptom, command, answer } of COMPLAINTS) {
      const section = document.split(/^#{2,3} /m).find((part) => part.split("\n", 1)[0]?.includes(symptom));
      expect(section, symptom).toBeDefined();
      expect(section, symptom).toContain(`nvoci ${command[0]}`);
      if (answer.startsWith("fix: ")) expect(section, symptom).toContain(answer.trim());
    }
  });

  it.each([
    ["answers nothing", ""],
    ["answers without end", 'setInterval(() => socket.write("x".repeat(1 << 20)), 1)'],
    ["answers no HTTP", 'socket.end("no")'],
    ["answers no JSON", 'socket.end("HTTP/1.0 200 OK\\r\\n\\r\\n{")'],
    ["answers an error", 'socket.end("HTTP/1.0 500 No\\r\\n\\r\\n{}")'],
    ["ends at once", "socket.destroy()"],
  ])("does not stop the doctor, which reads the file instead, when dockerd %s", async (_, answer) => {
    const on = await open("server", answer);
    mustRunOn(on, "/opt/fake/dockerd >/dev/null 2>&1 & sleep 1");
    const { stdout, status } = doctor(on);
    expect(status).toBe(0);
    expect(stdout).toContain("docker: /etc/docker/daemon.json knows the runtime nvidia");
  });
});
