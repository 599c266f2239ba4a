// Links: what came in as a WebSocket proves who it is, and is then taken in by the host of sessions.
import type { Server } from 'node:http';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError } from '@qiway/protocol/errors';
import { accept } from '@qiway/protocol/secure/accept';
import type { SessionHost } from '@qiway/protocol/session/session-host';
import type { Transport } from '@qiway/protocol/session/transport';
import { isLoopback } from '../address.ts';
import type { Identity } from '../identity/identity.ts';
import type { Logger } from '../logger.ts';
import type { Guard } from './guard.ts';
import type { Counts } from './metrics.ts';
import { acceptWebSockets, type LinkLimits, type WebSocketDoor } from './websocket.ts';

export interface LinkDoorOptions {
  readonly host: SessionHost;
  readonly identity: Identity;
  readonly guard: Guard;
  readonly counts: Counts;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isFull: () => boolean;
  /** Links on loopback are sealed too. */
  readonly isSealed: boolean;
}

/** For each message of a client's handshake, ms. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/** Accepts links at the agent's HTTP server. */
export function openLinkDoor(server: Server, options: LinkDoorOptions): WebSocketDoor {
  const { host, identity, guard, counts, limits, clock, logger, isFull, isSealed } = options;
  const take = async (transport: Transport, { address, known }: { address: string; known: () => void }) => {
    const mustSeal = isSealed || !isLoopback(plainAddress(address));
    const { crypto, proof, staticKey } = identity;
    const accepted = await accept(transport, {
      ...identity,
      crypto,
      proof,
      staticKey,
      mustSeal,
      clock,
      timeoutMs: HANDSHAKE_TIMEOUT_MS,
    });
    const sealed = accepted.isSealed ? 'yes' : 'no';
    counts.links.set(sealed, (counts.links.get(sealed) ?? 0) + 1);
    host.accept(accepted.transport, { hello: accepted.hello, clientId: accepted.clientId, address, known });
  };
  return acceptWebSockets(server, {
    guard,
    counts,
    limits,
    isFull,
    accept: (transport, client) => {
      take(transport, client).catch((error: unknown) => {
        counts.sessionsRefused++;
        logger.debug('a link was refused', { address: client.address, reason: asQiwayError(error).message });
      });
    },
  });
}

/** As a socket of both families gives an IPv4 address. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:/i, '');
}
