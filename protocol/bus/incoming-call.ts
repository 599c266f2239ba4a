// A call of the other side that this side is answering. Layer 2.
import { asQiwayError, QiwayError } from '../errors.ts';
import { MessageFlags, MessageType } from '../wire/message.ts';
import { type CallHandle, EMPTY_BYTES, type Payload, type ReplySink, releasePayload } from './bus.ts';
import type { Peer } from './peer.ts';

interface CallAddress {
  readonly id: number;
  readonly service: number;
  readonly object: number;
  readonly action: number;
}

/** Writes the one answer; lives in the table of calls until then. */
export class IncomingCall implements ReplySink {
  readonly #peer: Peer;
  readonly #table: Map<number, IncomingCall>;
  readonly #address: CallAddress;
  readonly #returnSignature: string;
  #handle: CallHandle | undefined;
  #isCanceled = false;

  constructor(peer: Peer, table: Map<number, IncomingCall>, address: CallAddress, returnSignature: string) {
    this.#peer = peer;
    this.#table = table;
    this.#address = address;
    this.#returnSignature = returnSignature;
  }

  get service(): number {
    return this.#address.service;
  }

  /** Called once the callee has the call; it may have answered already. */
  attach(handle: CallHandle): void {
    this.#handle = handle;
    if (this.#isCanceled) handle.cancel();
  }

  cancel(): void {
    if (this.#isCanceled) return;
    this.#isCanceled = true;
    this.#handle?.cancel();
  }

  reply(payload: Payload): void {
    if (!this.#finish()) return releasePayload(payload);
    const { id, service, object, action } = this.#address;
    const flags = payload.signature === 'm' && this.#returnSignature !== 'm' ? MessageFlags.dynamicPayload : 0;
    try {
      this.#peer.write(
        MessageType.reply,
        flags,
        id,
        service,
        object,
        action,
        this.#peer.lower(payload, service, 'returned'),
      );
    } catch (error) {
      this.#peer.error(this.#address, asQiwayError(error));
    }
  }

  error(error: QiwayError): void {
    if (this.#finish()) this.#peer.error(this.#address, error);
  }

  canceled(): void {
    if (!this.#finish()) return;
    const { id, service, object, action } = this.#address;
    if (this.#peer.agreement.canCancel)
      this.#peer.write(MessageType.canceled, 0, id, service, object, action, EMPTY_BYTES);
    else
      this.#peer.error(
        this.#address,
        new QiwayError('canceled', 'Call has been canceled.', { data: { text: 'Call has been canceled.' } }),
      );
  }

  /** False when the other side does not wait any more: it closed, or its id was used again. */
  #finish(): boolean {
    if (this.#table.get(this.#address.id) !== this) return false;
    this.#table.delete(this.#address.id);
    return true;
  }
}
