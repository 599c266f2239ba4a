// The serving side of a peer that may not need one: most pages only call. Layer 2.
// The first message for an object here has it loaded; messages for objects wait meanwhile, bounded, and are then handled
// in their order. Replies and events do not wait for them.
import { overLimit, type QiwayError } from '../errors.ts';
import { type Part, partMissing } from '../part.ts';
import { Turns } from '../turns.ts';
import { type MessageHeader, MessageType } from '../wire/message.ts';
import { Dynamic, encodeValue } from '../wire/value.ts';
import { type Payload, releasePayload } from './bus.ts';
import type { Peer } from './peer.ts';
import type { ServingCounts, ServingOptions, ServingSide, ServingWith } from './serving-side.ts';

/** Bytes of messages that may wait for the part: it is small, and what comes before it is mostly one call. */
const MAX_WAITING_BYTES = 16_777_216;

/** As `serving`, out of a part that is loaded when the other side first asks for something. */
export function lazyServing(part: Part<{ readonly serving: ServingWith }>): ServingWith {
  return (options) => (peer) => new LazyServing(peer, options, part);
}

class LazyServing implements ServingSide {
  readonly #peer: Peer;
  readonly #options: ServingOptions;
  readonly #part: Part<{ readonly serving: ServingWith }>;
  readonly #turns = new Turns();
  #waitingBytes = 0;
  #side: ServingSide | undefined;
  #isClosed = false;
  /** What waits from before a reset is not answered any more: its number may be that of another call by then. */
  #era = 0;

  constructor(peer: Peer, options: ServingOptions, part: Part<{ readonly serving: ServingWith }>) {
    this.#peer = peer;
    this.#options = options;
    this.#part = part;
  }

  get counts(): ServingCounts {
    return this.#side?.counts ?? { servedObjects: 0, incomingCalls: 0, subscriptions: 0 };
  }

  /** Whoever sends objects has loaded the part before. */
  lower(payload: Payload, service: number, role: 'argument' | 'returned'): Uint8Array {
    const side = this.#arrived();
    if (side !== undefined) return side.lower(payload, service, role);
    if (payload.objects.length === 0) return payload.bytes; // on links null objects go out as they are
    releasePayload(payload);
    throw partMissing();
  }

  call(header: MessageHeader, bytes: Uint8Array): void {
    this.#take('call', header, bytes);
  }

  post(header: MessageHeader, bytes: Uint8Array): void {
    this.#take('post', header, bytes);
  }

  cancel(bytes: Uint8Array): void {
    // What has not begun to wait is not under way.
    if (this.#turns.areFree) return this.#side?.cancel(bytes);
    try {
      this.#turns.run(() => this.#side?.cancel(bytes));
    } catch {
      // So much waits already that this is not kept: the call then comes to its own end.
    }
  }

  stop(service: number, error: QiwayError): void {
    this.#side?.stop(service, error);
  }

  reset(): void {
    this.#era += 1;
    this.#side?.reset();
  }

  close(): void {
    this.#isClosed = true;
    this.#side?.close();
  }

  #take(kind: 'call' | 'post', header: MessageHeader, bytes: Uint8Array): void {
    if (this.#turns.areFree && this.#side !== undefined) return this.#side[kind](header, bytes);
    const copy = { ...header };
    const era = this.#era;
    const refuse = (error: QiwayError): void => {
      if (kind === 'call' && era === this.#era) this.#refuse(copy, error);
    };
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES)
      return refuse(
        overLimit('Too much waits for an object of the page.', { limit: 'waitingBytes', maximum: MAX_WAITING_BYTES }),
      );
    this.#waitingBytes += bytes.length;
    try {
      this.#turns.run(() => {
        this.#waitingBytes -= bytes.length;
        const side = this.#arrived();
        if (era !== this.#era) return;
        if (side !== undefined) side[kind](copy, bytes);
        else refuse(partMissing());
      }, this.#part);
    } catch (error) {
      this.#waitingBytes -= bytes.length;
      refuse(error as QiwayError);
    }
  }

  /** The real side once its part is here. */
  #arrived(): ServingSide | undefined {
    if (this.#side !== undefined || this.#part.here === undefined || this.#isClosed) return this.#side;
    this.#side = this.#part.here.serving(this.#options)(this.#peer);
    return this.#side;
  }

  #refuse({ id, service, object, action }: MessageHeader, error: QiwayError): void {
    const bytes = encodeValue('m', new Dynamic('s', error.message));
    this.#peer.write(MessageType.error, 0, id, service, object, action, bytes);
  }
}
