import { attempt, NvociError } from "../../model/errors.ts";
import { CLOCK_MONOTONIC } from "../../sys/constants.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";

/** A daemon on the same host answers in milliseconds. One that does not answer is reported as one that is not there. */
const TIMEOUT_S = 3;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Asks a service on this host for a JSON document, with HTTP 1.0 over a Unix socket: the answer ends when the service
 * closes the connection. Sends nothing but the request, and asks only with GET, which changes nothing.
 *
 * @returns `undefined` when the service does not answer with status 200 and a JSON document within three seconds.
 */
export function askService(system: Syscalls, socket: string, path: string): unknown {
  const answer = attempt(() => exchange(system, socket, `GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`));
  if (answer === undefined || answer instanceof NvociError) return undefined;
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0 || !/^HTTP\/1\.\d 200\b/.test(answer)) return undefined;
  try {
    return JSON.parse(answer.slice(end + 4));
  } catch {
    return undefined;
  }
}

function exchange(system: Syscalls, socket: string, request: string): string | undefined {
  const fd = system.connect(socket);
  try {
    system.ignoreWriteSignals();
    system.write(fd, request);
    return readToEnd(system, fd);
  } finally {
    system.close(fd);
  }
}

function readToEnd(system: Syscalls, fd: Fd): string | undefined {
  const deadline = system.clock_gettime(CLOCK_MONOTONIC) + TIMEOUT_S;
  let buffer = new Uint8Array(64 * 1024);
  for (let filled = 0; ; ) {
    const left = deadline - system.clock_gettime(CLOCK_MONOTONIC);
    if (left <= 0) return undefined;
    if (!system.ppoll(fd, Math.ceil(left * 1000))) continue;
    const count = system.read(fd, buffer.subarray(filled));
    if (count === 0) return system.decode(buffer, 0, filled);
    filled += count;
    if (filled > MAX_BYTES) return undefined;
    if (filled === buffer.length) {
      const larger = new Uint8Array(buffer.length * 4);
      larger.set(buffer);
      buffer = larger;
    }
  }
}
