// One way to a robot tried: a WebSocket opened, and the handshake on it. Gives a transport whose other end is known.
import type { Clock } from '@qiway/protocol/clock';
import type { Initiated, InitiateOptions } from '@qiway/protocol/secure/initiate';
import { SUBPROTOCOL } from '@qiway/protocol/session/control';
import type { Transport } from '@qiway/protocol/session/transport';
import { dialWebSocket, type WebSocketClass } from '@qiway/protocol/transport/websocket';
import type { Abandon } from './race.ts';
import { isLoopbackHost } from './reachable.ts';

/** The handshake and who we are in it; comes as a part of its own, when the first link is made. */
export interface Secure {
  initiate(
    transport: Transport,
    options: Pick<InitiateOptions, 'robot' | 'hello' | 'wantsSeal' | 'clock' | 'timeoutMs'>,
  ): Promise<Initiated>;
  /** Was the handshake refused only because the robot's static key is another by now? */
  isStaticKeyUnknown(error: unknown): boolean;
}

export interface WayOptions {
  readonly url: string;
  readonly secure: Secure;
  readonly WebSocket: WebSocketClass;
  readonly clock: Clock;
  /** For everything. */
  readonly timeoutMs: number;
  readonly hello: () => Uint8Array;
  readonly robot: { readonly id?: string | undefined; readonly staticKey?: Uint8Array | undefined };
}

/** @throws `dial-failed`, `handshake-failed`, `robot-identity-mismatch`, `timeout` */
export async function takeWay(options: WayOptions, abandon: Abandon): Promise<Initiated> {
  const { secure, robot, clock, timeoutMs } = options;
  const deadlineMs = clock.now() + timeoutMs;
  try {
    return await onFreshSocket(options, abandon);
  } catch (error) {
    if (robot.staticKey === undefined || !secure.isStaticKeyUnknown(error)) throw error;
    // Without the key that the robot no longer has.
    const leftMs = Math.max(1, deadlineMs - clock.now());
    return await onFreshSocket({ ...options, timeoutMs: leftMs, robot: { id: robot.id } }, abandon);
  }
}

async function onFreshSocket(options: WayOptions, abandon: Abandon): Promise<Initiated> {
  const { url, secure, WebSocket, clock, timeoutMs, hello, robot } = options;
  const beganMs = clock.now();
  const socket = abandonableSocket(WebSocket, abandon);
  const transport = await dialWebSocket({ url, protocol: SUBPROTOCOL, timeoutMs, clock, WebSocket: socket });
  abandon.onAbandoned(() => transport.close(1000, 'another way was faster'));
  const leftMs = Math.max(1, timeoutMs - (clock.now() - beganMs));
  const wantsSeal = !isLoopbackHost(new URL(url).hostname);
  return secure.initiate(transport, { robot, hello, wantsSeal, clock, timeoutMs: leftMs });
}

/** The same class; what it makes is closed when it is abandoned before it opened. */
function abandonableSocket(WebSocket: WebSocketClass, abandon: Abandon): WebSocketClass {
  return new Proxy(WebSocket, {
    construct: (target, args) => {
      const socket = Reflect.construct(target, args) as InstanceType<WebSocketClass>;
      abandon.onAbandoned(() => {
        if (socket.readyState === 0) socket.close();
      });
      return socket;
    },
  });
}
