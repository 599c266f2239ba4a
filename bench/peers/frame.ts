// The frame of the plain peers: 16 bytes little endian (size of the body, client number, call number, operation),
// then the body. Used on TCP and inside WebSocket messages alike; knows no sockets.

export const FRAME_BYTES = 16;

export const Operation = { echo: 1, down: 2, up: 3, subscribe: 4, emit: 5, event: 6 } as const;

/** In the place of the client number: for every subscriber. */
export const EVERYBODY = 0xffff_ffff;

/** A frame with room for a body that is filled in by the caller. */
export function makeFrame(id: number, operation: number, bodyBytes: number): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES + bodyBytes);
  writeNumber(frame, 0, bodyBytes);
  writeNumber(frame, 8, id);
  writeNumber(frame, 12, operation);
  return frame;
}

export function readNumber(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) |
      ((bytes[offset + 1] ?? 0) << 8) |
      ((bytes[offset + 2] ?? 0) << 16) |
      ((bytes[offset + 3] ?? 0) << 24)) >>>
    0
  );
}

export function writeNumber(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** Calls `take` for every frame of a byte stream; frames that lie inside one chunk are passed as views. */
export function frameReader(take: (frame: Uint8Array) => void): (chunk: Uint8Array) => void {
  let partial: Uint8Array | undefined;
  let filled = 0;
  let head = new Uint8Array(0);
  return (chunk) => {
    let bytes = chunk;
    if (head.length > 0) {
      bytes = concat([head, chunk]);
      head = new Uint8Array(0);
    }
    let offset = 0;
    while (offset < bytes.length) {
      if (partial !== undefined) {
        const part = bytes.subarray(offset, offset + partial.length - filled);
        partial.set(part, filled);
        filled += part.length;
        offset += part.length;
        if (filled < partial.length) return;
        const whole = partial;
        partial = undefined;
        take(whole);
        continue;
      }
      if (bytes.length - offset < 4) {
        head = bytes.slice(offset);
        return;
      }
      const size = FRAME_BYTES + readNumber(bytes, offset);
      if (offset + size <= bytes.length) {
        take(bytes.subarray(offset, offset + size));
        offset += size;
      } else {
        partial = new Uint8Array(size);
        filled = 0;
      }
    }
  };
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** A message is flushed early at this size: joining larger bodies would only copy them. */
const BATCH_BYTES = 64 * 1024;

/** Where frames go: each as a message of its own, or all of a turn in one. */
export function frameWriter(batched: boolean, send: (message: Uint8Array) => void): (frame: Uint8Array) => void {
  if (!batched) return send;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = (): void => {
    const parts = waiting;
    waiting = [];
    waitingBytes = 0;
    const [first] = parts;
    if (first !== undefined) send(parts.length === 1 ? first : concat(parts));
  };
  return (frame) => {
    if (waitingBytes + frame.length > BATCH_BYTES) flush();
    if (waiting.length === 0) queueMicrotask(flush);
    waiting.push(frame);
    waitingBytes += frame.length;
  };
}
