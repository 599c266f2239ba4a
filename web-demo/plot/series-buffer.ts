// Series over time, bounded in time and number. Layer: plot; pure.
import { MAX_SERIES } from './numbers.ts';

/** Longest window that can be shown, in seconds, and a bound for signals that come very often. */
export const MAX_SPAN_S = 120;
const MAX_POINTS = 24_000;

export interface SeriesBuffer {
  readonly labels: readonly string[];
  /** Times in seconds, then one column per label; undefined where a series has no value, null where its line is broken. */
  readonly columns: readonly [readonly number[], ...(readonly (number | null | undefined)[])[]];
  /** The last value of each series. */
  readonly latest: ReadonlyMap<string, number>;
  add(timeS: number, numbers: ReadonlyMap<string, number>): void;
  /** Values may be missing between those before and those after: the lines are broken here. */
  gap(timeS: number): void;
  clear(): void;
}

export function createSeriesBuffer(): SeriesBuffer {
  const labels: string[] = [];
  const times: number[] = [];
  const values: (number | null | undefined)[][] = [];
  const latest = new Map<string, number>();

  function trim(nowS: number): void {
    let old = Math.max(0, times.length - MAX_POINTS);
    while (old < times.length && (times[old] ?? nowS) < nowS - MAX_SPAN_S) old += 1;
    // In lumps, since taking from the front moves all the rest.
    if (old <= times.length / 8) return;
    times.splice(0, old);
    for (const column of values) column.splice(0, old);
  }

  return {
    labels,
    latest,
    get columns() {
      return [times, ...values] as const;
    },
    add(timeS, numbers) {
      for (const label of numbers.keys()) {
        if (labels.includes(label) || labels.length >= MAX_SERIES) continue;
        labels.push(label);
        values.push(times.map(() => undefined));
      }
      times.push(timeS);
      for (const [index, label] of labels.entries()) {
        const number = numbers.get(label);
        values[index]?.push(number);
        if (number !== undefined) latest.set(label, number);
      }
      trim(timeS);
    },
    gap(timeS) {
      if (times.length === 0 || values.every((column) => column.at(-1) === null)) return;
      times.push(timeS);
      for (const column of values) column.push(null);
      trim(timeS);
    },
    clear() {
      labels.length = 0;
      times.length = 0;
      values.length = 0;
      latest.clear();
    },
  };
}
