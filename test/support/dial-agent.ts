// A real link to an agent from this process: a WebSocket, and the handshake on it. A fixture, no tests of its own.
import { serving } from '../../protocol/bus/serving.ts';
import type { Credentials } from '../../protocol/secure/identity.ts';
import { type Initiated, initiate } from '../../protocol/secure/initiate.ts';
import {
  type ClientSession,
  type ClientSessionOptions,
  type Dial,
  openSession,
} from '../../protocol/session/client-session.ts';
import { SUBPROTOCOL } from '../../protocol/session/control.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { dialWebSocket, type WebSocketClass } from '../../protocol/transport/websocket.ts';
import { onNode } from '../secure/cryptos.ts';
import { TOKEN } from './agent-config.ts';
import { randomBytes } from './memory-session.ts';

const TIMEOUT_MS = 10_000;

/** Who one is at an agent; each time somebody else. */
export function newClient(): Credentials {
  return { identity: onNode.identity(randomBytes(32)), staticKey: onNode.agreementKey(randomBytes(32)) };
}

export interface LinkRequest {
  /** Body of hello. */
  readonly hello: () => Uint8Array;
  readonly client?: Credentials;
  readonly timeoutMs?: number;
  readonly WebSocket?: WebSocketClass;
}

/** A link to the agent at `origin` on which hello was said: the first record is the answer. Not sealed unless the agent asks. */
export async function dialAgent(origin: string, request: LinkRequest): Promise<Initiated> {
  const { hello, client = newClient(), timeoutMs = TIMEOUT_MS } = request;
  const transport = await dialWebSocket({
    url: `${origin.replace('http', 'ws')}/robot/link`,
    protocol: SUBPROTOCOL,
    timeoutMs,
    clock: systemClock,
    WebSocket: request.WebSocket ?? (WebSocket as unknown as WebSocketClass),
  });
  return initiate(transport, { ...client, crypto: onNode, hello, wantsSeal: false, clock: systemClock, timeoutMs });
}

/** The way of one client to the agent at `origin`. */
function dialTo(origin: string, client: Credentials = newClient()): Dial {
  return async ({ hello, timeoutMs }) => ({
    ...(await dialAgent(origin, { hello, client, timeoutMs })),
    address: new URL(origin).host,
  });
}

/** A session with an agent, as a page has it, below the SDK. */
export function openAgentSession(origin: string, changes: Partial<ClientSessionOptions> = {}): Promise<ClientSession> {
  return openSession({
    dial: dialTo(origin),
    token: TOKEN,
    client: 'test',
    clock: systemClock,
    random: randomBytes,
    timeoutMs: TIMEOUT_MS,
    serving,
    ...changes,
  });
}
