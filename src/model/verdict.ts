import type { Command } from "./check.ts";
import type { Source } from "./finding.ts";

/**
 * The answers of `nvoci why`: why a container has a file or a device, or has not. The list is closed; nvoci(1) describes
 * each. `render/render-verdict.ts` alone words them.
 */
export interface VerdictArguments {
  /** The container gets it. */
  given: { path: string; from: string | undefined; source: Source };
  /** It gets a directory that contains it. */
  "given-inside": { path: string; from: string; source: Source };
  /** The container requests no GPUs. */
  "not-requested": { nearMiss: string | undefined };
  /** The hook would refuse the container. */
  refused: { message: string; hint: string | undefined };
  /** Another capability of the driver includes it. */
  "capability-missing": { requested: string; including: readonly string[]; nearMiss: string | undefined };
  /** It belongs to a GPU that the container does not request. */
  "gpu-not-requested": { visible: string };
  /** A manifest lists it that is not read. */
  "manifest-unread": { source: Source };
  /** The host has it, and no manifest lists it; on a server, it is no part of the driver. */
  unlisted: { path: string; line: string; file: string };
  /** A manifest or the driver has a name for it, and the host has no such file. */
  "host-lacks": { path: string; source: Source | undefined; install: Command | undefined };
  /** The driver's file is there, and the host's ld.so.cache does not list it. */
  uncached: { path: string };
  /** The host has it in another version than the driver that runs. */
  "other-version": { path: string; version: string };
  /** The file has 0 bytes. */
  empty: { path: string; source: Source };
  /** The file is no library of this machine. */
  damaged: { path: string; source: Source; reason: string };
  /** The image's own file is found first. */
  "image-wins": { path: string; instead: string; by: "LD_LIBRARY_PATH" | "RPATH" | "compat" };
}

export type VerdictCode = keyof VerdictArguments;

/** One answer. */
export type Verdict = {
  [C in VerdictCode]: { readonly code: C; readonly args: VerdictArguments[C] };
}[VerdictCode];

/** Builds an answer. The compiler checks the arguments against the code. */
export const verdict = <C extends VerdictCode>(code: C, args: VerdictArguments[C]): Verdict =>
  ({ code, args }) as Verdict;

/** Whether a program in the container finds the file, and the file of the driver. */
export const isGood = ({ code }: Verdict): boolean => code === "given" || code === "given-inside";

/** A library that a given one needs, and where the container has it from. */
export interface Need {
  readonly name: string;
  readonly from: "driver" | "image" | "nowhere" | "unknown";
}

/** A version of an image's library that is lower than a library of the driver needs. */
export interface VersionNeed {
  /** `GLIBC` or `GLIBCXX`. */
  readonly family: string;
  readonly wanted: string;
  /** The library that wants it. */
  readonly by: string;
  /** `undefined` when no image is given; `none` when it has no such library. */
  readonly has: string | undefined;
}
