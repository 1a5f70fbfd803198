import { describe, expect, it } from "vitest";
import { newUndo } from "../../../src/execute/undo.ts";

/** A journal with three steps that write down when they are taken back or made final. */
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
  it("rollBack() takes back what came last first, and nothing is made final", () => {
    const { undo, log } = journal();
    expect(undo.rollBack()).toEqual([]);
    expect(log).toEqual(["-c", "-b", "-a"]);
  });

  it("rollBack() takes each step back once", () => {
    const { undo, log } = journal();
    undo.rollBack();
    undo.rollBack();
    expect(log).toHaveLength(3);
  });

  it("rollBack() goes on after a failure, and tells all of them", () => {
    const { undo, log } = journal();
    for (const name of ["first", "second"]) {
      undo.add(() => {
        throw new Error(name);
      });
    }
    expect(undo.rollBack()).toEqual([new Error("second"), new Error("first")]);
    expect(log).toEqual(["-c", "-b", "-a"]);
  });

  it("commit() makes final what came last first, and nothing is taken back", () => {
    const { undo, log } = journal();
    expect(undo.commit()).toEqual([]);
    expect(log).toEqual(["+c", "+b", "+a"]);
  });

  it("commit() goes on after a failure, because there is no way back, and tells it", () => {
    const { undo, log } = journal();
    undo.onCommit(() => {
      throw new Error("busy");
    });
    expect(undo.commit()).toEqual([new Error("busy")]);
    expect(log).toEqual(["+c", "+b", "+a"]);
  });
});
