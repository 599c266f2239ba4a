// The ratios to reach against raw-2hop (the design's "numbers to reach"), beside which the report sets what was measured.

export interface Goal {
  readonly client: 'node' | 'chromium';
  readonly measure: string;
  /** Our figure divided by raw-2hop's: at least, or at most. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Not a ratio: our own figure, in the measure's unit. */
  readonly absoluteAtMost?: number;
}

export const GOALS: readonly Goal[] = [
  { client: 'node', measure: 'rpc-64', atLeast: 3 },
  { client: 'node', measure: 'rpc-256', atLeast: 3 },
  { client: 'chromium', measure: 'rpc-64', atLeast: 8 },
  { client: 'chromium', measure: 'rpc-256', atLeast: 12 },
  { client: 'node', measure: 'rpc-1', atMost: 1.2 },
  { client: 'node', measure: 'down-1m', atLeast: 1 },
  { client: 'chromium', measure: 'down-1m', atLeast: 0.75 },
  { client: 'node', measure: 'beside', atMost: 0.3 },
  { client: 'node', measure: 'signal-100', atLeast: 10 },
  { client: 'node', measure: 'cpu', atMost: 0.25 },
  { client: 'node', measure: 'memory', absoluteAtMost: 64 },
];

export function goalFor(client: string, measure: string): Goal | undefined {
  return GOALS.find((goal) => goal.client === client && goal.measure === measure);
}

/** Whether it is reached by a ratio to raw-2hop and a figure of our own. */
export function isReached(goal: Goal, ratio: number, figure: number): boolean {
  if (goal.absoluteAtMost !== undefined) return figure <= goal.absoluteAtMost;
  if (goal.atMost !== undefined) return ratio <= goal.atMost;
  return ratio >= (goal.atLeast ?? 0);
}

export function goalText(goal: Goal): string {
  if (goal.absoluteAtMost !== undefined) return `≤ ${goal.absoluteAtMost}`;
  return goal.atMost !== undefined ? `≤ ${goal.atMost} ×` : `≥ ${goal.atLeast} ×`;
}
