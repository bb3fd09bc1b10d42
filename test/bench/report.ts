import { availableParallelism } from "node:os";
import type { Differences } from "./compare.ts";
import type { Engine } from "./engine.ts";
import { markdownTable } from "./markdown-table.ts";
import { type Rates, type Spread, spreadOf, timesOf } from "./measure.ts";

type Row = {
  readonly engine: string;
  readonly kind: Engine["kind"];
  readonly note: string;
  readonly perSecond: Spread;
  /** Missing where nothing of that kind was timed. */
  readonly timesFastestPeer?: Spread;
  readonly timesCedar?: Spread;
  readonly compared: number;
  readonly differ: number;
};

export type Report = {
  readonly date: string;
  readonly node: string;
  readonly cores: number;
  readonly rounds: number;
  readonly seed: number;
  readonly workload: string;
  readonly fastestPeer?: string;
  /** The fastest first. */
  readonly rows: readonly Row[];
};

export function reportOf(
  rates: Rates,
  differences: ReadonlyMap<Engine, Differences>,
  about: Pick<Report, "rounds" | "seed" | "workload">,
): Report {
  const timed = [...rates].map(([engine, ofEngine]) => ({
    engine,
    rates: ofEngine,
    perSecond: spreadOf(ofEngine),
  }));
  timed.sort((left, right) => right.perSecond.median - left.perSecond.median);
  const fastest = timed.find(({ engine }) => engine.kind === "peer");
  const cedar = timed.find(({ engine }) => engine.name === "cedar-wasm");
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cores: availableParallelism(),
    ...about,
    ...(fastest ? { fastestPeer: fastest.engine.name } : {}),
    rows: timed.map(({ engine, rates: ofEngine, perSecond }) => ({
      engine: engine.name,
      kind: engine.kind,
      note: engine.note,
      perSecond,
      ...(fastest ? { timesFastestPeer: timesOf(ofEngine, fastest.rates) } : {}),
      ...(cedar ? { timesCedar: timesOf(ofEngine, cedar.rates) } : {}),
      compared: engine.compared,
      differ: differences.get(engine)?.count ?? 0,
    })),
  };
}

/** The report as Markdown, which reads as plain text, too. */
export function toMarkdown(report: Report): string {
  const columns: readonly (readonly [string, (row: Row) => string | undefined])[] = [
    ["", ({ engine }) => engine],
    ["decisions a second", ({ perSecond }) => inWords(perSecond.median)],
    ["slowest to fastest round", ({ perSecond }) => `${inWords(perSecond.min)} to ${inWords(perSecond.max)}`],
    [`times ${report.fastestPeer}`, ({ timesFastestPeer }) => timesFastestPeer && ratio(timesFastestPeer)],
    ["times cedar-wasm", ({ timesCedar }) => timesCedar && ratio(timesCedar)],
    [
      "differ",
      ({ kind, compared, differ }) =>
        kind === "own" || compared === 0 ? "" : `${differ} of ${grouped(compared)}`,
    ],
  ];
  const filled = columns.filter(([, cellOf]) => report.rows.some((row) => cellOf(row) !== undefined));
  const lines = [
    filled.map(([head]) => head),
    ...report.rows.map((row) => filled.map(([, cellOf]) => cellOf(row) ?? "")),
  ];
  const { node, cores, date, rounds, seed, workload, rows } = report;
  return [
    `Node ${node}, ${cores} cores, ${date}; ${rounds} rounds, seed ${seed}. ${workload}`,
    "",
    ...markdownTable(lines),
    "",
    ...rows.map(({ engine, note }) => `- **${engine}**: ${note}.`),
    "",
  ].join("\n");
}

export function ratio({ median, min, max }: Spread): string {
  return median === 1 && min === max ? "1" : `${digits(median)} (${digits(min)} to ${digits(max)})`;
}

/** Three digits that count. */
function digits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** `4.31 M`, `485 k`, `920`. */
export function inWords(value: number): string {
  if (value >= 999_500) return `${digits(value / 1e6)} M`;
  return value >= 999.5 ? `${digits(value / 1e3)} k` : digits(value);
}

export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
