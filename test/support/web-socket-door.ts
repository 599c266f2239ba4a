// Both ends of WebSockets as transports: dialled as a page does, accepted as the agent does, on a port of the kernel's choice.
import { SUBPROTOCOL } from '../../protocol/session/control.ts';
import type { Transport } from '../../protocol/session/transport.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { dialWebSocket, type WebSocketClass } from '../../protocol/transport/websocket.ts';
import { httpAgent } from './http-agent.ts';

export interface WebSocketDoor {
  /** Resolves in the turn in which the socket opened. */
  dial(): Promise<Transport>;
  close(): Promise<void>;
}

/** @param accept is given the agent's end, in the turn in which it opened */
export async function webSocketDoor(accept: (transport: Transport) => void): Promise<WebSocketDoor> {
  const agent = await httpAgent({ onAccept: accept });
  const dial = (): Promise<Transport> =>
    dialWebSocket({
      url: `ws://127.0.0.1:${agent.port}/robot/link`,
      protocol: SUBPROTOCOL,
      timeoutMs: 10_000,
      clock: systemClock,
      WebSocket: globalThis.WebSocket as unknown as WebSocketClass,
    });
  return { dial, close: () => agent.close() };
}
