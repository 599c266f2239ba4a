// One way to a robot tried: a transport opened, mostly a WebSocket, and the handshake on it. Gives a transport whose other end
// is known.
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

export interface WayOptions extends Way {
  readonly secure: Secure;
  readonly clock: Clock;
  /** For everything. */
  readonly timeoutMs: number;
  readonly hello: () => Uint8Array;
  readonly robot: { readonly id?: string | undefined; readonly staticKey?: Uint8Array | undefined };
}

/** Where a transport comes from. */
export interface Way {
  /** False only where nothing leaves this machine. */
  readonly wantsSeal: boolean;
  /** A fresh transport. What it comes to after it was abandoned is closed by who asked. */
  readonly open: (timeoutMs: number, abandon: Abandon) => Promise<Transport>;
}

/** @throws `dial-failed`, `handshake-failed`, `robot-identity-mismatch`, `timeout` */
export async function takeWay(options: WayOptions, abandon: Abandon): Promise<Initiated> {
  const { secure, robot, clock, timeoutMs } = options;
  const deadlineMs = clock.now() + timeoutMs;
  try {
    return await onFreshTransport(options, abandon);
  } catch (error) {
    if (robot.staticKey === undefined || !secure.isStaticKeyUnknown(error)) throw error;
    // Without the key that the robot no longer has.
    const leftMs = Math.max(1, deadlineMs - clock.now());
    return await onFreshTransport({ ...options, timeoutMs: leftMs, robot: { id: robot.id } }, abandon);
  }
}

async function onFreshTransport(options: WayOptions, abandon: Abandon): Promise<Initiated> {
  const { open, wantsSeal, secure, clock, timeoutMs, hello, robot } = options;
  const beganMs = clock.now();
  const transport = await open(timeoutMs, abandon);
  abandon.onAbandoned(() => transport.close(1000, 'another way was faster'));
  const leftMs = Math.max(1, timeoutMs - (clock.now() - beganMs));
  return secure.initiate(transport, { robot, hello, wantsSeal, clock, timeoutMs: leftMs });
}

export interface WebSocketWayOptions {
  readonly url: string;
  readonly WebSocket: WebSocketClass;
  readonly clock: Clock;
}

export function webSocketWay({ url, WebSocket, clock }: WebSocketWayOptions): Way {
  return {
    wantsSeal: !isLoopbackHost(new URL(url).hostname),
    open: (timeoutMs, abandon) => {
      const socket = abandonableSocket(WebSocket, abandon);
      return dialWebSocket({ url, protocol: SUBPROTOCOL, timeoutMs, clock, WebSocket: socket });
    },
  };
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
