import { parseArgs } from "node:util";
import { compareWithOracle, noOracleFigures, type OracleFigures } from "./compare-oracle.ts";
import { compareCases, type Figures, noFigures, share } from "./compare.ts";
import { DIVERGENCES } from "./divergences.ts";
import { fuzzDocuments, noFuzzFigures } from "./fuzz-documents.ts";
import { fuzzPatterns, noPatternFigures } from "./fuzz-patterns.ts";
import { noProbeFigures, probeDocument, readManagedPolicies } from "./managed-policies.ts";
import { loadOracle } from "./oracle.ts";
import { seedOf } from "./random-cases.ts";

const HELP = `Proves the engine on random and real input: the long share of what \`npm test\` does.

  npm run prove                       everything below, one after the other
  npm run prove -- evaluator          random cases, against the plain evaluator
  npm run prove -- oracle             random cases, against iam-simulate
                                      (npm ci --prefix test/bench installs it)
  npm run prove -- managed-policies   every version of AWS's own policies, probed
  npm run prove -- documents          documents gone wrong, against the plain door
  npm run prove -- patterns           random patterns, against the plain matcher

  --cases <n>   how many; if left out 1000000, 100000, all, 100000 and 1000000
  --seed <n>    the same seed gives the same cases; 1 if left out

Exit code: 0, or 1 when something is decided differently, or 2 when it could not be run.
`;

type Proof = {
  cases: number;
  /** Runs it; `progress` is told how far it is. */
  run: (cases: number, seed: number, progress: (done: number, faults: number) => void) => Promise<Outcome>;
};

type Outcome = { lines: string[]; faults: number } | "not installed";

const STEP = 10_000;

/** Calls in steps, until all are done or one of them has a fault. */
function inSteps(
  cases: number,
  step: (from: number, upTo: number) => number,
  progress: Parameters<Proof["run"]>[2],
) {
  for (let from = 0, faults = 0; from < cases && faults === 0; from += STEP) {
    const upTo = Math.min(from + STEP, cases);
    faults = step(from, upTo);
    progress(upTo, faults);
  }
}

