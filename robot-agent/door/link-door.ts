// Links: what came in as a WebSocket becomes a session of the link protocol on the agent's bus.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { serveSession } from '@qiway/protocol/session/server-session';
import type { Guard } from './guard.ts';
import type { Counts } from './metrics.ts';
import type { SessionTable } from './session-table.ts';
import { acceptWebSockets, type LinkLimits, type WebSocketDoor } from './websocket.ts';

export interface LinkDoorOptions {
  readonly bus: EmbeddedBus;
  readonly table: SessionTable;
  readonly guard: Guard;
  readonly counts: Counts;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly version: string;
  /** New with every start of the agent. */
  readonly epoch: string;
  readonly robotBus: () => 'up' | 'down';
}

/** Accepts links at the agent's HTTP server. */
export function openLinkDoor(server: Server, options: LinkDoorOptions): WebSocketDoor {
  const { bus, table, guard, counts, limits, clock, version, epoch, robotBus } = options;
  return acceptWebSockets(server, {
    guard,
    counts,
    limits,
    isFull: () => table.isFull,
    accept: (transport, { address, known }) => {
      serveSession(transport, {
        bus,
        clock,
        random: (count) => randomBytes(count),
        // After all sockets that are readable now: their messages share a batch.
        schedule: (flush) => setImmediate(flush),
        isTokenRight: (token) => guard.isToken(token),
        agent: { name: 'qiway-agent', version },
        epoch,
        robotBus,
        onOpen: (session) => {
          table.admit(session, { protocol: 'link', address });
          known();
        },
        onClose: (session, error) => table.left(session, error),
      });
    },
  });
}
