import { expect, it } from "vitest";
import { checkRequirements, parseTerm, type RequirementFacts } from "../../../src/request/requirements.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";

const TESLA = { arch: "8.0", brands: ["tesla", "nvidia"] };
const exactly = (version: string) => () => ({ version, orNewer: false });
const HOST: RequirementFacts = { driver: "535.86.05", cuda: exactly("12.2"), gpus: [TESLA] };
const SOURCE = "NVIDIA_REQUIRE_CUDA";

const check = (expression: string, facts: RequirementFacts = HOST) =>
  collectFindings((report) => checkRequirements([{ source: SOURCE, expression }], facts, report)).findings;

it.each([
  "",
  "  ",
  ",",
  "cuda>=12.2",
  "cuda>=12",
  "cuda=12.2.0",
  "cuda<12.10",
  "cuda>9.2",
  "CUDA>=11.0",
  "driver>=535,driver<536",
  "driver>=535.86",
  "driver=535.86.5",
  "arch>=7.0",
  "arch!8.6",
  "brand=tesla",
  "brand=NVIDIA",
  "cuda>=13.0 brand=tesla,driver>=535,driver<536",
  "cuda>=13.0  ,cuda>=12,",
  // Nothing after the first alternative that is met is evaluated.
  "cuda>=12 nonsense",
])("checkRequirements() accepts %j", (expression) => {
  expect(check(expression)).toEqual([]);
});

it.each([
  "cuda>=12.4",
  "cuda>12.2.0",
  "cuda!=12.2",
  "cuda<12.2",
  "driver>=535.86.06",
  "arch=8.6",
  "brand=geforce",
  "cuda>=12.2,driver>=550",
  "cuda>=12.4 brand=tesla,driver>=470,driver<471 brand=geforce,driver>=535",
])("checkRequirements() refuses %j", (expression) => {
  const error = catchError(() => check(expression));
  expect(error.code).toBe("requirement-unmet");
  expect(error.message).toContain(SOURCE);
  expect(error.message).toContain("CUDA 12.2, driver 535.86.05");
});

it("checkRequirements() names the variable and the first alternative, on one line", () => {
  const error = catchError(() => check("cuda>=12.4,brand=tesla brand=geforce\u0007"));
  expect(error.message).toContain('"cuda>=12.4,brand=tesla" (NVIDIA_REQUIRE_CUDA)');
  expect(error.render()).not.toContain("\u0007");
});

it.each([
  "cuda",
  "cuda>=",
  ">=12",
  "cuda==12",
  "cuda=>12",
  "cuda<>12",
  "cuda>=12.x",
  "cuda>=1..2",
  "brand>tesla",
])("checkRequirements() cannot parse %j", (expression) => {
  const error = catchError(() => check(expression));
  expect(error.code).toBe("request-invalid");
  expect(error.message).toContain(SOURCE);
});

/** A driver that is newer than all known ones: its CUDA version is 13.5 or any later one. */
const NEWER: RequirementFacts = { ...HOST, cuda: () => ({ version: "13.5", orNewer: true }) };

it.each([
  "cuda>=12.9",
  "cuda>=13.5",
  "cuda>13.4",
  "cuda!=13.4",
  "driver>=535",
])("checkRequirements() knows that a driver newer than all known ones meets %j", (expression) => {
  expect(check(expression, NEWER)).toEqual([]);
});

it.each([
  "cuda<13.5",
  "cuda<=13.4",
  "cuda=13.4",
  "cuda<13",
])("checkRequirements() knows that a driver newer than all known ones does not meet %j", (expression) => {
  expect(catchError(() => check(expression, NEWER)).message).toContain("the host has CUDA 13.5 or newer");
});

it.each([
  "cuda>=13.6",
  "cuda>13.5",
  "cuda<14",
  "cuda<=13.5",
  "cuda=13.5",
  "cuda=14.0",
  "cuda!=13.5",
])("checkRequirements() cannot know whether a driver newer than all known ones meets %j", (expression) => {
  expect(check(expression, NEWER)).toMatchObject([{ code: "requirement-unchecked" }]);
});

