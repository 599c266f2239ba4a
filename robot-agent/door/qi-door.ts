// The door for qi programs from outside: each that has authenticated is a session like those of browsers.
// Knows the agent's bus and who may come in; sockets and handshakes are the TCP side's.
import { randomBytes } from 'node:crypto';
import type { ServingGuard } from '@qiway/protocol/bus/serving-side';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { isQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { Budget } from '@qiway/protocol/session/budget';
import type { Logger } from '../logger.ts';
import type { AuthenticationData, AuthenticationProvider, Verdict } from '../qi/authentication.ts';
import { type BusListenerHandle, listenBus } from '../qi/listen-bus.ts';
import { CLOSED_BY_OTHER_SIDE } from '../qi/message-socket.ts';
import type { PeerSocket } from '../qi/peer-socket.ts';
import type { TlsServerOptions } from '../qi/tls-options.ts';
import type { Guard } from './guard.ts';
import type { Counts } from './metrics.ts';
import type { DoorSession, SessionTable } from './session-table.ts';

/**
 * Bytes that may wait for one program, as for a session of a link. Nothing is left out for one that reads slowly: libqi has
 * no word for a gap. It is closed, which it notices.
 */
const MAX_QUEUED_BYTES = 160 * 1024 * 1024;
/** Characters of a client's name that go to the log. */
const MAX_SHOWN_USER = 64;

export interface QiDoorOptions {
  readonly bus: EmbeddedBus;
  readonly table: SessionTable;
  readonly guard: Guard;
  readonly counts: Counts;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who comes in beside those who know the token. */
  readonly users?: AuthenticationProvider;
  /** Everybody comes in. */
  readonly isOpen: boolean;
  /** What programs may not use at the moment: see robot-agent/safety. */
  readonly callGuard?: ServingGuard;
  /** What may wait for all sessions together, those of links among them. */
  readonly budget?: Budget;
  /** For tcps:// and tcpsm://. */
  readonly tls?: TlsServerOptions;
}

/** @throws `invalid-argument`, `config-invalid` for certificates that do not do, `listen-failed` */
export async function openQiDoor(url: string, options: QiDoorOptions): Promise<BusListenerHandle> {
  const { bus, table, counts, clock, logger, isOpen, callGuard, budget, tls } = options;
  const sessions = new Map<PeerSocket, DoorSession>();
  const handle = await listenBus(bus, url, {
    clock,
    logger,
    place: 'outside',
    maxQueuedBytes: MAX_QUEUED_BYTES,
    ...(budget === undefined ? {} : { budget }),
    ...(isOpen ? {} : { authenticate: tokenOr(options) }),
    ...(tls === undefined ? {} : { tls }),
    ...(callGuard === undefined ? {} : { guard: callGuard }),
    onOpen: (socket, data) => {
      const session = sessionOf(socket, data);
      table.admit(session, { protocol: 'qi', address: socket.remoteEndpoint });
      sessions.set(socket, session);
    },
    onClosed: (socket, reason) => {
      const session = sessions.get(socket);
      sessions.delete(socket);
      if (session !== undefined) table.left(session, isWanted(reason) ? undefined : reason);
    },
    onRefused: () => counts.sessionsRefused++,
  });
  logger.info('the agent listens for qi programs', { url: handle.url });
  return handle;
}

function isWanted({ code, data }: QiwayError): boolean {
  return code === 'closed' || (code === 'link-lost' && 'reason' in data && data.reason === CLOSED_BY_OTHER_SIDE);
}

/** The agent's token opens every door; what else does is for `users` to say. */
function tokenOr({ guard, users, logger }: QiDoorOptions): AuthenticationProvider {
  /** The client is not told about files; the operator is. */
  const asked = async (provider: AuthenticationProvider, data: AuthenticationData): Promise<Verdict> => {
    try {
      return await provider(data);
    } catch (error) {
      if (isQiwayError(error) && isQiwayError(error.cause))
        logger.error('nobody of --qi-credentials can come in', { reason: sentenceOf(error.cause) });
      throw error;
    }
  };
  return (data) => {
    const { token } = data;
    if (typeof token === 'string' && guard.isToken(token)) return { state: 'done' };
    if (users !== undefined) return asked(users, data);
    const what =
      token === undefined ? 'the credentials hold no token' : 'the token is not the one that the agent printed';
    return { state: 'refused', reason: what };
  };
}

function sessionOf(socket: PeerSocket, { user }: AuthenticationData): DoorSession {
  return {
    id: randomBytes(8).toString('hex'),
    client: typeof user === 'string' ? `qi program of ${user.slice(0, MAX_SHOWN_USER)}` : 'qi program',
    get counts() {
      return { ...socket.peer.counts, queuedBytes: socket.bufferedBytes };
    },
    close: (error) => socket.close(error ?? new QiwayError('closed', 'The agent ended the session.')),
  };
}
