import { NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import { AT_EMPTY_PATH, O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } from "./constants.ts";
import { CWD, type Fd } from "./fd.ts";
import type { Syscalls } from "./syscalls.ts";

/** A log names containers and files of the host: root's group may read it, others not. */
const MODE = 0o640;

/**
 * Opens a log for appending, and makes one that is not there.
 *
 * Logs can be in a directory where others make names, such as /tmp. So a symbolic link is not followed (O_NOFOLLOW), a
 * FIFO that nobody reads is not waited for (O_NONBLOCK), and what was opened must be a regular file without a second
 * name: root would otherwise write to a file of somebody's choice. It is looked at by its descriptor, and nothing is
 * written before.
 *
 * @throws SystemError or NvociError "file-invalid"
 */
export function openLogFile(system: Syscalls, path: string): Fd {
  const fd = system.openat(CWD, path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | system.O_NOFOLLOW, MODE);
  const stat = system.statx(fd, "", AT_EMPTY_PATH);
  if (stat?.type === "file" && stat.links <= 1) return fd;
  system.close(fd);
  const reason = stat?.type === "file" ? "it has a second name" : `it is a ${stat?.type}, not a file`;
  throw new NvociError("file-invalid", `Cannot write to the log ${quote(path, 4096)}: ${reason}`);
}
