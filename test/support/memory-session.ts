// An embedded bus served to a client over transports in memory: everything but sockets.
import { serving } from '@qiway/protocol/bus/serving';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { type ClientSession, openSession } from '@qiway/protocol/session/client-session';
import { type ServerSession, type ServerSessionOptions, serveSession } from '@qiway/protocol/session/server-session';
import type { Transport } from '@qiway/protocol/session/transport';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

export const TOKEN = 'right';

export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

export function embeddedBus(): EmbeddedBus {
  return new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
}

export interface MemoryDoor {
  readonly clock: VirtualClock;
  readonly bus: EmbeddedBus;
  readonly serverSessions: ServerSession[];
  readonly serverOptions: ServerSessionOptions;
  /** A client's transport whose other end the bus is served on. */
  dial(): Transport;
  open(token?: string): Promise<ClientSession>;
}

export function memoryDoor(changes: Partial<ServerSessionOptions> = {}): MemoryDoor {
  const clock = virtualClock();
  const bus = embeddedBus();
  const serverSessions: ServerSession[] = [];
  const serverOptions: ServerSessionOptions = {
    bus,
    clock,
    random: randomBytes,
    schedule: queueMicrotask,
    isTokenRight: (token) => token === TOKEN,
    agent: { name: 'test', version: '0' },
    epoch: 'epoch',
    robotBus: () => 'up',
    ...changes,
  };
  const dial = (): Transport => {
    const [ours, theirs] = memoryTransports();
    serverSessions.push(serveSession(theirs, serverOptions));
    return ours;
  };
  const open = (token = TOKEN): Promise<ClientSession> =>
    openSession(dial(), { token, clock, random: randomBytes, client: 'test', timeoutMs: 10_000, serving });
  return { clock, bus, serverSessions, serverOptions, dial, open };
}
