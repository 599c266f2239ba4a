// What a simulation is like: its network, what goes wrong in it and how often, its bounds. Support of the tests.
import type { Chance } from './chance.ts';
import type { Weather } from './dialer.ts';

export interface Profile {
  readonly steps: number;
  /** Of one message, ms. */
  readonly delayMs: readonly [least: number, most: number];
  readonly heartbeatMs: number;
  /** For which the agent keeps a session without a link. */
  readonly keepMs: number;
  readonly maxQueuedBytes: number;
  /** Part of the bodies that are bulk, from 64 KiB up. */
  readonly bulk: number;
  readonly weather: Weather;
  /** How often each happens, beside 40 things that are no faults. */
  readonly faults: Readonly<Record<Fault, number>>;
}

export const FAULTS = [
  'cut',
  'halfOpen',
  'slow',
  'stop',
  'agentRestart',
  'clientRestart',
  'move',
  'probe',
  'dial',
] as const;
export type Fault = (typeof FAULTS)[number];

const MIB = 1024 * 1024;

export function makeProfile(chance: Chance): Profile {
  const sometimes = (probability: number, most: number): number =>
    chance.happens(probability) ? chance.fraction() * most : 0;
  const least = chance.pick([0, 1, 5, 40]) ?? 0;
  const faults = Object.fromEntries(FAULTS.map((fault) => [fault, sometimes(0.5, MOST[fault])])) as Record<
    Fault,
    number
  >;
  return {
    steps: chance.between(10, 40),
    delayMs: [least, least + (chance.pick([0, 3, 30, 400]) ?? 0)],
    heartbeatMs: chance.pick([300, 1000, 1000, 3000]) ?? 1000,
    keepMs: chance.pick([1500, 10_000, 120_000, 120_000]) ?? 120_000,
    maxQueuedBytes: chance.pick([MIB, 4 * MIB, 64 * MIB]) ?? MIB,
    bulk: sometimes(0.3, 0.2),
    weather: {
      fails: sometimes(0.4, 0.8),
      hangs: sometimes(0.4, 0.5),
      comesLate: 0.5,
      comesTwice: sometimes(0.4, 0.6),
    },
    faults,
  };
}

/** Weights at the most. */
const MOST: Readonly<Record<Fault, number>> = {
  cut: 10,
  halfOpen: 4,
  slow: 4,
  stop: 3,
  agentRestart: 2,
  clientRestart: 1,
  move: 6,
  probe: 3,
  dial: 3,
};
