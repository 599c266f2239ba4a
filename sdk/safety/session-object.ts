// What the agent offers for a session's safety, and what this part needs of the session. Types, and how they are reached.
import type { BusObject } from '@qiway/protocol/bus/bus';
import type { RemoteObjects } from '@qiway/protocol/objects/object-map';
import type { RemoteObject, Signal } from '@qiway/protocol/objects/remote-types';

/** See robot-agent/safety of the agent. */
export interface SessionMembers {
  setFailsafe(afterMs: number, calls: readonly (readonly [string, string, readonly unknown[]])[]): number;
  clearFailsafe(id: number): boolean;
  failsafeChanged: Signal<
    [id: number, afterMs: number, state: 'armed' | 'fired', firedAtMs: number, failures: readonly string[]]
  >;
  takeLease(services: readonly string[], takeOver: boolean): number;
  dropLease(id: number): boolean;
  leases(): LeaseInfo[];
  leaseLost: Signal<[id: number, reason: 'taken-over' | 'silence' | 'stopped', by: string]>;
  leasesChanged: Signal<[]>;
}

/** Somebody's exclusive control. */
export interface LeaseInfo {
  readonly services: readonly string[];
  /** Who, in words. */
  readonly holder: string;
  /** For how long by now. */
  readonly heldMs: number;
  /** It is this session's. */
  readonly isOwn: boolean;
  /** This session may take it over. */
  readonly mayTakeOver: boolean;
}

/** The part of a session that safety needs. */
export interface SafetySession {
  own(): Promise<BusObject>;
  setBeat(everyMs: number | undefined): void;
  listenSession(listener: { changed?(): void; renewed?(): void }): () => void;
}

export interface SafetyOptions {
  readonly session: SafetySession;
  readonly objects: RemoteObjects;
  /** The status is another now. */
  readonly changed: () => void;
  /** Takes what listeners throw. */
  readonly report: (error: unknown) => void;
}

export type SessionObject = RemoteObject<SessionMembers>;
