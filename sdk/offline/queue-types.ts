// What the offline queue shows, what it keeps, and what it needs of a session. Types only.
import type { BusObject } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import type { QiwayError } from '@qiway/protocol/errors';
import type { MemberClass } from '@qiway/protocol/member-class';

/** A call that waits for the robot, or is being made. */
export interface QueueEntry {
  readonly id: string;
  readonly service: string;
  /** Full name, `say::(s)`. */
  readonly method: string;
  readonly class: MemberClass | 'unknown';
  /** The arguments for people, shortened. */
  readonly args: string;
  readonly queuedAt: Date;
  readonly expiresAt: Date;
  readonly state: 'waiting' | 'sending';
}

/** What became of an entry. `superseded` and the like are `failed`, with the code in the error. */
export interface QueueChange {
  readonly kind: 'queued' | 'sending' | 'waiting' | 'done' | 'failed' | 'expired' | 'canceled';
  readonly entry: QueueEntry;
  /** Of `done`, unless it holds objects. */
  readonly result?: unknown;
  readonly error?: QiwayError;
}

/** A call as it is stored. */
export interface StoredCall {
  /** Position; given by the store. */
  readonly order: number;
  /** Also the key under which the agent makes it once. */
  readonly id: string;
  readonly robot: string;
  readonly service: string;
  readonly method: string;
  readonly signature: string;
  readonly bytes: Uint8Array;
  /** The bytes hold a null object: they need a look on their way. */
  readonly hasNull: boolean;
  readonly memberClass: MemberClass | undefined;
  readonly kind: 'queue' | 'latest';
  readonly key: string | undefined;
  readonly ttlMs: number;
  readonly timeoutMs: number;
  /** Milliseconds since 1970. */
  readonly queuedAtMs: number;
  readonly args: string;
  /** It may have reached the robot. */
  readonly wasSent: boolean;
  /** The agent's journal that it was sent under. */
  readonly journal: string | undefined;
}

/** Keeps calls over loads of the page. Every method may reject: the queue then goes on in memory. */
export interface QueueStore {
  /** In order. */
  load(robot: string): Promise<StoredCall[]>;
  /** Resolves with its position. */
  add(call: Omit<StoredCall, 'order'>): Promise<number>;
  update(call: StoredCall): Promise<void>;
  remove(order: number): Promise<void>;
  /** Resolves with false while somebody else has it. */
  takeLease(
    name: string,
    lease: { readonly owner: string; readonly nowMs: number; readonly untilMs: number },
  ): Promise<boolean>;
  dropLease(name: string, owner: string): Promise<void>;
}

/** What the queue needs of the session. */
export interface QueuePort {
  /** The link is there and the robot's bus is up. */
  readonly isReady: boolean;
  /** Calls `run` when `isReady` may have changed; returns how to stop. */
  onChange(run: () => void): () => void;
  /** The session object; not to be released. */
  own(): Promise<BusObject>;
  /** With one reference for the caller. */
  service(name: string): Promise<BusObject>;
}

export interface RobotQueueOptions {
  readonly robotId: string;
  readonly port: QueuePort;
  readonly clock: Clock;
  /** Takes what listeners throw, and why calls cannot be stored. */
  readonly onError: (error: unknown) => void;
  /** Another number of calls waits now. */
  readonly onLength: () => void;
}
