// The client of the plain peers, in Node and in Chromium: calls by number, replies in any order.
import type { EchoClient } from '../echo-client.ts';
import { FRAME_BYTES, frameReader, frameWriter, makeFrame, Operation, readNumber, writeNumber } from './frame.ts';

/** What both the browser's and the ws package's WebSocket have. */
export interface WebSocketLike {
  binaryType: string;
  onopen: unknown;
  onmessage: unknown;
  onerror: unknown;
  send(message: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface RawOptions {
  readonly batched: boolean;
  readonly open: (url: string) => WebSocketLike;
}

export function dialRaw(url: string, options: RawOptions): Promise<EchoClient> {
  const socket = options.open(url);
  socket.binaryType = 'arraybuffer';
  const pending = new Map<number, (frame: Uint8Array) => void>();
  const listeners = new Set<(number: number) => void>();
  let lastId = 0;
  const write = frameWriter(options.batched, (message) => socket.send(message as Uint8Array<ArrayBuffer>));
  const read = frameReader((frame) => {
    if (readNumber(frame, 12) === Operation.event) {
      const number = readNumber(frame, FRAME_BYTES);
      for (const listener of listeners) listener(number);
      return;
    }
    const id = readNumber(frame, 8);
    const take = pending.get(id);
    pending.delete(id);
    take?.(frame);
  });
  const call = (operation: number, bodyBytes: number, fill: (frame: Uint8Array) => void): Promise<Uint8Array> =>
    new Promise((resolve) => {
      lastId += 1;
      pending.set(lastId, resolve);
      const frame = makeFrame(lastId, operation, bodyBytes);
      fill(frame);
      write(frame);
    });
  const callWithNumber = (operation: number, number: number): Promise<Uint8Array> =>
    call(operation, 4, (frame) => writeNumber(frame, FRAME_BYTES, number));
  const client: EchoClient = {
    echo: async (number) => readNumber(await callWithNumber(Operation.echo, number), FRAME_BYTES),
    down: async (size) => (await callWithNumber(Operation.down, size)).subarray(FRAME_BYTES),
    up: async (body) =>
      readNumber(await call(Operation.up, body.length, (frame) => frame.set(body, FRAME_BYTES)), FRAME_BYTES),
    subscribe: async (listener) => {
      listeners.add(listener);
      await callWithNumber(Operation.subscribe, 0);
    },
    emit: async (count) => {
      await callWithNumber(Operation.emit, count);
    },
    close: async () => socket.close(),
  };
  return new Promise((resolve, reject) => {
    socket.onmessage = (event: { data: unknown }) => {
      if (event.data instanceof ArrayBuffer) read(new Uint8Array(event.data));
    };
    socket.onopen = () => resolve(client);
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
  });
}
