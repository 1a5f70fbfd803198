import type { Need, Verdict, VerdictArguments, VerdictCode, VersionNeed } from "../model/verdict.ts";
import { renderCommands, shellWord } from "./shell-command.ts";
import { showPath } from "./text.ts";

/** What is true, and what to do about it. */
interface Words {
  readonly text: string;
  readonly lines?: readonly string[];
}

type Wording = { readonly [C in VerdictCode]: (args: VerdictArguments[C]) => Words };

const REASONS = {
  LD_LIBRARY_PATH: "the variable LD_LIBRARY_PATH of the image names its directory",
  RPATH: "the program's RPATH names its directory",
  compat: "it belongs to CUDA's forward compatibility, which is newer than the host's driver",
} as const;

/** The sentence for each answer. No other file words them. */
const WORDING: Wording = {
  given: ({ path, from, source }) => ({
    text:
      from === undefined
        ? `given: the link ${showPath(path)}, asked for by ${source}`
        : `given: ${showPath(path)} is the host's ${showPath(from)}, asked for by ${source}`,
  }),
  "given-inside": ({ path, from, source }) => ({
    text: `given: it is in the directory ${showPath(path)}, the host's ${showPath(from)}, asked for by ${source}`,
  }),
  "not-requested": ({ nearMiss }) => ({
    text: "not requested: the container requests no GPUs, so it gets nothing",
    lines: [
      ...(nearMiss === undefined ? [] : [`it sets ${showPath(nearMiss)}, which nothing reads`]),
      "fix: docker run --gpus all, or --runtime nvidia -e NVIDIA_VISIBLE_DEVICES=all",
    ],
  }),
  refused: ({ message, hint }) => ({
    text: `refused: ${message}`,
    lines: hint === undefined ? [] : [hint],
  }),
  "capability-missing": ({ requested, including, nearMiss }) => ({
    text: `capability missing: ${including.join(" or ")} includes it, and the container requests ${showPath(requested)}`,
    lines: [
      ...(nearMiss === undefined ? [] : [`it sets ${showPath(nearMiss)}, which nothing reads`]),
      `fix: docker run -e ${shellWord(`NVIDIA_DRIVER_CAPABILITIES=${[...new Set([...requested.split(","), including[0] ?? ""])].join(",")}`)}`,
    ],
  }),
  "gpu-not-requested": ({ visible }) => ({
    text: `GPU not requested: the container requests ${showPath(visible)}, and this belongs to another GPU`,
    lines: ["fix: docker run -e NVIDIA_VISIBLE_DEVICES=all"],
  }),
  "manifest-unread": ({ source }) => ({
    text: `manifest not read: ${source} lists it, and only l4t.csv, drivers.csv and devices.csv are read`,
    lines: ["fix: docker run -e NVIDIA_REQUIRE_JETPACK=csv-mounts=all"],
  }),
  unlisted: ({ path, line, file }) => ({
    text: `not listed: the host has it at ${showPath(path)}, and nothing gives it to containers`,
    lines: [`fix: add to ${showPath(file)}: ${line}`],
  }),
  "host-lacks": ({ path, source, install }) => ({
    text: `not on the host: ${source === undefined ? "it" : `${source} lists it, and the host`} has no ${showPath(path)}`.replace(
      "it has no",
      "the host has no",
    ),
    lines: install === undefined ? [] : [`fix: ${renderCommands([install])}`],
  }),
  uncached: ({ path }) => ({
    text: `not in the cache: the host has ${showPath(path)}, and its ld.so.cache does not list it`,
    lines: ["fix: ldconfig"],
  }),
  "other-version": ({ path, version }) => ({
    text: `other version: the host has ${showPath(path)}, and the running driver is ${version}`,
    lines: ["fix: reboot"],
  }),
  empty: ({ path, source }) => ({
    text: `empty: the host's ${showPath(path)} has 0 bytes, asked for by ${source}: "file too short"`,
    lines: ["fix: install the package again that brings it"],
  }),
  damaged: ({ path, source, reason }) => ({
    text: `damaged: the host's ${showPath(path)}, asked for by ${source}, cannot be loaded: ${reason}`,
    lines: ["fix: install the package again that brings it"],
  }),
  "image-wins": ({ path, instead, by }) => ({
    text: `the image's own file wins: ${showPath(instead)} is loaded instead of ${showPath(path)}, because ${REASONS[by]}`,
    lines: [by === "compat" ? "it is meant to win" : `fix: remove ${showPath(instead)} from the image`],
  }),
};

/** Returns the lines of an answer: what is true, then what to do about it. */
export function renderVerdict({ code, args }: Verdict): string[] {
  const { text, lines = [] } = (WORDING[code] as (values: unknown) => Words)(args);
  return [text, ...lines.map((line) => `  ${line}`)];
}

const FROM: Readonly<Record<Need["from"], string>> = {
  driver: "given too",
  image: "the image has it",
  nowhere: "the image lacks it",
  unknown: "the image must have it",
};

/** Returns the lines about what a library needs of the image: those that are missing first. */
export function renderNeeds(needs: readonly Need[], versions: readonly VersionNeed[]): string[] {
  const missing = needs.filter(({ from }) => from === "nowhere");
  return [
    ...[...missing, ...needs.filter(({ from }) => from !== "nowhere")].map(
      ({ name, from }) => `needs ${showPath(name)}: ${FROM[from]}`,
    ),
    ...versions.map(
      ({ wanted, by, has }) =>
        `${showPath(by)} wants ${wanted}${has === undefined ? "" : has === "none" ? ", and the image has no such library" : `; the image has ${has}`}`,
    ),
  ];
}
