import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { quote } from "../text/quote.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } from "./constants.ts";
import { CWD, type Fd, type Syscalls } from "./syscalls.ts";

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Reads a whole file through an open descriptor. Works for files in /proc and /sys, which report a size of 0.
 *
 * @throws {NvociError} "file-invalid" when the file has more than `limit` bytes.
 */
export function readAll(system: Syscalls, fd: Fd, sizeHint: number, limit = MAX_FILE_BYTES): Uint8Array {
  let buffer = new Uint8Array(Math.min(Math.max(sizeHint, 4095), limit) + 1);
  let filled = 0;
  for (;;) {
    const count = system.read(fd, filled === 0 ? buffer : buffer.subarray(filled));
    if (count === 0) return buffer.subarray(0, filled);
    filled += count;
    if (filled > limit) {
      throw new NvociError(
        "file-invalid",
        `Cannot read ${quote(fd.origin, 4096)}: it is larger than ${limit} bytes`,
      );
    }
    if (filled === buffer.length) {
      const larger = new Uint8Array(Math.min(buffer.length * 4, limit + 1));
      larger.set(buffer);
      buffer = larger;
    }
  }
}

/** Returns a view of the host as the caller's mount namespace shows it. */
export function linuxHost(system: Syscalls): HostView {
  return {
    // O_NONBLOCK: accidentally opening a FIFO or a serial line must not hang a container's start.
    readFile(path, limit, check) {
      const fd = system.openatIfThere(CWD, path, O_RDONLY | O_NONBLOCK);
      if (fd === undefined) return undefined;
      try {
        const stat = system.statx(fd, "", AT_EMPTY_PATH);
        if (stat?.type !== "file") {
          throw new NvociError(
            "file-invalid",
            `Cannot read ${quote(path, 4096)}: it is a ${stat?.type}, not a file`,
          );
        }
        check?.(stat);
        return readAll(system, fd, stat.size, limit);
      } finally {
        system.close(fd);
      }
    },

    readRange(path, offset, length) {
      const fd = system.openatIfThere(CWD, path, O_RDONLY | O_NONBLOCK);
      if (fd === undefined) return undefined;
      try {
        const buffer = new Uint8Array(length);
        return buffer.subarray(0, system.pread64(fd, buffer, offset));
      } finally {
        system.close(fd);
      }
    },

    readDirectory(path, ending) {
      const fd = system.openatIfThere(CWD, path, O_RDONLY | system.O_DIRECTORY);
      if (fd === undefined) return undefined;
      try {
        return ending === undefined ? system.getdents64(fd) : system.namesEnding(fd, ending);
      } finally {
        system.close(fd);
      }
    },

    lstat: (path) => system.statx(CWD, path, AT_SYMLINK_NOFOLLOW),

    readLink: (path) => system.readlinkat(CWD, path),

    // The kernel resolves the path once, by O_PATH, and reports the resulting name.
    realPath(path): HostPath | undefined {
      const fd = system.openatIfThere(CWD, path, O_PATH);
      if (fd === undefined) return undefined;
      try {
        const name = system.readlinkat(CWD, `/proc/self/fd/${fd.number}`);
        return name === undefined ? undefined : hostPath(name);
      } finally {
        system.close(fd);
      }
    },
  };
}
