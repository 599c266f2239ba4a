// A call of the other side that this side is answering. Layer 2.
import { asQiwayError, QiwayError } from '../errors.ts';
import { MessageFlags, MessageType } from '../wire/message.ts';
import { type CallHandle, EMPTY_BYTES, type Payload, type ReplySink, releasePayload } from './bus.ts';
import type { Peer } from './peer.ts';
import type { CallAddress } from './serving-side.ts';

interface IncomingCallDetails {
  /** Where it lives until it is answered. */
  readonly table: Map<number, IncomingCall>;
  readonly address: CallAddress;
  readonly returnSignature: string;
  /** Writes an error as the answer. */
  readonly refuse: (error: QiwayError) => void;
}

/** Writes the one answer; lives in the table of calls until then. */
export class IncomingCall implements ReplySink {
  readonly #peer: Peer;
  readonly #details: IncomingCallDetails;
  #handle: CallHandle | undefined;
  #isCanceled = false;

  constructor(peer: Peer, details: IncomingCallDetails) {
    this.#peer = peer;
    this.#details = details;
  }

  get service(): number {
    return this.#details.address.service;
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
    const { id, service, object, action } = this.#details.address;
    const flags = payload.signature === 'm' && this.#details.returnSignature !== 'm' ? MessageFlags.dynamicPayload : 0;
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
      this.#details.refuse(asQiwayError(error));
    }
  }

  error(error: QiwayError): void {
    if (this.#finish()) this.#details.refuse(error);
  }

  canceled(): void {
    if (!this.#finish()) return;
    const { id, service, object, action } = this.#details.address;
    if (this.#peer.agreement.canCancel)
      this.#peer.write(MessageType.canceled, 0, id, service, object, action, EMPTY_BYTES);
    else
      this.#details.refuse(
        new QiwayError('canceled', 'Call has been canceled.', { data: { text: 'Call has been canceled.' } }),
      );
  }

  /** False when the other side does not wait any more: it closed, or its id was used again. */
  #finish(): boolean {
    const { table, address } = this.#details;
    if (table.get(address.id) !== this) return false;
    table.delete(address.id);
    return true;
  }
}
