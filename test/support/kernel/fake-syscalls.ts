import type { Syscalls } from "../../../src/sys/syscalls.ts";

/**
 * Returns a kernel that answers only the given calls: any other call fails the test.
 */
export function fakeSyscalls(answers: Partial<Syscalls>): Syscalls {
  const constants = { arch: "x64", O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 };
  return new Proxy({ ...constants, ...answers } as Syscalls, {
    get(target, name) {
      if (!(name in target)) throw new Error(`unexpected system call: ${String(name)}`);
      return target[name as keyof Syscalls];
    },
  });
}
