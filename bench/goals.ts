// What our sides are to reach against raw-2hop, or another side, in the same run, beside which the report sets what was
// measured. Pure.

import type { SideName } from './echo-client.ts';

export interface Goal {
  readonly side: SideName;
  readonly client: 'node' | 'chromium';
  readonly measure: string;
  /** The side that it is measured against; default raw-2hop. */
  readonly against?: SideName;
  /** The side's figure divided by the other's: at least, or at most. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Not a ratio: the side's own figure, in the measure's unit. */
  readonly absoluteAtMost?: number;
}

/** What sealing may cost. */
const SEALED: readonly Goal[] = (['node', 'chromium'] as const).flatMap((client) =>
  ['rpc-64', 'rpc-256', 'down-1m', 'up-1m'].map(
    (measure): Goal => ({ side: 'qiway-sealed', client, measure, against: 'qiway', atLeast: 0.6 }),
  ),
);

const GOALS: readonly Goal[] = [
  { side: 'qiway', client: 'node', measure: 'rpc-64', atLeast: 3 },
  { side: 'qiway', client: 'node', measure: 'rpc-256', atLeast: 3 },
  { side: 'qiway', client: 'chromium', measure: 'rpc-64', atLeast: 8 },
  { side: 'qiway', client: 'chromium', measure: 'rpc-256', atLeast: 12 },
  { side: 'qiway', client: 'node', measure: 'rpc-1', atMost: 1.2 },
  { side: 'qiway', client: 'node', measure: 'down-1m', atLeast: 1 },
  { side: 'qiway', client: 'chromium', measure: 'down-1m', atLeast: 0.75 },
  { side: 'qiway', client: 'node', measure: 'beside', atMost: 0.3 },
  { side: 'qiway', client: 'node', measure: 'signal-100', atLeast: 10 },
  { side: 'qiway', client: 'node', measure: 'cpu', atMost: 0.25 },
  { side: 'qiway', client: 'node', measure: 'memory', absoluteAtMost: 64 },
  ...SEALED,
  ...['rpc-64', 'rpc-256', 'down-1m'].map(
    (measure): Goal => ({ side: 'qiway-worker', client: 'chromium', measure, against: 'qiway', atLeast: 0.7 }),
  ),
  { side: 'qi-door', client: 'node', measure: 'rpc-64', atLeast: 2 },
  { side: 'qi-door', client: 'node', measure: 'rpc-256', atLeast: 2 },
  { side: 'qi-door', client: 'node', measure: 'down-1m', atLeast: 1 },
  { side: 'qi-door', client: 'node', measure: 'up-1m', atLeast: 1 },
  // A tenth of what the original takes (2.2 s for gateway and service on a machine like this).
  { side: 'qi-door', client: 'node', measure: 'cpu-both', absoluteAtMost: 0.22 },
];

/** One for each side that has one. */
export function goalsFor(client: string, measure: string): readonly Goal[] {
  return GOALS.filter((goal) => goal.client === client && goal.measure === measure);
}

/** Whether it is reached by a ratio to the other side and a figure of the side's own. */
export function isReached(goal: Goal, ratio: number, figure: number): boolean {
  if (goal.absoluteAtMost !== undefined) return figure <= goal.absoluteAtMost;
  if (goal.atMost !== undefined) return ratio <= goal.atMost;
  return ratio >= (goal.atLeast ?? 0);
}

export function goalText(goal: Goal): string {
  if (goal.absoluteAtMost !== undefined) return `≤ ${goal.absoluteAtMost}`;
  const ratio = goal.atMost !== undefined ? `≤ ${goal.atMost} ×` : `≥ ${goal.atLeast} ×`;
  return goal.against === undefined ? ratio : `${ratio} ${goal.against}`;
}
