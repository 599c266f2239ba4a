// The figures of a run, as a table. Pure.
import { SIDES, type SideName } from './echo-client.ts';
import { type Spread, short, spread } from './figures.ts';
import { type Goal, goalsFor, goalText, isReached } from './goals.ts';

/** One measure of one side in one round. */
export interface Sample {
  readonly client: string;
  readonly measure: string;
  readonly side: SideName;
  readonly round: number;
  readonly value: number;
}

export interface SideFigures {
  readonly figure: Spread;
  readonly ratio: Spread | undefined;
}

export interface Row {
  readonly client: string;
  readonly measure: string;
  readonly title: string;
  readonly unit: string;
  readonly sides: Partial<Record<SideName, SideFigures>>;
  /** Of the sides that were measured. */
  readonly goals: readonly RowGoal[];
}

export interface RowGoal {
  readonly side: SideName;
  readonly text: string;
  /** To another side than raw-2hop, where that is the goal. */
  readonly ratio?: number;
  /** Undefined when there is nothing to compare with. */
  readonly isReached: boolean | undefined;
}

export interface RowKind {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
}

const BASE: SideName = 'raw-2hop';

export function makeRows(samples: readonly Sample[], kinds: readonly RowKind[]): Row[] {
  const rows: Row[] = [];
  for (const client of new Set(samples.map((sample) => sample.client))) {
    for (const { name, title, unit } of kinds) {
      const mine = samples.filter((sample) => sample.client === client && sample.measure === name);
      if (mine.length > 0) rows.push(makeRow(client, { name, title, unit }, mine));
    }
  }
  return rows;
}

function makeRow(client: string, { name, title, unit }: RowKind, samples: readonly Sample[]): Row {
  const sides: Row['sides'] = {};
  for (const side of SIDES) {
    const mine = samples.filter((sample) => sample.side === side);
    if (mine.length === 0) continue;
    const ratios = ratiosTo(BASE, mine, samples);
    sides[side] = {
      figure: spread(mine.map(({ value }) => value)),
      ratio: ratios.length === 0 ? undefined : spread(ratios),
    };
  }
  const goals = goalsFor(client, name).flatMap((goal) => {
    const entry = sides[goal.side];
    if (entry === undefined) return [];
    if (goal.against === undefined) return [rowGoal(goal, entry)];
    const mine = samples.filter((sample) => sample.side === goal.side);
    const ratios = ratiosTo(goal.against, mine, samples);
    const ratio = ratios.length === 0 ? undefined : spread(ratios);
    return [{ ...rowGoal(goal, { figure: entry.figure, ratio }), ...(ratio && { ratio: ratio.median }) }];
  });
  return { client, measure: name, title, unit, sides, goals };
}

/** Taken within a round, where both had the same neighbours on the machine. */
function ratiosTo(base: SideName, mine: readonly Sample[], samples: readonly Sample[]): number[] {
  return mine.flatMap(({ round, value }) => {
    const other = samples.find((sample) => sample.side === base && sample.round === round);
    return other === undefined ? [] : [value / other.value];
  });
}

function rowGoal(goal: Goal, { figure, ratio }: SideFigures): RowGoal {
  const isKnown = goal.absoluteAtMost !== undefined || ratio !== undefined;
  return {
    side: goal.side,
    text: goalText(goal),
    isReached: isKnown ? isReached(goal, ratio?.median ?? Number.NaN, figure.median) : undefined,
  };
}

/** A Markdown table, which reads as well in a terminal. */
export function makeTable(rows: readonly Row[]): string {
  const names = SIDES.filter((side) => rows.some((row) => row.sides[side] !== undefined));
  const lines: string[][] = [['client', 'measure', ...names, 'goals']];
  for (const row of rows) {
    lines.push([
      row.client,
      `${row.title} (${row.unit})`,
      ...names.map((side) => cell(row, side)),
      row.goals.map(goalCell).join(', '),
    ]);
  }
  return markdown(lines);
}

/** The first line is the head. */
export function markdown(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const text = (line: readonly string[]): string =>
    `| ${line.map((item, column) => item.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [head = [], ...body] = lines;
  return [text(head), rule, ...body.map(text)].join('\n');
}

function goalCell({ side, text, ratio, isReached }: RowGoal): string {
  const reached = isReached === undefined ? '' : isReached ? ': yes' : ': **no**';
  return `${side} ${text}${reached}${ratio === undefined ? '' : ` (${short(ratio)})`}`;
}

function cell(row: Row, side: SideName): string {
  const entry = row.sides[side];
  if (entry === undefined) return '';
  const { figure, ratio } = entry;
  const quartiles = figure.count < 3 ? '' : ` (${short(figure.low)}–${short(figure.high)})`;
  const figures = `${short(figure.median)}${quartiles}`;
  return side === BASE || ratio === undefined ? figures : `${figures} = ${short(ratio.median)} ×`;
}
