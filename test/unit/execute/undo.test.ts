import { describe, expect, it } from "vitest";
import { newUndo } from "../../../src/execute/undo.ts";

/** An undo list with three steps that record when they are undone or committed. */
function journal() {
  const log: string[] = [];
  const undo = newUndo();
  for (const step of ["a", "b", "c"]) {
    undo.add(() => log.push(`-${step}`));
    undo.onCommit(() => log.push(`+${step}`));
  }
  return { undo, log };
}

describe("newUndo()", () => {
  it("rollBack() undoes the last step first and commits nothing", () => {
    const { undo, log } = journal();
    expect(undo.rollBack()).toEqual([]);
    expect(log).toEqual(["-c", "-b", "-a"]);
  });

  it("rollBack() undoes each step once", () => {
    const { undo, log } = journal();
    undo.rollBack();
    undo.rollBack();
    expect(log).toHaveLength(3);
  });

  it("rollBack() continues after a failure and returns all errors", () => {
    const { undo, log } = journal();
    for (const name of ["first", "second"]) {
      undo.add(() => {
        throw new Error(name);
      });
    }
    expect(undo.rollBack()).toEqual([new Error("second"), new Error("first")]);
    expect(log).toEqual(["-c", "-b", "-a"]);
  });

  it("commit() commits the last step first and undoes nothing", () => {
    const { undo, log } = journal();
    expect(undo.commit()).toEqual([]);
    expect(log).toEqual(["+c", "+b", "+a"]);
  });

  it("commit() continues after a failure, which cannot be undone, and returns it", () => {
    const { undo, log } = journal();
    undo.onCommit(() => {
      throw new Error("busy");
    });
    expect(undo.commit()).toEqual([new Error("busy")]);
    expect(log).toEqual(["+c", "+b", "+a"]);
  });
});
