// Who has exclusive control of which services: all leases of the agent. Knows sessions by what they are and when they were
// heard, and services by name.
import type { Clock } from '@qiway/protocol/clock';
import { overLimit, QiwayError } from '@qiway/protocol/errors';
import { watchSilence } from '@qiway/protocol/silence';
import type { Logger } from '../logger.ts';
import { inWords, type SafetySession } from './safety-session.ts';

export interface LeaseTableOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ids of clients that may take over from others, or `anybody`. */
  readonly takeOver: readonly string[];
  /** How long the holder may be silent. Default 3 s. */
  readonly leaseMs?: number;
}

export type LostBecause = 'taken-over' | 'silence' | 'stopped';

export interface Lease {
  readonly id: number;
  readonly services: readonly string[];
  readonly holder: SafetySession;
  /** On the agent's clock. */
  readonly sinceMs: number;
}

export interface LeaseRequest {
  readonly services: readonly string[];
  /** From whoever holds them, if this session may. */
  readonly takeOver: boolean;
  /** It ended without being given back: at once when taken over or stopped, `by` whom. Not told of a session that ended. */
  readonly lost: (because: LostBecause, by: SafetySession | undefined) => void;
}

interface Held extends Lease {
  readonly lost: LeaseRequest['lost'];
  stop: () => void;
}

/** A link that breaks is noticed and made anew within that; an operator who is away longer has to ask again. */
const LEASE_MS = 3_000;
/** More than a robot has services. */
export const MAX_SERVICES = 256;
const MAX_LEASES = 64;

export class LeaseTable {
  readonly #options: LeaseTableOptions;
  readonly #leases = new Map<number, Held>();
  /** By service: the leases on it, all of one session. Never an empty set. */
  readonly #byService = new Map<string, Set<Held>>();
  readonly #listeners = new Set<() => void>();
  /** Services at which somebody else stopped a session that had them, until it takes them anew. Never an empty set. */
  readonly #stopped = new WeakMap<SafetySession, Set<string>>();
  #nextId = 1;

  constructor(options: LeaseTableOptions) {
    this.#options = options;
  }

  /** Leases there are. */
  get size(): number {
    return this.#leases.size;
  }

