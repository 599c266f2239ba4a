// What a part of the bench is that needs processes of its own, and the table of their figures. Pure.
import { type Spread, short, spread } from '../figures.ts';
import { markdown } from '../report.ts';

export interface PartOptions {
  readonly rounds: number;
  /** Length of one measurement; counts of cuts and of sessions go with it. */
  readonly runMs: number;
}

export interface PartRow {
  readonly title: string;
  readonly unit: string;
  readonly figure: Spread;
  /** To what is named beside it; of each round. */
  readonly ratio?: Spread;
  readonly to?: string;
  readonly goal?: string;
  readonly isReached?: boolean;
  /** Of every round. */
  readonly samples: readonly number[];
}

export interface Part {
  readonly name: string;
  run(options: PartOptions): Promise<readonly PartRow[]>;
}

interface RowDetails {
  readonly unit: string;
  readonly samples: readonly number[];
  /** What each round is divided by. */
  readonly base?: { readonly name: string; readonly samples: readonly number[] };
  /** Of the ratio if there is one, else of the figure. */
  readonly atMost?: number;
}

export function makePartRow(title: string, { unit, samples, base, atMost }: RowDetails): PartRow {
  const figure = spread(samples);
  const ratios = base?.samples.flatMap((value, round) => {
    const mine = samples[round];
    return mine === undefined ? [] : [mine / value];
  });
  const ratio = ratios === undefined ? undefined : spread(ratios);
  return {
    title,
    unit,
    figure,
    samples,
    ...(ratio !== undefined && base !== undefined && { ratio, to: base.name }),
    ...(atMost !== undefined && {
      goal: `≤ ${atMost}${ratio === undefined ? '' : ' ×'}`,
      isReached: (ratio ?? figure).median <= atMost,
    }),
  };
}

/** A Markdown table. */
export function makePartTable(rows: readonly PartRow[]): string {
  const head = ['what', 'figure', 'ratio', 'to', 'goal', 'reached'];
  const body = rows.map(({ title, unit, figure, ratio, to, goal, isReached }) => [
    `${title} (${unit})`,
    withQuartiles(figure),
    ratio === undefined ? '' : withQuartiles(ratio),
    to ?? '',
    goal ?? '',
    isReached === undefined ? '' : isReached ? 'yes' : '**no**',
  ]);
  return markdown([head, ...body]);
}

function withQuartiles({ median, low, high, count }: Spread): string {
  return count < 3 ? short(median) : `${short(median)} (${short(low)}–${short(high)})`;
}
