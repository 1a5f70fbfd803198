/** Measures the hook, each time in a new container. */
import type { Bundle } from "../fixtures/bundle.ts";
import { type BenchContainer, emptyBundle, openContainer } from "./container.ts";
import { interleave, measure, type Sample, type Samples, type Subject } from "./measure.ts";
import type { Where } from "./wrapper.ts";

/** The host on which the hook is measured. */
interface Host {
  /** Files that the container gets, and possibly more. */
  readonly files: readonly string[];
  configure(ldconfig: boolean): void;
}

/** Measures the hook of each build without and with ldconfig, and a C loop that binds the same files. */
export async function hookCosts(where: Where & { readonly loop: string }, host: Host): Promise<Samples> {
  const { runner, loop, image, present, rounds } = where;
  const { files, configure } = host;
  const bundle = emptyBundle(true);
  const list = files.map((file) => `${file}\n`).join("");
  const cLoop = ({ pid }: BenchContainer) => measure(runner, [loop, `${pid}`, bundle.rootfs], list);
  const least = files.length;
  const subject = (name: string, command: (container: BenchContainer) => Sample, prepare = () => {}) =>
    inContainer({ name, bundle, image, least, command, prepare });
  const hook = (path: string) => (container: BenchContainer) => runHook(runner, path, container);
  try {
    return await interleave(
      [
        subject("C loop", cLoop),
        ...present.map(({ name, path }) => subject(`${name} hook`, hook(path), () => configure(false))),
        ...present.map(({ name, path }) =>
          subject(`${name} hook with ldconfig`, hook(path), () => configure(true)),
        ),
      ],
      rounds,
    );
  } finally {
    bundle.remove();
  }
}

/** Measures the hook in a container that requests nothing, and /bin/true. */
export async function idleCosts({ runner, image, present, rounds }: Where): Promise<Samples> {
  const bundle = emptyBundle(false);
  const subjects = present.map(({ name, path }) => {
    const command = (container: BenchContainer) => runHook(runner, path, container);
    return inContainer({ name: `${name} hook, no request`, bundle, image, least: 0, command });
  });
  const yardstick = { name: "/bin/true", once: () => measure(runner, ["/bin/true"]) };
  try {
    return await interleave([yardstick, ...subjects], rounds);
  } finally {
    bundle.remove();
  }
}

const runHook = (runner: string, path: string, { state }: BenchContainer): Sample =>
  measure(runner, [path, "hook", "prestart"], state);

interface ContainerSubject {
  readonly name: string;
  readonly bundle: Bundle;
  readonly image: string;
  /** The minimum number of mounts in the container afterwards. */
  readonly least: number;
  command(container: BenchContainer): Sample;
  /** Runs before each measurement. */
  prepare?(): void;
}

function inContainer({ name, bundle, image, least, command, prepare }: ContainerSubject): Subject {
  const once = async () => {
    prepare?.();
    const container = await openContainer(bundle, image);
    try {
      const sample = command(container);
      if (container.mounts() < least)
        throw new Error(`Cannot measure "${name}": it made ${container.mounts()} mounts, not ${least}`);
      return sample;
    } finally {
      await container.close();
    }
  };
  return { name, once };
}
