// What every side of the bench offers to the measures: one client with a session of its own. Knows no side.

export interface EchoClient {
  echo(number: number): Promise<number>;
  /** Bytes made by the service. */
  down(size: number): Promise<Uint8Array>;
  /** Resolves to the number of bytes that the service received. */
  up(body: Uint8Array): Promise<number>;
  subscribe(listener: (number: number) => void): Promise<void>;
  /** The service emits 0, 1, … count - 1 to all subscribers, as fast as it can. */
  emit(count: number): Promise<void>;
  close(): Promise<void>;
}

export type Dial = (url: string) => Promise<EchoClient>;

/** The sides, in the order of the table; the first is what the others are measured against. */
export const SIDES = [
  'raw-2hop',
  'raw-batched',
  'capnweb',
  'qiway',
  'qiway-sealed',
  'qiway-worker',
  'qi-door',
] as const;
export type SideName = (typeof SIDES)[number];
/** Sides that a page can dial: it has no TCP. */
export type WebSideName = Exclude<SideName, 'qi-door'>;
export type Dials<Name extends SideName> = Readonly<Record<Name, Dial>>;

/** Sides that only a page can dial: elsewhere there is no SharedWorker. */
export function isPageSide(name: SideName): boolean {
  return name === 'qiway-worker';
}

export function isWebSide(name: SideName): name is WebSideName {
  return name !== 'qi-door';
}
