// Series over time, bounded in time and number. Layer: plot; pure.
import { MAX_SERIES } from './numbers.ts';

/** Longest window that can be shown, in seconds, and a bound for signals that come very often. */
export const MAX_SPAN_S = 120;
const MAX_POINTS = 24_000;

export interface SeriesBuffer {
  readonly labels: readonly string[];
  /** Times in seconds, then one column per label; null where a series has no value. */
  readonly columns: readonly [number[], ...(number | null)[][]];
  /** The last value of each series. */
  readonly latest: ReadonlyMap<string, number>;
  add(timeS: number, numbers: ReadonlyMap<string, number>): void;
  clear(): void;
}

export function createSeriesBuffer(): SeriesBuffer {
  const labels: string[] = [];
  const columns: [number[], ...(number | null)[][]] = [[]];
  const latest = new Map<string, number>();

  function trim(nowS: number): void {
    const [times] = columns;
    let old = Math.max(0, times.length - MAX_POINTS);
    while (old < times.length && (times[old] ?? nowS) < nowS - MAX_SPAN_S) old += 1;
    // In lumps, since taking from the front moves all the rest.
    if (old > times.length / 8) for (const column of columns) column.splice(0, old);
  }

  return {
    labels,
    columns,
    latest,
    add(timeS, numbers) {
      for (const label of numbers.keys()) {
        if (labels.includes(label) || labels.length >= MAX_SERIES) continue;
        labels.push(label);
        columns.push(columns[0].map(() => null));
      }
      columns[0].push(timeS);
      for (const [index, label] of labels.entries()) {
        const number = numbers.get(label);
        columns[index + 1]?.push(number ?? null);
        if (number !== undefined) latest.set(label, number);
      }
      trim(timeS);
    },
    clear() {
      labels.length = 0;
      columns.length = 1;
      columns[0].length = 0;
      latest.clear();
    },
  };
}
