// A client of bare frames: says what no SDK would. Answers nothing by itself, not even pings.
import { once } from 'node:events';
import { WebSocket } from 'ws';
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

export function hello(changes: object = {}): Uint8Array {
  const text = JSON.stringify({ protocol: 1, token: TOKEN, client: 'hostile', ...changes });
  return frame({ type: ControlType.hello }, new TextEncoder().encode(text));
}

/** An open link on which nothing was said. */
export async function rawLink({ origin }: AgentProcess): Promise<RawLink> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/robot/link`, ['qiway.1']);
  const received: ReceivedFrame[] = [];
  const waiting = new Set<() => void>();
  let isClosed = false;
  const look = (): void => {
    for (const each of [...waiting]) each();
  };
  socket.on('message', (message: Buffer) => {
    const bytes = new Uint8Array(message);
    for (let offset = 0; offset < bytes.length; ) {
      const header = readFrameHeader(bytes, offset, emptyFrameHeader());
      const start = offset + FRAME_HEADER_BYTES;
      offset = start + header.size;
      received.push({ header, body: bytes.slice(start, offset) });
    }
    look();
  });
  socket.on('error', () => {});
  const closed = new Promise<number>((resolve) => {
    socket.once('close', (code: number) => {
      isClosed = true;
      look();
      resolve(code);
    });
  });
  await once(socket, 'open');
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

/** A session of bare frames. */
export async function rawSession(agent: AgentProcess): Promise<RawLink> {
  const link = await rawLink(agent);
  link.send(hello());
  await link.take(({ header }) => header.type === ControlType.welcome);
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
