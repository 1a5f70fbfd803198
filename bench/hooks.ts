/** What the hook costs in a container of its own, in each round a fresh one. */
import type { Bundle } from "../fixtures/bundle.ts";
import { type BenchContainer, emptyBundle, openContainer } from "./container.ts";
import { interleave, measure, type Sample, type Samples, type Subject } from "./measure.ts";
import type { Where } from "./wrapper.ts";

/** What the hook is measured on. */
interface Host {
  /** What the container gets at least. */
  readonly files: readonly string[];
  configure(ldconfig: boolean): void;
}

/** The hook of each build without and with ldconfig, beside a C loop that binds the same files. */
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

/** The hook in a container that does not ask, beside /bin/true. */
export async function idleCosts({ runner, image, present, rounds }: Where): Promise<Samples> {
  const bundle = emptyBundle(false);
  const subjects = present.map(({ name, path }) => {
    const command = (container: BenchContainer) => runHook(runner, path, container);
    return inContainer({ name: `${name} hook, not asked`, bundle, image, least: 0, command });
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
  /** How many mounts there have to be in the container afterwards. */
  readonly least: number;
  command(container: BenchContainer): Sample;
  /** Not measured. */
  prepare?(): void;
}

function inContainer({ name, bundle, image, least, command, prepare }: ContainerSubject): Subject {
  const once = async () => {
    prepare?.();
    const container = await openContainer(bundle, image);
    try {
      const sample = command(container);
      if (container.mounts() < least) throw new Error(`"${name}" made ${container.mounts()} mounts`);
      return sample;
    } finally {
      await container.close();
    }
  };
  return { name, once };
}
