// One session of its own, made only to see how far it gets: WebSocket, handshake, token. Closed by who made it; sessions
// that are there are not touched.
import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import type { Initiated } from '@qiway/protocol/secure/initiate';
import { type ClientSession, type Dial, openSession } from '@qiway/protocol/session/client-session';
import type { WebSocketClass } from '@qiway/protocol/transport/websocket';
import { loadSecure } from '../crypto/load-secure.ts';
import type { AgentUrl } from '../dial/agent-url.ts';
import { takeWay, type Way, webSocketWay } from '../dial/way.ts';
import { onDemand } from '../on-demand.ts';
import { VERSION } from '../version.ts';

export interface Trial {
  readonly opened: Promise<void>;
  readonly handshake: Promise<Initiated>;
  readonly session: Promise<ClientSession>;
  /** Closes what it opened, also what is still being made. */
  close(): void;
}

export interface TrialOptions {
  readonly agent: AgentUrl;
  readonly token: string;
  readonly clock: Clock;
  /** For the WebSocket and the handshake, and for the session after them. */
  readonly timeoutMs: number;
}

/** Its promises may be awaited at any time, or not at all. */
export function tryAgent({ agent, token, clock, timeoutMs }: TrialOptions): Trial {
  const opened = Promise.withResolvers<void>();
  const handshake = Promise.withResolvers<Initiated>();
  let isClosed = false;
  let isDialled = false;
  const dial: Dial = async (request) => {
    if (isDialled || isClosed) throw new QiwayError('closed', 'A diagnosis dials once.');
    isDialled = true;
    const { WebSocket } = globalThis;
    if (WebSocket === undefined)
      throw new QiwayError('unsupported', 'This runtime has no WebSocket; Node has one since version 22.');
    const way = told(webSocketWay({ url: agent.link, WebSocket: WebSocket as WebSocketClass, clock }), opened.resolve);
    const secure = await loadSecure();
    const { hello, timeoutMs: leftMs } = request;
    const robot = { id: agent.robot };
    const initiated = await takeWay(
      { ...way, secure, clock, timeoutMs: leftMs, hello, robot },
      { onAbandoned: () => {} },
    );
    handshake.resolve(initiated);
    return { ...initiated, address: new URL(agent.link).host };
  };
  const session = openSession({
    dial,
    token,
    clock,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    client: `qiway-diagnose/${VERSION}`,
    timeoutMs,
    serving: lazyServing(onDemand),
  });
  session.catch((error: unknown) => {
    opened.reject(error);
    handshake.reject(error);
  });
  for (const each of [opened.promise, handshake.promise]) each.catch(() => {});
  const close = (): void => {
    isClosed = true;
    session.then(
      (open) => open.close(),
      () => {},
    );
  };
  return { opened: opened.promise, handshake: handshake.promise, session, close };
}

function told(way: Way, onOpen: () => void): Way {
  return {
    ...way,
    open: (timeoutMs, abandon) => {
      const transport = way.open(timeoutMs, abandon);
      transport.then(onOpen, () => {});
      return transport;
    },
  };
}
