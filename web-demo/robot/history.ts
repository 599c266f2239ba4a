// What happened to the link in the last minutes: moments with a sentence each, stretches of one state, round trips.
// Layer: robot; no DOM, no clock: who observes tells the time. All of it is bounded.
import { batch, type ReadonlySignal, signal } from '@preact/signals';
import type { Status } from '@qiway/sdk';
import { durationText, lossText, lostText, routeText } from './status-words.ts';

export type MomentKind =
  | 'linked'
  | 'lost'
  | 'resumed'
  | 'moved'
  | 'renewed'
  | 'closed'
  | 'bus-down'
  | 'bus-up'
  | 'failsafe'
  | 'lease-taken'
  | 'lease-lost'
  | 'queued'
  | 'flushed'
  | 'dropped';

export interface Moment {
  /** Counts up. */
  readonly id: number;
  /** Milliseconds since 1970, as all times here. */
  readonly atMs: number;
  readonly kind: MomentKind;
  readonly text: string;
}

export type StretchState = 'online' | 'bus-down' | 'offline' | 'closed';

/** As long as one state lasted; the last one goes on. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number | undefined;
  readonly state: StretchState;
}

export interface RoundTrip {
  readonly atMs: number;
  readonly rttMs: number;
}

export interface LinkHistory {
  /** The oldest first, as all lists here. */
  readonly moments: ReadonlySignal<readonly Moment[]>;
  readonly stretches: ReadonlySignal<readonly Stretch[]>;
  readonly roundTrips: ReadonlySignal<readonly RoundTrip[]>;
  /** How often this session went on over another link after a break. */
  readonly resumes: ReadonlySignal<number>;
  /** There was a link. */
  readonly isLinked: ReadonlySignal<boolean>;
  /** Since when there is no link. */
  readonly lostAtMs: ReadonlySignal<number | undefined>;
  /** To be told of every status, in order. */
  observe(status: Status, atMs: number): void;
  /** Something that the status does not tell. */
  note(kind: MomentKind, text: string, atMs: number): void;
}

/** What the time line shows. */
export const SHOWN_MS: number = 5 * 60_000;
const MAX_MOMENTS = 120;
const MAX_STRETCHES = 240;
/** A minute of heartbeats. */
const MAX_ROUND_TRIPS = 60;
/** The status is told for other reasons too: the same figure sooner is the same measurement. */
const SAMPLE_MS = 900;

export function createHistory(): LinkHistory {
  const moments = signal<readonly Moment[]>([]);
  const stretches = signal<readonly Stretch[]>([]);
  const roundTrips = signal<readonly RoundTrip[]>([]);
  const resumes = signal(0);
  const isLinked = signal(false);
  const lostAtMs = signal<number | undefined>(undefined);
  let last: Status | undefined;
  /** The address of the last link that stood. */
  let address: string | undefined;
  let lost: Status['lost'];
  let lastId = 0;

  function note(kind: MomentKind, text: string, atMs: number): void {
    lastId += 1;
    moments.value = [...moments.peek(), { id: lastId, atMs, kind, text }].slice(-MAX_MOMENTS);
  }

  function stretch(state: StretchState, atMs: number): void {
    const before = stretches.peek();
    const now = before.at(-1);
    if (now?.state === state) return;
    const ended = now === undefined ? before : [...before.slice(0, -1), { ...now, toMs: atMs }];
    const kept = ended.filter(({ toMs }) => toMs === undefined || toMs > atMs - SHOWN_MS);
    stretches.value = [...kept, { fromMs: atMs, toMs: undefined, state }].slice(-MAX_STRETCHES);
  }

  function measure({ state, rttMs }: Status, atMs: number): void {
    if (rttMs === undefined || state !== 'online') return;
    const before = roundTrips.peek();
    const newest = before.at(-1);
    if (newest?.rttMs === rttMs && atMs - newest.atMs < SAMPLE_MS) return;
    roundTrips.value = [...before, { atMs, rttMs }].slice(-MAX_ROUND_TRIPS);
  }

  function backOnline(status: Status, atMs: number): void {
    const lostAt = lostAtMs.peek();
    const wasLinked = last?.state === 'online';
    const isElsewhere = address !== undefined && address !== status.address;
    const after = lostAt === undefined ? '' : ` after ${durationText(atMs - lostAt)}`;
    if (status.lost !== undefined && status.lost !== lost) {
      resumes.value = 0;
      note('renewed', `A new session took the place of the old${after}. ${lossText(status.lost)}.`, atMs);
    } else if (!wasLinked && lostAt !== undefined && status.session === 'resumed') {
      resumes.value += 1;
      const place = isElsewhere ? `, now at ${status.address}` : '';
      note('resumed', `The link was back${after}${place}, and everything goes on.`, atMs);
    } else if (!wasLinked) {
      resumes.value = 0;
      note('linked', `Linked ${routeText(status.route)} with ${status.address}${after}.`, atMs);
    } else if (isElsewhere)
      note('moved', `Moved over to ${status.address}, ${routeText(status.route)}, without a break.`, atMs);
    lost = status.lost;
    address = status.address;
    isLinked.value = true;
    lostAtMs.value = undefined;
  }

  function tellRest(status: Status, atMs: number): void {
    if (last !== undefined && last.bus !== status.bus)
      note(
        status.bus === 'down' ? 'bus-down' : 'bus-up',
        status.bus === 'down'
          ? `The robot’s own bus went down${status.busReason === undefined ? '' : `: ${status.busReason}`}.`
          : 'The robot’s own bus is up again.',
        atMs,
      );
    const firedAtMs = status.failsafe?.firedAtMs;
    if (firedAtMs !== undefined && firedAtMs !== last?.failsafe?.firedAtMs)
      note('failsafe', 'The failsafe stopped the robot, because nothing was heard of this page.', atMs);
  }

  return {
    moments,
    stretches,
    roundTrips,
    resumes,
    isLinked,
    lostAtMs,
    note,
    observe(status, atMs) {
      batch(() => {
        if (status.state === 'online') backOnline(status, atMs);
        else if (status.state === 'offline' && last?.state === 'online') {
          lostAtMs.value = atMs;
          note('lost', `The link was lost. ${lostText(status.reason)}`.trim(), atMs);
        } else if (status.state === 'closed' && last?.state !== 'closed') {
          lostAtMs.value ??= atMs;
          note('closed', `The session ended. ${lostText(status.reason)}`.trim(), atMs);
        }
        tellRest(status, atMs);
        measure(status, atMs);
        if (status.state === 'online') stretch(status.bus === 'up' ? 'online' : 'bus-down', atMs);
        else if (status.state !== 'connecting') stretch(status.state, atMs);
        last = status;
      });
    },
  };
}
