// A client of bare frames: says what no SDK would. Answers nothing by itself, not even pings.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION, SUBPROTOCOL } from '../../protocol/session/control.ts';
import type { WebSocketClass } from '../../protocol/transport/websocket.ts';
import {
  ControlType,
  emptyFrameHeader,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  readFrameHeader,
  writeFrameHeader,
} from '../../protocol/wire/link-frame.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { dialAgent } from '../support/dial-agent.ts';
import { type AgentProcess, TOKEN } from './processes.ts';

export interface ReceivedFrame {
  readonly header: FrameHeader;
  readonly body: Uint8Array;
}

export interface RawLink {
  readonly socket: WebSocket;
  readonly received: ReceivedFrame[];
  /** One batch. */
  send(...frames: readonly Uint8Array[]): void;
  /** Removes and returns the first frame that matches, now or when it comes; rejects when the link closes before. */
  take(matches: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame>;
  /** Resolves when `condition` holds, looked at whenever something came; rejects when the link closes before. */
  until(condition: () => boolean): Promise<void>;
  /** The answer to the call of this id. */
  answer(id: number): Promise<ReceivedFrame>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** Without goodbye. */
  cut(): Promise<number>;
}

/** A frame; what is not said is zero. `size` may lie. */
export function frame(
  header: Partial<FrameHeader> & { readonly type: number },
  body: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  writeFrameHeader(bytes, 0, { ...emptyFrameHeader(), size: body.length, ...header });
  bytes.set(body, FRAME_HEADER_BYTES);
  return bytes;
}

/** The body of a right hello, with changes. */
export function hello(changes: object = {}): Uint8Array {
  const text = JSON.stringify({ protocol: PROTOCOL_VERSION, token: TOKEN, client: 'hostile', attempt: 1, ...changes });
  return new TextEncoder().encode(text);
}

/** An open socket on which nothing was said, not even a handshake. */
export async function rawSocket({ origin }: AgentProcess): Promise<WebSocket> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/robot/link`, [SUBPROTOCOL]);
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

/** A link after the handshake, which is not sealed on loopback; hello was said with these bytes, and nothing else. */
export async function rawLink({ origin }: AgentProcess, body: Uint8Array = hello()): Promise<RawLink> {
  let kept: WebSocket | undefined;
  class KeptSocket extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      this.on('error', () => {});
      kept = this;
    }
  }
  const { transport } = await dialAgent(origin, {
    hello: () => body,
    WebSocket: KeptSocket as unknown as WebSocketClass,
  });
  const socket = kept as unknown as WebSocket;
  const received: ReceivedFrame[] = [];
  const waiting = new Set<() => void>();
  let isClosed = socket.readyState > socket.OPEN;
  const look = (): void => {
    for (const each of [...waiting]) each();
  };
  const read = (bytes: Uint8Array): void => {
    for (let offset = 0; offset < bytes.length; ) {
      const header = readFrameHeader(bytes, offset, emptyFrameHeader());
      const start = offset + FRAME_HEADER_BYTES;
      offset = start + header.size;
      received.push({ header, body: bytes.slice(start, offset) });
    }
    look();
  };
  transport.listen({ message: read, drain: () => {}, close: () => {} });
  socket.on('error', () => {});
  const closed = new Promise<number>((resolve) => {
    if (isClosed) resolve(1006);
    socket.once('close', (code: number) => {
      isClosed = true;
      look();
      resolve(code);
    });
  });
  const take: RawLink['take'] = (matches) =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        const index = received.findIndex(matches);
        if (index < 0 && !isClosed) return;
        waiting.delete(attempt);
        const [found] = index < 0 ? [] : received.splice(index, 1);
        if (found === undefined) reject(new Error('the link closed before the frame came'));
        else resolve(found);
      };
      waiting.add(attempt);
      attempt();
    });
  const until: RawLink['until'] = (condition) =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        const holds = condition();
        if (!holds && !isClosed) return;
        waiting.delete(attempt);
        if (holds) resolve();
        else reject(new Error('the link closed before that'));
      };
      waiting.add(attempt);
      attempt();
    });
  return {
    socket,
    received,
    closed,
    take,
    until,
    send: (...frames) => {
      if (socket.readyState === socket.OPEN) socket.send(Buffer.concat(frames));
    },
    answer: (id) => take(({ header }) => header.id === id && [2, 3, 8].includes(header.type)),
    cut: () => {
      socket.terminate();
      return closed;
    },
  };
}

/** A session of bare frames: each side has said from which number it begins. */
export async function rawSession(agent: AgentProcess): Promise<RawLink> {
  const link = await rawLink(agent);
  await link.take(({ header }) => header.type === ControlType.welcome);
  link.send(frame({ type: ControlType.attached }));
  await link.take(({ header }) => header.type === ControlType.attached);
  return link;
}

let nextId = 1_000_000;

/** Calls and decodes: the value, or the error's code as `{ code }`. */
export async function ask(
  link: RawLink,
  address: { readonly service: number; readonly object?: number; readonly action: number },
  {
    signature,
    args,
    returns,
  }: { readonly signature: string; readonly args: readonly unknown[]; readonly returns: string },
): Promise<unknown> {
  const id = nextId++;
  link.send(frame({ type: MessageType.call, id, object: 1, ...address }, encodeValue(signature, args)));
  const { header, body } = await link.answer(id);
  if (header.type === MessageType.reply) return returns === 'v' ? undefined : decodeValue(returns, body);
  if (header.type === MessageType.canceled) return { code: 'canceled' };
  return { code: codeOf(body) };
}

/** The code in an error frame; `text` for the words of a service. */
export function codeOf(body: Uint8Array): string {
  const error = decodeValue('m', body, { dynamics: 'unwrapped' });
  return typeof error === 'string' ? 'text' : (error as { readonly code: string }).code;
}
