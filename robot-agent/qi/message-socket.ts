// A TCP or TLS socket as a stream of qi messages: framing in, batches out, bounds both ways. It knows no handshake and
// no calls.
import type { Socket } from 'node:net';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { Budget, Share } from '@qiway/protocol/session/budget';
import { MessageFramer } from '@qiway/protocol/wire/framer';
import { HEADER_BYTES, type MessageHeader, writeMessageHeader } from '@qiway/protocol/wire/message';
import { isLoopback } from '../address.ts';
import { formatEndpoint, plainAddress, type Scheme } from './endpoints.ts';
import type { SocketWatch } from './socket-watch.ts';
import { looksLikeTls, speaksTls, tlsFailure } from './tls-errors.ts';

/** What a socket tells; one listener at a time, which may be replaced while it is being told. */
export interface SocketListener {
  /** `header` is reused; `payload` may be kept. What it throws closes the socket. */
  message(header: MessageHeader, payload: Uint8Array): void;
  /** Once; nothing follows. */
  closed(reason: QiwayError): void;
}

export interface MessageSocketOptions {
  readonly clock: Clock;
  /** What the socket is. Default tcp. */
  readonly scheme?: Scheme;
  /** Bytes that may wait for a peer that does not read; then the socket is closed. Default 256 MiB. */
  readonly maxQueuedBytes?: number;
  /** What may wait for many together: who keeps most is closed. */
  readonly budget?: Budget;
  /** Ends the socket when the network to the other side broke without a word. */
  readonly watch?: SocketWatch;
}

/** Bytes; two of the largest messages. Robots send pictures and recordings, so less would break honest use. */
const MAX_QUEUED_BYTES = 268_435_456;
/** So little may always wait; beyond it the budget of all is looked at. */
const UNHEEDED_BYTES = 65_536;
/** Payloads up to this many bytes are copied into the batch; beyond it a copy costs more than a buffer of its own. */
const COPY_BYTES = 8192;
/** One allocation for many small messages, bytes: each four times the one before, so that who says little holds little. */
const FIRST_BATCH_BYTES = 1024;
const LARGEST_BATCH_BYTES = 65_536;
/**
 * Bytes of one turn after which writing begins before the turn ends, so that the other side works meanwhile: about 20
 * small calls. Each further write of the turn takes twice as much, so that a long turn costs few writes.
 */
const EARLY_FLUSH_BYTES = 700;
const MOST_EARLY_FLUSH_BYTES = 524_288;
/** Idle time before TCP asks whether the peer is still there, ms: with the ten questions after it, a second each, libqi's 30 s. */
const KEEP_ALIVE_MS = 20_000;
/** Reason of a `link-lost` that is no fault: qi programs say no goodbye, they close their socket. */
export const CLOSED_BY_OTHER_SIDE = 'closed by the other side';
/** Time for the last bytes to leave after `end`, ms. */
const LINGER_MS = 2000;

const QI_MAGIC = Buffer.from('42dead42', 'hex');
/** Of what a stranger says, for the log: enough to know a protocol by, too little for a secret. */
const MAX_SHOWN = 12;

export class MessageSocket {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #maxQueuedBytes: number;
  readonly #framer: MessageFramer;
  readonly #share: Share | undefined;
  #listener: SocketListener;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #reason: QiwayError | undefined;
  #stopLingering: () => void = () => {};
  #receivedBytes = 0;
  /** Messages of this turn: what was copied lies in `batch` from `begin` to `end`; `chunks` come before it. */
  #batch: Uint8Array = new Uint8Array(0);
  #begin = 0;
  #end = 0;
  #chunks: Uint8Array[] = [];
  #pendingBytes = 0;
  #isFlushPlanned = false;
  #earlyFlushBytes = EARLY_FLUSH_BYTES;

