// A robot as this browser remembers it. Layer: memory; pure. The URL holds the token, which is a secret of the origin.
import { fragmentOf } from '../robot/address.ts';
import type { Snapshot } from './snapshot.ts';

/** What a plot showed last. */
export interface LastPlotted {
  readonly source: string;
  readonly member: string;
  readonly values: readonly (readonly [label: string, value: number])[];
  /** Milliseconds since 1970, as all times here. */
  readonly atMs: number;
}

export interface KnownRobot {
  /** Of its identity. */
  readonly id: string;
  /** The agent's, with token and id. */
  readonly url: string;
  /** Where it was found last. */
  readonly address: string;
  /** When this browser last had a link to it. */
  readonly seenAtMs: number;
  readonly snapshot: Snapshot;
  readonly plotted?: LastPlotted | undefined;
}

/** The robot that an agent's URL means: by its id, or by a token where the URL has no id. */
export function findRobot(robots: readonly KnownRobot[], url: string): KnownRobot | undefined {
  const { token, robot } = namesIn(url);
  if (robot !== '') return robots.find(({ id }) => id === robot);
  return robots.find((known) => sameOrigin(known.url, url) && namesIn(known.url).token === token);
}

/** The robots with one that was seen now, the one seen last first; those that were seen longest ago fall off. */
export function withRobot(robots: readonly KnownRobot[], seen: KnownRobot): readonly KnownRobot[] {
  return [seen, ...robots.filter(({ id }) => id !== seen.id)].slice(0, MAX_ROBOTS);
}

/** An origin is one agent's; it changes its robot seldom. */
export const MAX_ROBOTS = 8;

function namesIn(url: string): { readonly token: string; readonly robot: string } {
  const fragment = fragmentOf(new URL(url).hash);
  return { token: fragment.get('token') ?? '', robot: fragment.get('robot') ?? '' };
}

function sameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}
