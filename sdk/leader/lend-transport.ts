// Lends a transport that only this page can hold: what comes from it goes into a MessagePort, what comes from the port goes out
// over it. The other end of the port is a transport again (protocol/transport/message-port.ts). For the page; what the messages
// mean it does not know, and cannot: they are sealed for the owner.
import type { Clock } from '@qiway/protocol/clock';
import type { CloseCode, Transport } from '@qiway/protocol/session/transport';
import type { PlatformPort } from '@qiway/protocol/transport/message-port';

export interface LendOptions {
  readonly clock: Clock;
  /** Makes the two ends of a channel. Default: the platform's. */
  readonly newChannel?: () => MessageChannel;
}

export interface LentTransport {
  /** For the owner; to be transferred. */
  readonly port: MessagePort;
  /** Settles with the reason when it is over, at whichever end. */
  readonly ended: Promise<string>;
  /** Takes it back: the owner is told, and the transport is closed. Idempotent. */
  end(reason: string): void;
}

/**
 * What the owner may leave unread: an agent keeps less for a session that has acknowledged nothing than this (docs/link-protocol.md,
 * sections 5 and 6), so more is an owner that hangs. Neither WebSocket nor data channel can be told to wait.
 */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
/**
 * How often a transport that has bytes waiting is looked at. Timers of hidden pages are slower; then what comes over it is the
 * occasion, at the latest the other side's heartbeat.
 */
const LOOK_MS = 4;

/** Takes over `transport`; must be called in the turn in which that opened. */
export function lendTransport(transport: Transport, { clock, newChannel }: LendOptions): LentTransport {
  const { port1, port2 } = newChannel?.() ?? new MessageChannel();
  const pump = new Pump(transport, port1 as PlatformPort, clock);
  return { port: port2, ended: pump.ended, end: (reason) => pump.close(1000, reason) };
}

class Pump {
  readonly #transport: Transport;
  readonly #port: PlatformPort;
  readonly #clock: Clock;
  readonly #over = Promise.withResolvers<string>();
  readonly ended: Promise<string> = this.#over.promise;
  #state: 'open' | 'closed' = 'open';
  /** Bytes that came from the port, and how many of them the owner knows to be on the network. */
  #takenBytes = 0;
  #toldBytes = 0;
  /** Bytes that went into the port and that the owner has not taken. */
  #unreadBytes = 0;
  #stopTimer: (() => void) | undefined;

  constructor(transport: Transport, port: PlatformPort, clock: Clock) {
    this.#transport = transport;
    this.#port = port;
    this.#clock = clock;
    transport.listen({
      message: (bytes) => this.#fromNetwork(bytes),
      drain: () => this.#tell(),
      close: (reason, code) => this.#end(reason, code),
    });
    port.addEventListener('message', (event) => this.#fromOwner((event as { readonly data: unknown }).data));
    // Where the platform has it: the owner is gone without a word.
    port.addEventListener('close', () => this.close(1000, 'the owner is gone'));
    port.start?.();
  }

  /** Closes both sides. */
  close(code: CloseCode, reason: string): void {
    if (this.#state === 'closed') return;
    this.#transport.close(code, reason);
    this.#end(reason, code);
  }

  #fromNetwork(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes > MAX_UNREAD_BYTES) return this.close(4413, 'the owner does not read');
    const buffer = whole(bytes);
    this.#port.postMessage(buffer, [buffer]);
    this.#tell();
  }

  /** As protocol/transport/message-port.ts says it: a message, a number of bytes that were taken, or the end. */
  #fromOwner(said: unknown): void {
    if (this.#state === 'closed') return;
    if (said instanceof ArrayBuffer) {
      this.#takenBytes += said.byteLength;
      // Whether there is room the owner sees by what it is told.
      this.#transport.send(new Uint8Array(said));
      this.#tell();
    } else if (typeof said === 'number') this.#unreadBytes = Math.max(0, this.#unreadBytes - said);
    else if (isEnd(said)) {
      this.#transport.close(said.code, said.reason);
      this.#end(said.reason, said.code);
    } else this.close(4400, 'the owner sent what is no message');
  }

  /** Tells what has left for the network. Later again, while something has not. */
  #tell(): void {
    if (this.#state === 'closed') return;
    const waitingBytes = Math.min(this.#transport.bufferedBytes, this.#takenBytes - this.#toldBytes);
    const leftBytes = this.#takenBytes - this.#toldBytes - waitingBytes;
    this.#toldBytes += leftBytes;
    if (leftBytes > 0) this.#port.postMessage(leftBytes, []);
    if (waitingBytes > 0) this.#stopTimer ??= this.#clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    this.#stopTimer = undefined;
    this.#tell();
  }

  #end(reason: string, code: number | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopTimer?.();
    this.#port.postMessage({ code, reason }, []);
    this.#port.close();
    this.#over.resolve(reason);
  }
}

/** A buffer that holds the bytes and nothing else: their own where it does, since nobody else has it then. */
function whole(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? buffer
    : (bytes.slice().buffer as ArrayBuffer);
}

function isEnd(said: unknown): said is { readonly code: CloseCode; readonly reason: string } {
  return (
    typeof said === 'object' && said !== null && typeof (said as { readonly reason?: unknown }).reason === 'string'
  );
}
