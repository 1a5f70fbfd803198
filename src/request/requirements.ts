import { NvociError } from "../model/errors.ts";
import { type FindingArguments, finding, firstFindings, type Report } from "../model/finding.ts";
import { quote } from "../text/quote.ts";
import type { RequirementText } from "./request.ts";

/** Whether a text consists of numbers with dots between them. */
const isVersion = (text: string): boolean => /^\d+(?:\.\d+)*$/.test(text);

/**
 * Compares versions number by number. Missing numbers count as 0: `12.1` is `12.1.0`, and `12.9` is older than
 * `12.10`.
 *
 * @returns negative, 0 or positive, as for sorting.
 */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What a condition can ask about the host. An unknown fact meets every condition. */
export interface RequirementFacts {
  /** Version of the kernel modules. */
  readonly driver: string | undefined;
  /** CUDA version that the driver offers; called only where a condition names it. */
  readonly cuda: () => string | undefined;
  /** The GPUs that the container is to see. */
  readonly gpus: readonly GpuFacts[];
}

/** What a condition can ask about a GPU. */
interface GpuFacts {
  /** Compute capability: `8.0`. */
  readonly arch: string | undefined;
  /** Brands that the GPU may have, in lower case; empty when unknown. */
  readonly brands: readonly string[];
}

/** One comparison, such as `cuda>=12.4`. */
interface RequirementTerm {
  /** As written. */
  readonly text: string;
  /** In lower case. */
  readonly name: string;
  readonly operator: RequirementOperator;
  readonly value: string;
}

type RequirementOperator = "=" | "!=" | "<" | "<=" | ">" | ">=";

