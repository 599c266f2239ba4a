// The agent's end of a WebSocket as a transport. Knows no frames: whole messages in and out.
import type { CloseCode, Transport, TransportListener } from '@qiway/protocol/session/transport';
import type { RawData, WebSocket } from 'ws';
import type { Counts } from './metrics.ts';

/** Bytes that may wait in the socket before bulk is held back: two fragments keep a fast path busy. */
const HIGH_WATER_BYTES = 256 * 1024;
/** WebSocket's bound for the reason of a close frame (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/** Must be called, and the transport listened to, in the turn in which `socket` opened. */
export function webSocketTransport(socket: WebSocket, counts: Counts): Transport {
  let listener: TransportListener | undefined;
  let isFull = false;
  const isOpen = (): boolean => socket.readyState === socket.OPEN;
  const close = (code: CloseCode, reason: string): void => {
    if (isOpen()) socket.close(code, cutReason(reason));
  };
  const written = (): void => {
    if (!isFull || !isOpen() || socket.bufferedAmount > HIGH_WATER_BYTES / 2) return;
    isFull = false;
    listener?.drain();
  };
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (!isBinary) return close(4400, 'text message');
    const bytes = data as Buffer;
    counts.linkBytesReceived += bytes.length;
    counts.linkMessagesReceived++;
    listener?.message(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  });
  // What `ws` reports as an error (a broken frame, a message too long) it also closes.
  let failure: string | undefined;
  socket.on('error', (error: Error) => {
    failure = error.message;
  });
  socket.on('close', (code: number, reason: Buffer) => {
    const text = failure ?? reason.toString('utf8');
    listener?.close(text === '' ? `closed (${code})` : text);
  });
  return {
    route: 'direct',
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send(message) {
      if (!isOpen()) return true;
      counts.linkBytesSent += message.length;
      counts.linkMessagesSent++;
      socket.send(message, { binary: true, compress: false }, written);
      if (socket.bufferedAmount <= HIGH_WATER_BYTES) return true;
      isFull = true;
      return false;
    },
    close,
    listen(next) {
      listener = next;
    },
  };
}

function cutReason(reason: string): string {
  const bytes = Buffer.from(reason, 'utf8');
  return bytes.length <= MAX_REASON_BYTES
    ? reason
    : bytes
        .subarray(0, MAX_REASON_BYTES - 3)
        .toString('utf8')
        .replace(/�+$/, '');
}
