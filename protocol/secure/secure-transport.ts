// A transport whose messages are sealed records of the transport below. Between layers 5 and 6; knows only that seam.
// Without keys (loopback, where neither side asked for sealing) messages pass as they are.
import type { CloseCode, Transport, TransportListener } from '../session/transport.ts';
import { type SealingKey, TAG_BYTES } from './crypto.ts';
import { InOrder } from './in-order.ts';
import { isPromise } from './later.ts';
import { Nonces } from './nonces.ts';

/** Bytes that may be under the hands of an asynchronous Crypto before bulk is held back: some 10 ms of its work. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
/** As much arrives only from a sender that regards no window of the link protocol, while it is being opened or not yet listened to. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export interface SecureKeys {
  readonly send: SealingKey;
  readonly receive: SealingKey;
}

export interface SecureTransportOptions {
  /** Absent: not sealed. */
  readonly keys?: SecureKeys | undefined;
  /** Bytes of the longest message that is taken. */
  readonly maxMessageBytes?: number | undefined;
}

/**
 * closing: `close` was called, what was sent before is on its way. broken: nothing that arrives is believed, the other side's
 * close is awaited.
 */
type State = 'open' | 'closing' | 'broken' | 'closed';

export class SecureTransport implements Transport {
  /** To be told what the transport below tells. */
  readonly below: TransportListener = {
    message: (bytes) => this.#message(bytes),
    drain: () => {
      this.#isBelowFull = false;
      this.#mayDrain();
    },
    close: (reason, code) => {
      if (this.#state === 'broken') this.#closed(reason, code);
      // Behind the messages that are still being opened.
      else this.#incoming.add(undefined, () => this.#closed(reason, code));
    },
  };
  readonly #transport: Transport;
  readonly #keys: SecureKeys | undefined;
  readonly #maxBytes: number;
  readonly #sendNonces = new Nonces();
  readonly #receiveNonces = new Nonces();
  readonly #outgoing: InOrder;
  readonly #incoming: InOrder;
  #state: State = 'open';
  #listener: TransportListener | undefined;
  /** What came before the listener did, or in the same turn. */
  #kept: ((listener: TransportListener) => void)[] | undefined = [];
  #keptBytes = 0;
  #sealingBytes = 0;
  #openingBytes = 0;
  #isBelowFull = false;
  #owesDrain = false;

  constructor(transport: Transport, { keys, maxMessageBytes = Number.POSITIVE_INFINITY }: SecureTransportOptions) {
    this.#transport = transport;
    this.#keys = keys;
    this.#maxBytes = maxMessageBytes + (keys === undefined ? 0 : TAG_BYTES);
    this.#outgoing = new InOrder(() => this.#break(4400, 'a record could not be sealed'));
    this.#incoming = new InOrder(() => this.#break(4400, 'a record could not be opened'));
  }

  get route(): Transport['route'] {
    return this.#transport.route;
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes + this.#sealingBytes;
  }

  send(message: Uint8Array, rest?: readonly Uint8Array[]): boolean {
    if (this.#state !== 'open') return true;
    if (this.#keys === undefined) this.#pass(message, rest);
    else this.#seal(this.#keys.send, rest === undefined ? [message] : [message, ...rest]);
    const mayGoOn = !this.#isBelowFull && this.#sealingBytes <= HIGH_WATER_BYTES;
    this.#owesDrain ||= !mayGoOn;
    return mayGoOn;
  }

  close(code: CloseCode, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#outgoing.add(undefined, () => this.#transport.close(code, reason));
  }

  listen(listener: TransportListener): void {
    // Later, since a listener is called from the event loop; what comes meanwhile is kept behind.
    queueMicrotask(() => {
      // An array's iterator sees what is added while it runs.
      for (const tell of this.#kept ?? []) tell(listener);
      this.#kept = undefined;
      this.#listener = listener;
    });
  }

  #seal(key: SealingKey, parts: readonly Uint8Array[]): void {
    const sealed = key.seal(this.#sendNonces.next(), parts);
    if (!isPromise(sealed) && this.#outgoing.isEmpty) return this.#pass(...split(sealed));
    const bytes = parts.reduce((length, part) => length + part.length, 0);
    this.#sealingBytes += bytes;
    this.#outgoing.add(sealed, (pieces) => {
      this.#sealingBytes -= bytes;
      if (this.#state === 'open' || this.#state === 'closing') this.#pass(...split(pieces));
      this.#mayDrain();
    });
  }

  #pass(message: Uint8Array, rest: readonly Uint8Array[] | undefined): void {
    if (!this.#transport.send(message, rest)) this.#isBelowFull = true;
  }

  #mayDrain(): void {
    if (!this.#owesDrain || this.#isBelowFull || this.#sealingBytes > HIGH_WATER_BYTES / 2) return;
    this.#owesDrain = false;
    if (this.#state === 'open') this.#tell((listener) => listener.drain());
  }

  #message(bytes: Uint8Array): void {
    if (this.#state === 'broken' || this.#state === 'closed') return;
    if (bytes.length > this.#maxBytes) return this.#break(4413, 'a record is too long');
    if (this.#keys === undefined) return this.#deliver(bytes);
    const opened = this.#keys.receive.open(this.#receiveNonces.next(), bytes);
    if (!isPromise(opened) && this.#incoming.isEmpty) return this.#deliver(opened);
    this.#openingBytes += bytes.length;
    if (this.#openingBytes > MAX_WAITING_BYTES) return this.#break(4413, 'more records than can be opened');
    this.#incoming.add(opened, (plain) => {
      this.#openingBytes -= bytes.length;
      this.#deliver(plain);
    });
  }

  #deliver(plain: Uint8Array | undefined): void {
    if (this.#state === 'broken' || this.#state === 'closed') return;
    if (plain === undefined) return this.#break(4400, 'a record does not open');
    if (this.#listener !== undefined) return this.#listener.message(plain);
    this.#keptBytes += plain.length;
    if (this.#keptBytes > MAX_WAITING_BYTES) return this.#break(4413, 'nobody takes what arrives');
    this.#tell((listener) => listener.message(plain));
  }

  #closed(reason: string, code: number | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#sealingBytes = 0;
    this.#tell((listener) => listener.close(reason, code));
  }

  /** Nothing that arrives from here on is believed. */
  #break(code: CloseCode, reason: string): void {
    if (this.#state === 'broken' || this.#state === 'closed') return;
    this.#state = 'broken';
    this.#transport.close(code, reason);
  }

  #tell(tell: (listener: TransportListener) => void): void {
    if (this.#listener !== undefined) tell(this.#listener);
    else this.#kept?.push(tell);
  }
}

function split([first, ...rest]: readonly [Uint8Array, ...Uint8Array[]]): [Uint8Array, Uint8Array[] | undefined] {
  return [first, rest.length === 0 ? undefined : rest];
}