const OPERATORS: Readonly<Record<string, RequirementOperator>> = {
  "=": "=",
  "!=": "!=",
  "!": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

/** Terms of all conditions together; an image has a hundred. */
const MAX_TERMS = 4096;

/** Characters of one term. */
const MAX_TERM_CHARACTERS = 255;

/** Whether a difference of versions is what the operator asks for. */
const HOLDS: Readonly<Record<RequirementOperator, (difference: number) => boolean>> = {
  "=": (difference) => difference === 0,
  "!=": (difference) => difference !== 0,
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
};

/**
 * Checks what an image demands of its host: alternatives with blanks between them, each of terms that all have to
 * hold with commas between them. Every requirement has to be met by every GPU.
 *
 * What follows the first alternative that holds is not looked at.
 *
 * A term that passes because the host does not report what it asks for is a finding.
 *
 * @throws {NvociError} `requirement-unmet`, or `request-invalid` for an invalid term and for too many terms.
 */
export function checkRequirements(
  requirements: readonly RequirementText[],
  facts: RequirementFacts,
  report: Report,
): void {
  const unchecked = new Map<string, FindingArguments["requirement-unchecked"]>();
  const gpus = kindsOf(facts.gpus);
  let termsLeft = MAX_TERMS;
  for (const { source: variable, expression } of requirements) {
    const alternatives = parseAlternatives(expression);
    if (alternatives.length === 0) continue;
    for (const terms of alternatives) termsLeft -= terms.length;
    if (termsLeft < 0) {
      throw new NvociError(
        "request-invalid",
        `Cannot check ${variable} of the container: the conditions have more than ${MAX_TERMS} terms`,
      );
    }
    const parse = termParser(variable);
    for (const gpu of gpus) {
      const isMet = (text: string) => meets(parse(text), facts, gpu, variable);
      const met = alternatives.find((terms) => terms.every((text) => isMet(text) !== false));
      if (met === undefined) refuse(variable, expression, alternatives[0] ?? [], facts, gpu);
      for (const term of met.filter((text) => isMet(text) === undefined)) {
        unchecked.set(`${variable} ${parse(term).text}`, { variable, term: parse(term).text });
      }
    }
  }
  const findings = firstFindings([...unchecked.values()], (args) =>
    finding("requirement-unchecked", "info", args.variable, args),
  );
  for (const found of findings) report(found);
}

/** Parses each text once, though every kind of GPU is asked about it. */
function termParser(variable: string): (text: string) => RequirementTerm {
  const parsed = new Map<string, RequirementTerm>();
  return (text) => {
    const term = parsed.get(text) ?? parseTerm(text, variable);
    parsed.set(text, term);
    return term;
  };
}

/** One GPU of each kind: a server has eight or sixteen of one, to which every condition has the same answer. */
function kindsOf(gpus: readonly GpuFacts[]): readonly (GpuFacts | undefined)[] {
  const kinds = new Map(gpus.map((gpu) => [`${gpu.arch} ${gpu.brands.join(" ")}`, gpu]));
  return kinds.size > 0 ? [...kinds.values()] : [undefined];
}

/** The alternatives, each as the texts of its terms; empty ones are left out. */
function parseAlternatives(expression: string): string[][] {
  return expression
    .split(/\s+/)
    .filter((alternative) => alternative !== "")
    .map((alternative) => alternative.split(",").filter((term) => term !== ""));
}

/**
 * Parses `name operator value`. The name need not be one that nvoci knows.
 *
 * @param variable where it comes from, for the error.
 * @throws {NvociError} `request-invalid`
 */
export function parseTerm(text: string, variable: string): RequirementTerm {
  if (text.length > MAX_TERM_CHARACTERS)
    return invalid(text, variable, `it is longer than ${MAX_TERM_CHARACTERS} characters`);
  const match = /^([^<>=!]+)([<>=!]+)([^<>=!]+)$/.exec(text);
  const operator = OPERATORS[match?.[2] ?? ""];
  if (match === null || operator === undefined) return invalid(text, variable, "a term reads cuda>=12.4");
  return { text, name: match[1]!.toLowerCase(), operator, value: match[3]! };
}

/** Whether the host meets a term; `undefined` when the host does not tell. */
function meets(
  term: RequirementTerm,
  facts: RequirementFacts,
  gpu: GpuFacts | undefined,
  variable: string,
): boolean | undefined {
  const { text, name, operator, value } = term;
  if (name === "brand") {
    if (operator !== "=" && operator !== "!=") return invalid(text, variable, "a brand can be = or != only");
    const brands = gpu?.brands ?? [];
    if (brands.length === 0) return undefined;
    return brands.some((brand) => (brand === value.toLowerCase()) === (operator === "="));
  }
  if (name !== "cuda" && name !== "driver" && name !== "arch") return undefined;
  if (!isVersion(value)) return invalid(text, variable, `${quote(value)} is no version`);
  const fact = name === "arch" ? gpu?.arch : name === "cuda" ? facts.cuda() : facts.driver;
  return fact === undefined ? undefined : HOLDS[operator](compareVersions(fact, value));
}

function invalid(term: string, variable: string, reason: string): never {
  throw new NvociError("request-invalid", `Cannot check ${quote(term)} of ${variable}: ${reason}`);
}

function refuse(
  variable: string,
  expression: string,
  first: readonly string[],
  facts: RequirementFacts,
  gpu: GpuFacts | undefined,
): never {
  const cuda = facts.cuda();
  const has = [
    cuda === undefined ? undefined : `CUDA ${cuda}`,
    facts.driver === undefined ? undefined : `driver ${facts.driver}`,
    gpu?.arch === undefined ? undefined : `arch ${gpu.arch}`,
    gpu === undefined || gpu.brands.length === 0 ? undefined : `brand ${gpu.brands.join(" or ")}`,
  ].filter((fact) => fact !== undefined);
  throw new NvociError(
    "requirement-unmet",
    `Cannot meet the requirement ${quote(first.join(","))} (${variable}): the host has ${has.join(", ")}`,
    {
      output: [`${variable}=${quote(expression, 400)}`],
      hint: "update the host's driver, use an older image, or set NVIDIA_DISABLE_REQUIRE=true to try anyway",
    },
  );
}
