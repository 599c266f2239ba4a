// Process: has one link through a cutting proxy, and tells how long after each cut an answer came again. Arguments: kind,
// URL, port of the proxy, its control port. Kinds: `plain` (a bare WebSocket dialled again), `handshake` (and the handshake
// on it), `qiway` (the SDK). All use the platform's WebSocket.
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { initiate } from '@qiway/protocol/secure/initiate';
import { SUBPROTOCOL } from '@qiway/protocol/session/control';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { dialWebSocket, type WebSocketClass } from '@qiway/protocol/transport/websocket';
import { connect } from '@qiway/sdk';
import { dialRaw, type WebSocketLike } from '../peers/raw-client.ts';
import { ready } from '../probe.ts';
import type { Services } from '../typed-client.ts';
import { newCredentials, nodeCrypto } from './credentials.ts';
import { dialThrough } from './through-proxy.ts';

/** What is done once the link is lost, until there is an answer again. */
interface Cuttable {
  /** Resolves when the loss is noticed. */
  lost(): Promise<void>;
  /** Resolves with the first answer after it. */
  answered(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const [kind = '', url = '', port = '', control = ''] = process.argv.slice(2);

dialThrough(port);

async function openPlain(): Promise<Cuttable> {
  let closed = Promise.resolve();
  const dial = () =>
    dialRaw(url, {
      batched: false,
      open: (target) => {
        const socket = new WebSocket(target);
        closed = new Promise((resolve) => socket.addEventListener('close', () => resolve()));
        return socket as WebSocketLike;
      },
    });
  await (await dial()).echo(1);
  return {
    lost: () => closed,
    answered: async () => {
      await (await dial()).echo(1);
    },
  };
}

async function openHandshake(): Promise<Cuttable> {
  const client = newCredentials();
  let staticKey: Uint8Array | undefined;
  let closed = Promise.resolve();
  const dial = async (): Promise<void> => {
    const transport = await dialWebSocket({
      url,
      protocol: SUBPROTOCOL,
      timeoutMs: TIMEOUT_MS,
      clock: systemClock,
      WebSocket: WebSocket as unknown as WebSocketClass,
    });
    const made = await initiate(transport, {
      ...client,
      crypto: nodeCrypto,
      robot: { staticKey },
      hello: () => Uint8Array.of(1),
      wantsSeal: false,
      clock: systemClock,
      timeoutMs: TIMEOUT_MS,
    });
    staticKey = made.robot.staticKey;
    await new Promise<void>((resolve) => {
      closed = new Promise((lost) => {
        made.transport.listen({ message: () => resolve(), drain: () => {}, close: () => lost() });
      });
      made.transport.send(new Uint8Array(28));
    });
  };
  await dial();
  return { lost: () => closed, answered: dial };
}

async function openQiway(): Promise<Cuttable> {
  const robot = await connect<Services>(url);
  const echo = await robot.service('Echo');
  const until = (state: string): Promise<void> =>
    new Promise((resolve) => {
      const stop = robot.onStatusChange((status) => {
        if (status.state !== state) return;
        stop();
        resolve();
      });
      if (robot.status.state === state) resolve();
    });
  await echo.echo(1);
  return {
    lost: () => until('offline'),
    answered: async () => {
      await until('online');
      await echo.echo(1);
    },
  };
}

async function openControl(): Promise<Socket> {
  const socket = connectTcp(Number(control), '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

const opened = kind === 'plain' ? openPlain() : kind === 'handshake' ? openHandshake() : openQiway();
const [link, proxy] = await Promise.all([opened, openControl()]);

/** Milliseconds from the cut to the answer. */
async function cutOnce(): Promise<number> {
  const lost = link.lost();
  const told = once(proxy, 'data') as Promise<[Buffer]>;
  proxy.write('x');
  await lost;
  await link.answered();
  const answeredAtMs = performance.timeOrigin + performance.now();
  const [text] = await told;
  return answeredAtMs - Number(text.toString());
}

async function cut(count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await cutOnce());
  return times;
}

process.channel?.ref();
process.on('message', (message) => {
  if (typeof message !== 'object' || message === null || !('cuts' in message)) return;
  cut(Number(message.cuts)).then(
    (times) => process.send?.({ times }),
    (error: unknown) => process.send?.({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
ready(kind);