  /** Takes over a connected socket. */
  constructor(socket: Socket, listener: SocketListener, options: MessageSocketOptions) {
    this.#socket = socket;
    this.#listener = listener;
    this.#clock = options.clock;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? MAX_QUEUED_BYTES;
    this.#share = options.budget?.open({
      bytes: () => this.bufferedBytes,
      end: (error) => this.destroy(error),
    });
    this.#framer = new MessageFramer({ onMessage: (header, payload) => this.#listener.message(header, payload) });
    const { remoteAddress = '', remotePort = 0 } = socket;
    const { scheme = 'tcp' } = options;
    this.remoteEndpoint = formatEndpoint({ scheme, host: plainAddress(remoteAddress), port: remotePort });
    this.isRemoteLoopback = isLoopback(plainAddress(remoteAddress));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    options.watch?.add(socket, (reason) =>
      this.destroy(
        new QiwayError('link-lost', `The network to the other side broke: ${reason}.`, { data: { reason } }),
      ),
    );
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error: Error) => {
      this.#reason ??=
        tlsFailure(error) ??
        new QiwayError('link-lost', `The socket broke: ${error.message}.`, {
          data: { reason: error.message },
          cause: error,
        });
    });
    // A side that reads no more of what it is sent must not stay for ever because it said its own end.
    socket.on('end', () => this.end(closedByOther()));
    socket.on('close', () => this.#closed());
  }

  /** Where the other end is, as an endpoint: `tcp://address:port`, with the scheme of the socket. */
  readonly remoteEndpoint: string;
  readonly isRemoteLoopback: boolean;

  /** Bytes that may come before the socket is closed: until the other side is let in, it is trusted with little. */
  maxReceivedBytes: number = Number.POSITIVE_INFINITY;

  /** Bytes not yet taken by the kernel. */
  get bufferedBytes(): number {
    return this.#pendingBytes + this.#socket.writableLength;
  }

  /** Bytes of requests that may still be sent: half of what may wait, the rest is for answers and events. */
  get roomForRequests(): number {
    return this.#maxQueuedBytes / 2 - this.bufferedBytes;
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
  }

  /** Writes with the other messages of this turn; after `end` it does nothing. `payload` is never to be written to again. */
  send(header: MessageHeader, payload: Uint8Array): void {
    if (this.#state !== 'open') return;
    const isCopied = payload.length <= COPY_BYTES;
    const room = isCopied ? HEADER_BYTES + payload.length : HEADER_BYTES;
    if (this.#end + room > this.#batch.length) {
      this.#cut();
      const larger = Math.min(this.#batch.length * 4, LARGEST_BATCH_BYTES);
      this.#batch = new Uint8Array(Math.max(room, larger, FIRST_BATCH_BYTES));
      this.#begin = 0;
      this.#end = 0;
    }
    writeMessageHeader(this.#batch, this.#end, header);
    if (isCopied) this.#batch.set(payload, this.#end + HEADER_BYTES);
    this.#end += room;
    if (!isCopied) {
      this.#cut();
      this.#chunks.push(payload);
    }
    this.#pendingBytes += HEADER_BYTES + payload.length;
    if (this.#pendingBytes >= this.#earlyFlushBytes) {
      this.#earlyFlushBytes = Math.min(this.#earlyFlushBytes * 2, MOST_EARLY_FLUSH_BYTES);
      this.#flush();
    }
    if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      setImmediate(() => {
        this.#isFlushPlanned = false;
        this.#earlyFlushBytes = EARLY_FLUSH_BYTES;
        this.#flush();
      });
    }
  }

  /** Closes after what was sent has left. `reason` is what the listener is told. */
  end(reason: QiwayError): void {
    if (this.#state !== 'open') return;
    this.#flush();
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#reason = reason;
    this.#framer.close();
    this.#socket.end();
    this.#stopLingering = this.#clock.after(LINGER_MS, () => this.#socket.destroy());
  }

  /** Closes at once. */
  destroy(reason: QiwayError): void {
    if (this.#state === 'closed') return;
    this.#reason ??= reason;
    this.#framer.close();
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const isFirst = this.#receivedBytes === 0;
    this.#receivedBytes += chunk.length;
    try {
      if (isFirst && looksLikeTls(chunk)) throw speaksTls();
      // At once, although the header is not whole: who greets with less would be waited for.
      if (isFirst && chunk.length >= QI_MAGIC.length && !QI_MAGIC.equals(chunk.subarray(0, QI_MAGIC.length)))
        throw speaksNoQi(chunk);
      this.#framer.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
      // After the push: the chunk may hold what lifts the bound.
      const maximum = this.maxReceivedBytes;
      if (this.#receivedBytes > maximum)
        throw new QiwayError('limit-exceeded', `More than ${maximum} bytes came before the authentication.`, {
          data: { limit: 'maxReceivedBytes', maximum },
        });
    } catch (error) {
      this.destroy(asQiwayError(error));
    }
  }

  #cut(): void {
    if (this.#end === this.#begin) return;
    this.#chunks.push(this.#batch.subarray(this.#begin, this.#end));
    this.#begin = this.#end;
  }

  #flush(): void {
    if (this.#state !== 'open') return;
    this.#cut();
    const chunks = this.#chunks;
    if (chunks.length === 0) return;
    this.#chunks = [];
    this.#pendingBytes = 0;
    if (chunks.length === 1) this.#socket.write(chunks[0] as Uint8Array);
    else {
      this.#socket.cork();
      for (const chunk of chunks) this.#socket.write(chunk);
      this.#socket.uncork();
    }
    if (this.#socket.writableLength <= UNHEEDED_BYTES) return;
    const refusal = this.#share?.refuse(0);
    if (refusal !== undefined) return this.destroy(refusal);
    if (this.#socket.writableLength <= this.#maxQueuedBytes) return;
    const maximum = this.#maxQueuedBytes;
    this.destroy(
      new QiwayError('limit-exceeded', `The other side does not read: more than ${maximum} bytes wait for it.`, {
        data: { limit: 'maxQueuedBytes', maximum },
      }),
    );
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopLingering();
    this.#framer.close();
    this.#chunks = [];
    this.#pendingBytes = 0;
    this.#share?.close();
    this.#listener.closed(this.#reason ?? closedByOther());
  }
}

function closedByOther(): QiwayError {
  return new QiwayError('link-lost', 'The other side closed the socket.', {
    data: { reason: CLOSED_BY_OTHER_SIDE },
  });
}

function speaksNoQi(chunk: Buffer): QiwayError {
  const begin = JSON.stringify(chunk.toString('latin1', 0, MAX_SHOWN));
  return new QiwayError('wire-invalid', `The other side speaks something else than qi: it begins with ${begin}.`, {
    data: { offset: 0 },
  });
}