  list(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  /** Tells of every change; returns how to stop. */
  listen(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /**
   * All of the services, or none. What the session holds already it may take once more.
   * @throws `lease-held`; `forbidden` for a take-over that is not this client's to make; `invalid-argument`, `limit-exceeded`
   */
  take(session: SafetySession, { services, takeOver, lost }: LeaseRequest): Lease {
    const names = [...new Set(services)];
    if (names.length === 0)
      throw new QiwayError('invalid-argument', 'A lease needs at least one service.', { data: { path: 'services' } });
    if (names.length > MAX_SERVICES)
      throw overLimit(`A lease has at most ${MAX_SERVICES} services.`, { limit: 'services', maximum: MAX_SERVICES });
    const own = this.list().filter(({ holder }) => holder === session).length;
    if (own >= MAX_LEASES)
      throw overLimit(`A session has at most ${MAX_LEASES} leases; release some.`, {
        limit: 'leases',
        maximum: MAX_LEASES,
      });
    const others = new Set<Held>();
    for (const name of names)
      for (const held of this.#byService.get(name) ?? []) if (held.holder !== session) others.add(held);
    for (const held of others) {
      if (!takeOver) throw this.#heldBy(held, names.find((name) => held.services.includes(name)) ?? '');
      if (!this.mayTakeOver(session, held.holder))
        throw new QiwayError(
          'forbidden',
          `${inWords(held.holder)} has the lease, and this client may not take it over; the agent's option --take-over ${session.clientId} lets it.`,
          { data: { reason: 'take-over' } },
        );
    }
    const { clock, logger, leaseMs = LEASE_MS } = this.#options;
    for (const held of others) {
      this.#remove(held);
      logger.warn('lease taken over', { services: held.services.join(' '), from: held.holder.id, by: session.id });
    }
    const lease: Held = {
      id: this.#nextId++,
      services: names,
      holder: session,
      sinceMs: clock.now(),
      lost,
      stop: () => {},
    };
    this.#leases.set(lease.id, lease);
    this.#goesOn(session, names);
    for (const name of names) {
      const held = this.#byService.get(name);
      if (held === undefined) this.#byService.set(name, new Set([lease]));
      else held.add(lease);
    }
    const stopWatching = watchSilence(session, { clock, afterMs: leaseMs, silent: () => this.#fellSilent(lease) });
    const stopListening = session.listen({ closed: () => this.#end(lease) });
    lease.stop = () => {
      stopWatching();
      stopListening();
    };
    logger.info('lease taken', { services: names.join(' '), session: session.id, client: session.client });
    this.#changed();
    for (const held of others) held.lost('taken-over', session);
    return lease;
  }

  /** False: the session has no such lease (any more). */
  drop(session: SafetySession, id: number): boolean {
    const lease = this.#leases.get(id);
    if (lease?.holder !== session) return false;
    this.#end(lease);
    return true;
  }

  /**
   * Somebody stops what a service moves: who had control of it, and is somebody else, has it no more, and moves nothing by it
   * before he takes it anew. A hand that is still on a joystick would drive on at once.
   * @param by undefined: somebody without a session
   */
  stop(service: string, by: SafetySession | undefined): void {
    for (const held of [...(this.#byService.get(service) ?? [])]) {
      const { holder, services } = held;
      if (holder === by || !this.#remove(held)) continue;
      const stopped = this.#stopped.get(holder) ?? new Set();
      this.#stopped.set(holder, stopped.add(service));
      const who = by === undefined ? 'somebody without a session' : by.id;
      this.#options.logger.warn('lease ended: stopped by somebody else', {
        services: services.join(' '),
        session: holder.id,
        by: who,
      });
      this.#changed();
      held.lost('stopped', by);
    }
  }

  /** Was it stopped by somebody else, and did not take control anew? @param service default: any */
  wasStopped(session: SafetySession, service?: string): boolean {
    const stopped = this.#stopped.get(session);
    return stopped !== undefined && (service === undefined || stopped.has(service));
  }

  /** The same client may come back to what another session of its holds; others need the operator's word. */
  mayTakeOver({ clientId }: SafetySession, holder: SafetySession): boolean {
    const { takeOver } = this.#options;
    return clientId === holder.clientId || takeOver.includes(clientId) || takeOver.includes('anybody');
  }

  /** Why `session` (undefined: somebody without one) may not use a service; undefined: no lease stands against it. */
  refusal(session: SafetySession | undefined, service: string): QiwayError | undefined {
    const [held] = this.#byService.get(service) ?? [];
    return held === undefined || held.holder === session ? undefined : this.#heldBy(held, service);
  }

  #goesOn(session: SafetySession, services: readonly string[]): void {
    const stopped = this.#stopped.get(session);
    if (stopped === undefined) return;
    for (const name of services) stopped.delete(name);
    if (stopped.size === 0) this.#stopped.delete(session);
  }

  #heldBy({ holder, sinceMs }: Lease, service: string): QiwayError {
    const heldMs = Math.round(this.#options.clock.now() - sinceMs);
    const words = inWords(holder);
    return new QiwayError(
      'lease-held',
      `${words} has had exclusive control of ${service} for ${Math.ceil(heldMs / 1000)} s; wait, or take it over if you may.`,
      { data: { service, holder: words, heldMs } },
    );
  }

  #fellSilent(lease: Held): void {
    this.#options.logger.warn('lease lost: its holder is silent', {
      services: lease.services.join(' '),
      session: lease.holder.id,
    });
    this.#end(lease);
    lease.lost('silence', undefined);
  }

  #end(lease: Held): void {
    if (!this.#remove(lease)) return;
    this.#options.logger.info('lease ended', { services: lease.services.join(' '), session: lease.holder.id });
    this.#changed();
  }

  #remove(lease: Held): boolean {
    if (!this.#leases.delete(lease.id)) return false;
    lease.stop();
    for (const name of lease.services) {
      const held = this.#byService.get(name);
      held?.delete(lease);
      if (held?.size === 0) this.#byService.delete(name);
    }
    return true;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