const PROOFS: { [name: string]: Proof } = {
  evaluator: {
    cases: 1_000_000,
    run: async (cases, seed, progress) => {
      const figures = noFigures();
      inSteps(
        cases,
        (from, upTo) => {
          compareCases(seed, from, upTo, figures);
          return figures.differences.length;
        },
        progress,
      );
      return { lines: evaluatorReport(figures), faults: figures.differences.length };
    },
  },
  oracle: {
    cases: 100_000,
    run: async (cases, seed, progress) => {
      const oracle = await loadOracle();
      if (!oracle) return "not installed";
      const figures = noOracleFigures();
      inSteps(
        cases,
        (from, upTo) => {
          compareWithOracle(oracle, seed, from, upTo, figures);
          return figures.differences.length;
        },
        progress,
      );
      return { lines: oracleReport(figures), faults: figures.differences.length };
    },
  },
  "managed-policies": {
    cases: Number.MAX_SAFE_INTEGER,
    run: async (cases, seed, progress) => {
      const figures = noProbeFigures();
      for (const [index, document] of readManagedPolicies("all").slice(0, cases).entries()) {
        probeDocument(document, seedOf(seed, index), Number.MAX_SAFE_INTEGER, figures);
        if (figures.documents % 1000 === 0) progress(figures.documents, figures.differences.length);
      }
      const { documents, statements, probes, hits, answers, differences } = figures;
      return {
        lines: [
          `documents    ${documents}, all parsed`,
          `statements   ${statements}`,
          `probes       ${probes}, of which ${percent(hits, probes)} fit their statement`,
          `decisions    ${shares(answers, probes)}`,
          `differences  ${differences.length}`,
          ...differences.slice(0, 10),
        ],
        faults: differences.length,
      };
    },
  },
  documents: {
    cases: 100_000,
    run: async (cases, seed, progress) => {
      const figures = noFuzzFigures();
      const managed = readManagedPolicies("current").map(({ document }) => document);
      inSteps(
        cases,
        (from, upTo) => {
          fuzzDocuments(seed, from, upTo, managed, figures);
          return figures.faults.length;
        },
        progress,
      );
      const { documents, accepted, refused, excepted, faults } = figures;
      return {
        lines: [
          `documents    ${documents}`,
          `accepted     ${percent(accepted, documents)}`,
          `refused      ${percent(refused, documents)}, each as InvalidPolicy with a path`,
          `excepted     ${counted(excepted)}`,
          `faults       ${faults.length}`,
          ...faults.map(({ seed: one, text, fault }) => `\n${text}\n  seed ${one}: ${fault}`),
        ],
        faults: faults.length,
      };
    },
  },
  patterns: {
    cases: 1_000_000,
    run: async (cases, seed, progress) => {
      const figures = noPatternFigures();
      inSteps(
        cases,
        (from, upTo) => {
          fuzzPatterns(seed, from, upTo, figures);
          return figures.differences.length;
        },
        progress,
      );
      const { matches, covered, differences } = figures;
      return {
        lines: [
          `patterns     ${matches}, of which ${percent(covered, matches)} match`,
          `differences  ${differences.length}`,
          ...differences.map((difference) => JSON.stringify(difference)),
        ],
        faults: differences.length,
      };
    },
  },
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      cases: { type: "string" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  const [cases, seed] = [values.cases === undefined ? undefined : Number(values.cases), Number(values.seed)];
  const names = positionals.length === 0 ? Object.keys(PROOFS) : positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (cases !== undefined && !(Number.isSafeInteger(cases) && cases > 0)) {
    throw new Error("`--cases` is a whole number above 0");
  }
  if (!Number.isSafeInteger(seed)) throw new Error("`--seed` is a whole number");
  const unknown = names.find((name) => !Object.hasOwn(PROOFS, name));
  if (unknown !== undefined) {
    throw new Error(`there is no proof \`${unknown}\`, only ${Object.keys(PROOFS).join(", ")}`);
  }
  let exitCode = 0;
  for (const name of names) exitCode = Math.max(exitCode, await prove(name, cases, seed));
  return exitCode;
}

async function prove(name: string, cases: number | undefined, seed: number): Promise<number> {
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
  const proof = PROOFS[name];
  const outcome = await proof?.run(cases ?? proof.cases, seed, (done, faults) => {
    if (done % (5 * STEP) === 0 || done < STEP) {
      process.stderr.write(`${name}: ${done}, ${seconds()} s, ${faults} differences\n`);
    }
  });
  if (outcome === undefined) return 2;
  if (outcome === "not installed") {
    process.stderr.write(`${name}: iam-simulate is not installed here: npm ci --prefix test/bench\n`);
    return 2;
  }
  const head = [`proof        ${name}`, `seed         ${seed}`, `seconds      ${seconds()}`];
  process.stdout.write(`${[...head, ...outcome.lines].join("\n")}\n\n`);
  return outcome.faults === 0 ? 0 : 1;
}

function evaluatorReport({ cases, answers, rules, statements, excepted, differences }: Figures): string[] {
  const fits = (["Allow", "Deny"] as const).map((effect) => {
    const { seen, fit } = statements[effect];
    return `${effect} ${percent(fit, seen)} of ${seen}`;
  });
  return [
    `cases        ${cases}`,
    `decisions    ${shares(answers, cases)}`,
    `rules        ${shares(rules, cases)}`,
    `statements   of every fourth case that fit their request: ${fits.join(", ")}`,
    `excepted     ${counted(excepted)}`,
    `differences  ${differences.length}`,
    ...differences.map(
      ({ seed: one, line, fast, plain }) =>
        `\n${line}\n  seed ${one}: the engine ${fast.decision} (${fast.rule}), plainly ${plain.decision} (${plain.rule})`,
    ),
  ];
}

function oracleReport(figures: OracleFigures): string[] {
  const { cases, whole, statements, compared, refused, unjudged, answers, divergences, differences } =
    figures;
  return [
    `cases        ${cases}, of which ${percent(whole, cases)} whole`,
    `statements   ${statements}, of which ${percent(compared, statements)} compared`,
    `decisions    ${shares(answers, cases)}`,
    `left out     ${refused} documents that the door refuses, ${unjudged} statements that refuse the request`,
    `divergences  statements left out; of those left out for nothing else, how many differ`,
    ...DIVERGENCES.map(({ name }) => {
      const { statements: held = 0, alone = 0, differs = 0 } = divergences.get(name) ?? {};
      return `  ${String(held).padStart(6)}  ${`${differs} of ${alone}`.padStart(13)}  ${name}`;
    }),
    `unexplained  ${differences.length}`,
    ...differences.map(
      ({ seed: one, line, engine, oracle }) =>
        `\n${line}\n  seed ${one}: the engine ${engine}, iam-simulate ${oracle}`,
    ),
  ];
}

function shares(counts: ReadonlyMap<string, number>, whole: number): string {
  return [...counts]
    .toSorted(([, left], [, right]) => right - left)
    .map(([name, count]) => `${name} ${percent(count, whole)}`)
    .join(", ");
}

function counted(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? "none" : [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}

function percent(part: number, whole: number): string {
  return `${(share(part, whole) * 100).toFixed(1)} %`;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`prove: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
