// What is remembered of one robot: its key, and where it was found. Pure: a record in, a record out.
import type { Transport } from '@qiway/protocol/session/transport';

export interface KnownAddress {
  /** The WebSocket's. */
  readonly url: string;
  /** By the robot itself: in what it told last, or earlier only. */
  readonly announced?: 'now' | 'before';
  /** When a link was last made there (ms since 1970), and its route. */
  readonly workedMs?: number;
  readonly route?: Transport['route'];
  /** Since when every try failed. */
  readonly failingMs?: number;
}

export interface RobotRecord {
  readonly id: string;
  /** X25519, as it proved it last: the next handshake is shorter. */
  readonly staticKey?: Uint8Array;
  /** When something was last learned of it. */
  readonly changedMs: number;
  readonly addresses: readonly KnownAddress[];
}

/** A robot has a few networks; what is beyond the newest is forgotten. */
export const MAX_ADDRESSES = 16;
/** Longer than a network has ever given back an address; the robot's owner may be on holiday for less. */
const FORGET_MS = 14 * 24 * 3600_000;
/** Of what is remembered; an agent that lies fills no disk. */
const MAX_URL_LENGTH = 300;

export function newRecord(id: string): RobotRecord {
  return { id, changedMs: 0, addresses: [] };
}

/** The robot says it is at these, the newest first; it has left those it told before and not now. */
export function withAnnounced(record: RobotRecord, urls: readonly string[], nowMs: number): RobotRecord {
  const told = urls.filter((url) => url.length <= MAX_URL_LENGTH && /^wss?:\/\//.test(url)).slice(0, MAX_ADDRESSES);
  const now = told.map((url): KnownAddress => ({ ...found(record, url), announced: 'now' }));
  const others = record.addresses
    .filter(({ url }) => !told.includes(url))
    .map((address): KnownAddress => (address.announced === 'now' ? { ...address, announced: 'before' } : address));
  return changed(record, [...now, ...others], nowMs);
}

export interface Worked {
  readonly url: string;
  readonly staticKey: Uint8Array;
  readonly route: Transport['route'];
}

/** The robot proved there who it is. */
export function withWorked(record: RobotRecord, { url, staticKey, route }: Worked, nowMs: number): RobotRecord {
  const { failingMs: _, ...address } = found(record, url);
  const worked = { ...address, workedMs: nowMs, route };
  return { ...changed(record, [worked, ...others(record, url)], nowMs), staticKey };
}

/** Nobody answered there; forgotten when that has lasted. */
export function withFailed(record: RobotRecord, url: string, nowMs: number): RobotRecord {
  const address = record.addresses.find((each) => each.url === url);
  if (address === undefined) return record;
  const failingMs = address.failingMs ?? nowMs;
  if (nowMs - failingMs > FORGET_MS) return without(record, url, nowMs);
  return {
    ...record,
    addresses: record.addresses.map((each) => (each === address ? { ...each, failingMs } : each)),
  };
}

/** Another robot is there now. */
export function without(record: RobotRecord, url: string, nowMs: number): RobotRecord {
  return changed(record, others(record, url), nowMs);
}

/** Where to look, the most promising first: where it was last found, what it told, newest first; last where it has left. */
export function inOrder({ addresses }: RobotRecord): readonly string[] {
  const rank = ({ announced, workedMs }: KnownAddress): number =>
    announced === 'before' ? 2 : workedMs === undefined ? 1 : 0;
  return [...addresses]
    .sort((a, b) => rank(a) - rank(b) || (b.workedMs ?? 0) - (a.workedMs ?? 0))
    .map(({ url }) => url);
}

function found(record: RobotRecord, url: string): KnownAddress {
  return record.addresses.find((each) => each.url === url) ?? { url };
}

function others(record: RobotRecord, url: string): readonly KnownAddress[] {
  return record.addresses.filter((each) => each.url !== url);
}

/** Keeps those that `inOrder` would try first, in the order in which they were learned. */
function changed(record: RobotRecord, addresses: readonly KnownAddress[], nowMs: number): RobotRecord {
  const kept = inOrder({ ...record, addresses }).slice(0, MAX_ADDRESSES);
  return { ...record, changedMs: nowMs, addresses: addresses.filter(({ url }) => kept.includes(url)) };
}
