// The agent's end of a WebSocket as a transport. Knows no frames: whole messages in and out.
import type { Duplex } from 'node:stream';
import type { CloseCode, Transport, TransportListener } from '@qiway/protocol/session/transport';
import type { RawData, WebSocket } from 'ws';
import type { Counts } from './metrics.ts';

/** Bytes that may wait in the socket before bulk is held back; the link's own window mostly stays below. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
/** WebSocket's bound for the reason of a close frame (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * Must be called, and the transport listened to, in the turn in which `socket` opened.
 * @param stream what carries the WebSocket, to write several parts at once
 */
export function webSocketTransport(socket: WebSocket, stream: Duplex, counts: Counts): Transport {
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
    listener?.close(text === '' ? `closed (${code})` : text, code);
  });
  /** Parts of one message as WebSocket fragments, in one write: nothing is copied. */
  const sendParts = (parts: readonly Uint8Array[]): void => {
    stream.cork();
    for (const [index, part] of parts.entries()) {
      counts.linkBytesSent += part.length;
      const fin = index === parts.length - 1;
      socket.send(part, { binary: true, compress: false, fin }, fin ? written : undefined);
    }
    stream.uncork();
  };
  return {
    route: 'direct',
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send(message, rest) {
      if (!isOpen()) return true;
      counts.linkMessagesSent++;
      if (rest !== undefined) sendParts([message, ...rest]);
      else {
        counts.linkBytesSent += message.length;
        socket.send(message, { binary: true, compress: false }, written);
      }
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
