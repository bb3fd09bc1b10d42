import { parseArgs } from "node:util";
import { compareCases, type Figures, noFigures, share } from "./compare.ts";

const HELP = `Compares the engine with the plain evaluator on random cases.

  node test/prove/prove.ts --cases 1000000 --seed 1

Exit code: 0, or 1 when a case is decided differently.
`;

const STEP = 10_000;

function main(): number {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [cases, seed] = [Number(values.cases), Number(values.seed)];
  if (values.help || !Number.isSafeInteger(cases) || !Number.isSafeInteger(seed)) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const figures = noFigures();
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
  for (let from = 0; from < cases && figures.cases === from; from += STEP) {
    compareCases(seed, from, Math.min(from + STEP, cases), figures);
    if (figures.cases % (STEP * 5) === 0) {
      process.stderr.write(
        `${figures.cases} cases, ${seconds()} s, ${figures.differences.length} differences\n`,
      );
    }
  }
  process.stdout.write(report(figures, seed, seconds()));
  return figures.differences.length === 0 ? 0 : 1;
}

function report(
  { cases, answers, rules, statements, excepted, differences }: Figures,
  seed: number,
  seconds: string,
): string {
  const shares = (counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .toSorted(([, left], [, right]) => right - left)
      .map(([name, count]) => `${name} ${percent(share(count, cases))}`)
      .join(", ");
  const fits = (["Allow", "Deny"] as const).map((effect) => {
    const { seen, fit } = statements[effect];
    return `${effect} ${percent(share(fit, seen))} of ${seen}`;
  });
  return [
    `seed         ${seed}`,
    `cases        ${cases}`,
    `seconds      ${seconds}`,
    `decisions    ${shares(answers)}`,
    `rules        ${shares(rules)}`,
    `statements   of every fourth case that fit their request: ${fits.join(", ")}`,
    `excepted     ${excepted.size === 0 ? "none" : [...excepted].map(([name, count]) => `${name} ${count}`).join(", ")}`,
    `differences  ${differences.length}`,
    ...differences.map(
      ({ seed: one, line, fast, plain }) =>
        `\n${line}\n  seed ${one}: the engine ${fast.decision} (${fast.rule}), plainly ${plain.decision} (${plain.rule})`,
    ),
    "",
  ].join("\n");
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

process.exitCode = main();
