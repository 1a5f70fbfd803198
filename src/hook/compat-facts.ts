import { type CudaNote, cudaNote } from "../discover/elf/driver-notes.ts";
import { readNotes } from "../discover/elf/elf-notes.ts";
import { type ReadAt, readElf } from "../discover/elf/read-elf.ts";
import type { CompatLibrary } from "../discover/server/cuda-compat.ts";
import type { RootView } from "../execute/root-view.ts";
import { ignorable, NvociError } from "../model/errors.ts";
import type { ContainerPath } from "../model/paths.ts";
import { AT_EMPTY_PATH, O_NONBLOCK, O_PATH, O_RDONLY } from "../sys/constants.ts";
import { CWD, type Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/** A library that an image brings along, and the directory to search for it. */
export interface Compat {
  readonly directory: ContainerPath;
  readonly library: CompatLibrary;
}

/** `libcuda.so.575.57.08`, and `libcuda.so.1.1` on Orin; not the links `libcuda.so` and `libcuda.so.1`. */
const LIBCUDA = /^libcuda\.so\.[^.]+\../;

/** Headers and notes of a real library take a tenth. An image's author decides how much there is to read. */
const MOST_BYTES = 128 * 1024;
/** Real directories have a dozen. */
const MOST_NAMES = 4096;

/**
 * Finds the libcuda that an image brings along for hosts with an older driver, and what it says of itself. Only
 * looks; whether it is to be used is for `prefersCompat`.
 *
 * @param directory where images have it, see `compatDirectory`.
 * @returns `undefined` when the directory has not exactly one such file, or when that file cannot be read.
 */
export function readCompat(system: Syscalls, view: RootView, directory: ContainerPath): Compat | undefined {
  const opened: Fd[] = [];
  const keep = (fd: Fd): Fd => {
    opened.push(fd);
    return fd;
  };
  try {
    const folder = view.open(directory, O_RDONLY | system.O_DIRECTORY);
    if (folder === undefined) return undefined;
    keep(folder);
    const files: { readonly fileName: string; readonly fd: Fd }[] = [];
    for (const fileName of system.getdents64(folder, MOST_NAMES)) {
      if (!LIBCUDA.test(fileName)) continue;
      // The file itself, never what a link leads to; nothing happens to a FIFO or a device that is opened so.
      const fd = keep(system.openat(folder, fileName, O_PATH | system.O_NOFOLLOW));
      if (system.statx(fd, "", AT_EMPTY_PATH)?.type === "file") files.push({ fileName, fd });
      if (files.length > 1) return undefined;
    }
    const [file] = files;
    if (file === undefined) return undefined;
    // The file that was looked at, whatever its name leads to by now.
    const reader = keep(system.openat(CWD, `/proc/self/fd/${file.fd.number}`, O_RDONLY | O_NONBLOCK));
    return { directory, library: { fileName: file.fileName, note: readNote(system, reader, file.fileName) } };
  } catch (error) {
    // It is the image's own business, and whoever loads the library will complain about it.
    ignorable(error);
    return undefined;
  } finally {
    for (const fd of opened) system.close(fd);
  }
}

const readNote = (system: Syscalls, fd: Fd, fileName: string): CudaNote | undefined =>
  cudaNote(readNotes(readElf(fileName, boundedReader(system, fd, fileName))));

function boundedReader(system: Syscalls, fd: Fd, fileName: string): ReadAt {
  let left = MOST_BYTES;
  return (offset, length) => {
    left -= length;
    if (left < 0) {
      throw new NvociError(
        "file-invalid",
        `Cannot read "${fileName}": its headers are larger than any library's`,
      );
    }
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, system.pread64(fd, bytes, offset));
  };
}