it("checkRequirements() checks every GPU", () => {
  const geforce = { arch: "8.6", brands: ["geforce"] };
  expect(catchError(() => check("brand=tesla", { ...HOST, gpus: [TESLA, geforce] })).code).toBe(
    "requirement-unmet",
  );
  expect(check("brand=tesla brand=geforce", { ...HOST, gpus: [TESLA, geforce] })).toEqual([]);
});

it("checkRequirements() checks every requirement", () => {
  const requirements = [
    { source: "NVIDIA_REQUIRE_A", expression: "cuda>=12" },
    { source: "NVIDIA_REQUIRE_B", expression: "driver>=600" },
  ];
  expect(catchError(() => checkRequirements(requirements, HOST, () => {})).message).toContain(
    "NVIDIA_REQUIRE_B",
  );
});

it.each([
  ["cuda>=99", { cuda: () => undefined }],
  ["driver>=999", { driver: undefined }],
  ["arch>=12.0", { gpus: [{ arch: undefined, brands: [] }] }],
  ["brand=tesla", { gpus: [{ arch: undefined, brands: [] }] }],
  ["brand=tesla", { gpus: [] }],
  ["phase=moon", {}],
])("checkRequirements() accepts %j with a finding if the host does not report the fact", (expression, facts) => {
  expect(check(expression, { ...HOST, ...facts })).toMatchObject([
    { code: "requirement-unchecked", source: SOURCE, args: { variable: SOURCE, term: expression } },
  ]);
});

it("checkRequirements() reports an unchecked term once, and none of unused alternatives", () => {
  const gpus = [
    { arch: undefined, brands: ["tesla"] },
    { arch: undefined, brands: ["tesla"] },
  ];
  expect(check("arch>=7.0", { ...HOST, gpus })).toHaveLength(1);
  expect(check("cuda>=13,arch>=7.0 cuda>=12", { ...HOST, gpus })).toEqual([]);
});

it("checkRequirements() does not read the CUDA version unless something depends on it", () => {
  const facts: RequirementFacts = {
    ...HOST,
    cuda(): never {
      throw new Error("asked");
    },
  };
  expect(check("driver>=470", facts)).toEqual([]);
});

it("checkRequirements() takes linear time for a long expression", () => {
  expect(catchError(() => check("cuda>=99 ".repeat(4096))).code).toBe("requirement-unmet");
  expect(catchError(() => check(`${"<".repeat(100_000)}`)).code).toBe("request-invalid");
});

it("parseTerm() keeps the text and lowercases the name", () => {
  expect(parseTerm("Brand!=Tesla", SOURCE)).toEqual({
    text: "Brand!=Tesla",
    name: "brand",
    operator: "!=",
    value: "Tesla",
  });
});

it("checkRequirements() reports the first of many terms that it cannot check", () => {
  const expression = Array.from({ length: 1000 }, (_, index) => `x${index}>=1`).join(",");
  const findings = check(expression);
  expect(findings).toHaveLength(17);
  expect(findings.at(-1)).toMatchObject({ code: "findings-left-out", args: { count: 984 } });
});

it("checkRequirements() refuses too many terms and too long a term", () => {
  expect(check("cuda>=9.0 ".repeat(4096))).toEqual([]);
  expect(catchError(() => check("cuda>=9.0 ".repeat(4097)))).toMatchObject({
    code: "request-invalid",
    message: "Cannot check the container's NVIDIA_REQUIRE_CUDA: the requirements have more than 4096 terms",
  });
  expect(catchError(() => check(`cuda>=${"1.".repeat(200)}1`)).code).toBe("request-invalid");
});

it("checkRequirements() checks every model of GPU once", () => {
  let asked = 0;
  const brands = ["tesla"];
  const gpus = Array.from({ length: 16 }, () => ({ arch: "8.0", brands }));
  const facts = {
    gpus,
    driver: "535",
    cuda() {
      asked++;
      return { version: "12.2", orNewer: false };
    },
  };
  expect(check("cuda>=12", facts)).toEqual([]);
  // Once to decide, and once for what could not be checked.
  expect(asked).toBe(2);
  const mixed = { ...HOST, gpus: [...gpus, { arch: "7.0", brands }] };
  expect(catchError(() => check("arch>=8.0", mixed)).code).toBe("requirement-unmet");
});
