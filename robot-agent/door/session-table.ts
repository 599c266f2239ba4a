// The sessions of the agent, whichever protocol they speak: one bound, one log, one sum of what they hold.
import type { Peer } from '@qiway/protocol/bus/peer';
import { QiwayError } from '@qiway/protocol/errors';
import { STALLED } from '@qiway/protocol/session/conduit';
import { GOING_AWAY, SILENCE } from '@qiway/protocol/session/link';
import { DETACHED, type ServerSession } from '@qiway/protocol/session/server-session';
import type { Logger } from '../logger.ts';
import type { Counts, Held, LinkLossReason, SessionEndReason } from './metrics.ts';

/** Somebody outside who has shown that they may come in. */
export interface DoorSession {
  readonly id: string;
  /** What the client calls itself. */
  readonly client: string;
  readonly counts: Peer['counts'] & { readonly queuedBytes: number };
  close(error?: QiwayError): void;
}

/** How a session came in. */
export interface Arrival {
  readonly protocol: 'link' | 'qi';
  /** Of the client: an IP address, or an endpoint. */
  readonly address: string;
}

export interface SessionTableOptions {
  readonly maxSessions: number;
  readonly logger: Logger;
  readonly counts: Counts;
}

export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #sessions = new Map<DoorSession, Arrival>();
  readonly #detached = new Set<DoorSession>();

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  /** Sessions without a link now. */
  get detached(): number {
    return this.#detached.size;
  }

  get isFull(): boolean {
    return this.#sessions.size >= this.#options.maxSessions;
  }

  /** Sessions now, by protocol. */
  get sizes(): Readonly<Record<Arrival['protocol'], number>> {
    const sizes = { link: 0, qi: 0 };
    for (const { protocol } of this.#sessions.values()) sizes[protocol] += 1;
    return sizes;
  }

  /** @throws `limit-exceeded` when there are as many as the agent takes */
  admit(session: DoorSession, arrival: Arrival): void {
    const { maxSessions, logger, counts } = this.#options;
    if (this.isFull) {
      counts.sessionsRefused++;
      throw new QiwayError('limit-exceeded', 'The agent has as many sessions as it takes; try again later.', {
        data: { limit: 'maxSessions', maximum: maxSessions },
      });
    }
    this.#sessions.set(session, arrival);
    counts.sessionsStarted++;
    logger.info('session began', { session: session.id, client: session.client, ...arrival });
  }

  /** The same for a session of our own protocol, which tells itself how it goes on. @throws `limit-exceeded` */
  admitLink(session: ServerSession, address: string): void {
    const { logger, counts } = this.#options;
    this.admit(session, { protocol: 'link', address });
    let isFirst = true;
    session.listen({
      attached: () => {
        this.#detached.delete(session);
        if (!isFirst) {
          counts.sessionsResumed++;
          logger.info('session goes on', { session: session.id });
        }
        isFirst = false;
      },
      detached: (error) => {
        this.#detached.add(session);
        raise(counts.linksLost, lossReason(error));
        logger.info('session lost its link', { session: session.id, reason: error.message });
      },
      closed: (error) => this.left(session, error),
    });
  }

  /** @param error why, unless it was wanted */
  left(session: DoorSession, error: QiwayError | undefined): void {
    if (!this.#sessions.delete(session)) return;
    this.#detached.delete(session);
    raise(this.#options.counts.sessionsEnded, endReason(error));
    this.#options.logger.info('session ended', { session: session.id, reason: error?.message });
  }

  /** Sums over all sessions. */
  held(): Held {
    let held: Held = { calls: 0, subscriptions: 0, objects: 0, queuedBytes: 0 };
    for (const { counts } of this.#sessions.keys()) {
      held = {
        calls: held.calls + counts.incomingCalls,
        subscriptions: held.subscriptions + counts.subscriptions,
        objects: held.objects + counts.servedObjects,
        queuedBytes: held.queuedBytes + counts.queuedBytes,
      };
    }
    return held;
  }

  closeAll(reason: QiwayError): void {
    for (const session of [...this.#sessions.keys()]) session.close(reason);
  }
}

function raise<Reason>(counts: Map<Reason, number>, reason: Reason): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}

function reasonOf({ code, data }: QiwayError): string | undefined {
  return code === 'link-lost' && 'reason' in data ? data.reason : undefined;
}

function lossReason(error: QiwayError): LinkLossReason {
  const reason = reasonOf(error);
  return reason === SILENCE ? 'silence' : reason === STALLED ? 'stalled' : 'closed';
}

function endReason(error: QiwayError | undefined): SessionEndReason {
  if (error === undefined || error.code === 'closed') return 'wanted';
  if (error.code === 'limit-exceeded') return 'limit';
  const reason = reasonOf(error);
  return reason === GOING_AWAY ? 'left' : reason === DETACHED ? 'away' : 'error';
}
