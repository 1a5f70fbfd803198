import { NvociError } from "../model/errors.ts";
import { type FindingArguments, finding, firstFindings, type Report } from "../model/finding.ts";
import { quote } from "../text/quote.ts";
import type { RequirementText } from "./request.ts";

/** Reports whether a text consists of numbers separated by dots. */
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

/** A version of the host. */
export interface VersionFact {
  readonly version: string;
  /** Whether the host's version may also be any newer one. */
  readonly orNewer: boolean;
}

/** The facts about the host that requirements name. An unknown fact meets every requirement. */
export interface RequirementFacts {
  /** Version of the kernel modules. */
  readonly driver: string | undefined;
  /** CUDA version that the driver offers; called only when a requirement names it. */
  readonly cuda: () => VersionFact | undefined;
  /** The GPUs that the container gets. */
  readonly gpus: readonly GpuFacts[];
}

/** The facts about a GPU that requirements name. */
interface GpuFacts {
  /** Compute capability: `8.0`. */
  readonly arch: string | undefined;
  /** Brands that the GPU may have, in lower case; empty if unknown. */
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

/** Terms of all requirements together; real images have about a hundred. */
const MAX_TERMS = 4096;

/** Characters of one term. */
const MAX_TERM_CHARACTERS = 255;

/** Whether a difference between two versions meets the operator. */
const HOLDS: Readonly<Record<RequirementOperator, (difference: number) => boolean>> = {
  "=": (difference) => difference === 0,
  "!=": (difference) => difference !== 0,
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
};

/**
 * Checks an image's requirements for its host. A requirement is a list of alternatives separated by spaces; all
 * comma-separated terms of one alternative must hold. Every GPU must meet every requirement.
 *
 * Alternatives after the first one that holds are not parsed. A term that holds only because the host does not
 * report the fact is reported as a finding.
 *
 * @throws {NvociError} "requirement-unmet" when the host does not meet a requirement.
 * @throws {NvociError} "request-invalid" when a term is invalid, or there are too many terms.
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
        `Cannot check the container's ${variable}: the requirements have more than ${MAX_TERMS} terms`,
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

/** Returns a parser that parses each text only once, although each kind of GPU is checked against it. */
function termParser(variable: string): (text: string) => RequirementTerm {
  const parsed = new Map<string, RequirementTerm>();
  return (text) => {
    const term = parsed.get(text) ?? parseTerm(text, variable);
    parsed.set(text, term);
    return term;
  };
}

/** Returns one GPU of each kind. A server has eight or sixteen equal ones, which all meet the same requirements. */
function kindsOf(gpus: readonly GpuFacts[]): readonly (GpuFacts | undefined)[] {
  const kinds = new Map(gpus.map((gpu) => [`${gpu.arch} ${gpu.brands.join(" ")}`, gpu]));
  return kinds.size > 0 ? [...kinds.values()] : [undefined];
}

/** Returns the alternatives, each as the texts of its terms, without empty ones. */
function parseAlternatives(expression: string): string[][] {
  return expression
    .split(/\s+/)
    .filter((alternative) => alternative !== "")
    .map((alternative) => alternative.split(",").filter((term) => term !== ""));
}

/**
 * Parses `name operator value`. The name need not be one that nvoci knows.
 *
 * @param variable the variable that the term comes from, for the error.
 * @throws {NvociError} "request-invalid" when the term is invalid.
 */
export function parseTerm(text: string, variable: string): RequirementTerm {
  if (text.length > MAX_TERM_CHARACTERS)
    return invalid(text, variable, `it is longer than ${MAX_TERM_CHARACTERS} characters`);
  const match = /^([^<>=!]+)([<>=!]+)([^<>=!]+)$/.exec(text);
  const operator = OPERATORS[match?.[2] ?? ""];
  if (match === null || operator === undefined)
    return invalid(text, variable, "write a term such as cuda>=12.4");
  return { text, name: match[1]!.toLowerCase(), operator, value: match[3]! };
}

/** Reports whether the host meets a term; `undefined` if the host does not report the fact. */
function meets(
  term: RequirementTerm,
  facts: RequirementFacts,
  gpu: GpuFacts | undefined,
  variable: string,
): boolean | undefined {
  const { text, name, operator, value } = term;
  if (name === "brand") {
    if (operator !== "=" && operator !== "!=") return invalid(text, variable, "brand supports only = and !=");
    const brands = gpu?.brands ?? [];
    if (brands.length === 0) return undefined;
    return brands.some((brand) => (brand === value.toLowerCase()) === (operator === "="));
  }
  if (name !== "cuda" && name !== "driver" && name !== "arch") return undefined;
  if (!isVersion(value)) return invalid(text, variable, `${quote(value)} is not a version`);
  if (name === "cuda") return holds(operator, facts.cuda(), value);
  const version = name === "arch" ? gpu?.arch : facts.driver;
  return holds(operator, version === undefined ? undefined : { version, orNewer: false }, value);
}

/** Reports whether a comparison holds for every version that the host may have; `undefined` if for some only. */
function holds(
  operator: RequirementOperator,
  fact: VersionFact | undefined,
  value: string,
): boolean | undefined {
  if (fact === undefined) return undefined;
  const difference = compareVersions(fact.version, value);
  const answer = HOLDS[operator](difference);
  if (!fact.orNewer) return answer;
  // A newer version may be older than the value, equal to it, or newer.
  const others = [-1, 0, 1].filter((other) => other > difference);
  return others.every((other) => HOLDS[operator](other) === answer) ? answer : undefined;
}

function invalid(term: string, variable: string, reason: string): never {
  throw new NvociError(
    "request-invalid",
    `Cannot check the requirement ${quote(term)} (${variable}): ${reason}`,
  );
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
    cuda === undefined ? undefined : `CUDA ${cuda.version}${cuda.orNewer ? " or newer" : ""}`,
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
