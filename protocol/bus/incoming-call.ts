// A call of the other side that this side is answering. Layer 2.
import { asQiwayError, ofCallUnderWay, QiwayError } from '../errors.ts';
import { MessageFlags, MessageType } from '../wire/message.ts';
import { type CallHandle, EMPTY_BYTES, type Payload, type ReplySink, releasePayload } from './bus.ts';
import type { CallTable, TableCall } from './call-table.ts';
import type { Peer } from './peer.ts';
import type { CallAddress } from './serving-side.ts';

/** Who waits for an answer, and how it is refused one. */
interface Asked {
  readonly address: CallAddress;
  /** Writes an error as the answer. */
  readonly refuse: (error: QiwayError) => void;
}

interface IncomingCallDetails extends Asked {
  /** Where it lives until it is answered. */
  readonly table: CallTable<IncomingCall>;
  readonly returnSignature: string;
}

/** Writes the one answer; lives in the table of calls until then. */
export class IncomingCall implements ReplySink, TableCall {
  /** Undefined once nobody waits: a callee that never answers keeps its sink, and must not keep a whole session with it. */
  #asker: { readonly peer: Peer; readonly details: IncomingCallDetails } | undefined;
  readonly id: number;
  readonly service: number;
  before: TableCall['before'];
  after: TableCall['after'];
  #handle: CallHandle | undefined;
  #isCanceled = false;

  constructor(peer: Peer, details: IncomingCallDetails) {
    this.#asker = { peer, details };
    this.id = details.address.id;
    this.service = details.address.service;
    this.before = undefined;
    this.after = undefined;
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

  /** The other side is gone. */
  abandon(): void {
    this.#asker = undefined;
    this.cancel();
  }

  reply(payload: Payload): void {
    const asker = this.#finish();
    if (asker === undefined) return releasePayload(payload);
    const { peer, details } = asker;
    const { id, service, object, action } = details.address;
    const flags = payload.signature === 'm' && details.returnSignature !== 'm' ? MessageFlags.dynamicPayload : 0;
    try {
      peer.write(MessageType.reply, flags, id, service, object, action, peer.lower(payload, service, 'returned'));
    } catch (error) {
      details.refuse(ofCallUnderWay(asQiwayError(error)));
    }
  }

  error(error: QiwayError): void {
    this.#finish()?.details.refuse(error);
  }

  canceled(): void {
    const asker = this.#finish();
    if (asker !== undefined) answerCanceled(asker.peer, asker.details);
  }

  /** Who is to be answered; undefined when the other side does not wait any more: it closed, or its id was used again. */
  #finish(): { readonly peer: Peer; readonly details: IncomingCallDetails } | undefined {
    const asker = this.#asker;
    this.#asker = undefined;
    if (asker === undefined) return undefined;
    const { table, address } = asker.details;
    if (table.get(address.id) !== this) return undefined;
    table.delete(address.id);
    return asker;
  }
}

/** Tells the other side, in the way it understands, that the call was stopped as it asked. */
export function answerCanceled(peer: Peer, { address, refuse }: Asked): void {
  const { id, service, object, action } = address;
  if (peer.agreement.canCancel) return peer.write(MessageType.canceled, 0, id, service, object, action, EMPTY_BYTES);
  const text = 'Call has been canceled.';
  refuse(new QiwayError('canceled', text, { data: { text } }));
}
