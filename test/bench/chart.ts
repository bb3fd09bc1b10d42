import { inWords, type Report } from "./report.ts";

const [WIDTH, LEFT, RIGHT, TOP, ROW, BAR] = [760, 190, 90, 44, 26, 14];
const COLOURS = { own: "#2f81f7", peer: "#8b949e", "by hand": "#8b949e", limit: "#bf8700" } as const;

/** Bars on a logarithmic scale, a line from the slowest to the fastest round; its greys are legible on black and on white. */
export function toSvg({ rows, node, cores, date }: Report): string {
  const least = Math.floor(Math.log10(Math.min(...rows.map(({ perSecond }) => perSecond.min)) / 2));
  const most = Math.log10(Math.max(...rows.map(({ perSecond }) => perSecond.max)));
  const x = (value: number) =>
    round(LEFT + ((Math.log10(value) - least) / (most - least)) * (WIDTH - LEFT - RIGHT));
  const height = TOP + rows.length * ROW + 40;
  const powers = Array.from({ length: Math.floor(most) - least + 1 }, (_, index) => 10 ** (least + index));
  const bottom = TOP + rows.length * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">`,
    `  <title id="title">Decisions a second, logarithmic scale</title>`,
    "  <style>",
    "    text { font: 13px system-ui, sans-serif; fill: #24292f }",
    "    .faint { fill: #6e7781 } .grid { stroke: #8c959f; stroke-opacity: 0.35 } .spread { stroke: #24292f }",
    "    @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .faint { fill: #8d96a0 } .spread { stroke: #e6edf3 } }",
    "  </style>",
    `  <text x="${LEFT}" y="18">Decisions a second, logarithmic scale</text>`,
    ...powers.flatMap((power) => [
      `  <line class="grid" x1="${x(power)}" y1="${TOP - 8}" x2="${x(power)}" y2="${bottom}"/>`,
      `  <text class="faint" x="${x(power)}" y="${bottom + 16}" text-anchor="middle">${inWords(power)}</text>`,
    ]),
    ...rows.flatMap(({ engine, kind, perSecond: { median, min, max } }, index) => {
      const [top, middle] = [TOP + index * ROW, TOP + index * ROW + BAR / 2];
      return [
        `  <text x="${LEFT - 10}" y="${middle + 4}" text-anchor="end">${engine}</text>`,
        `  <rect x="${LEFT}" y="${top}" width="${round(x(median) - LEFT)}" height="${BAR}" rx="2" fill="${COLOURS[kind]}"/>`,
        `  <line class="spread" x1="${x(min)}" y1="${middle}" x2="${x(max)}" y2="${middle}"/>`,
        `  <text x="${round(Math.max(x(median), x(max)) + 6)}" y="${middle + 4}">${inWords(median)}</text>`,
      ];
    }),
    `  <text class="faint" x="${LEFT}" y="${height - 6}">Node ${node}, ${cores} cores, ${date}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
