// What a peer asks of the other side: calls until their one outcome, and posts. Layer 2. Its counterpart is the serving side.
import { asQiwayError, ofCallUnderWay, QiwayError } from '../errors.ts';
import { writeUint32 } from '../wire/bytes.ts';
import { MessageFlags, type MessageHeader, MessageType } from '../wire/message.ts';
import { holdsObjects } from '../wire/signature.ts';
import { type CallRequest, type Payload, type PostOptions, type ReplySink, releasePayload } from './bus.ts';
import { noFlags, tooManyCalls } from './call-refusals.ts';
import { CallTable } from './call-table.ts';
import { standardReturn } from './metaobject.ts';
import type { Peer } from './peer.ts';
import type { PeerObject } from './peer-object.ts';
import type { MessageSender } from './peer-options.ts';
import { PendingCall } from './pending-call.ts';
import { appendReturnSignature } from './return-signature.ts';

export type PostRequest = PostOptions & { readonly action: number; readonly payload: Payload };

/** Of failed calls that may be answered yet, so many are remembered: more than a link loses at once. */
const MAX_ABANDONED = 1024;

export class CallingSide {
  readonly #peer: Peer;
  readonly #sendLossy: MessageSender | undefined;
  readonly #pending = new CallTable<PendingCall>();
  /** Calls that were failed before their answer: the return signatures of those that may bring objects. */
  readonly #abandoned = new Map<number, string>();

  constructor(peer: Peer, sendLossy: MessageSender | undefined) {
    this.#peer = peer;
    this.#sendLossy = sendLossy;
  }

  /** Calls under way. */
  get size(): number {
    return this.#pending.size;
  }

  has(id: number): boolean {
    return this.#pending.has(id);
  }

  /** It has its outcome: the caller tells it. */
  delete(id: number): PendingCall | undefined {
    return this.#pending.delete(id);
  }

  /** Writes a call and keeps its sink until the answer. */
  call(target: PeerObject, request: CallRequest, sink: ReplySink): PendingCall | undefined {
    const { action, payload } = request;
    const maximum = this.#peer.limits.maxPendingCalls;
    const refusal = this.#peer.closedWith ?? (this.#pending.size < maximum ? undefined : tooManyCalls(maximum));
    if (refusal !== undefined) {
      releasePayload(payload);
      sink.error(refusal);
      return undefined;
    }
    const id = this.#peer.freshId();
    const method = target.metaObject.methods.get(action);
    let flags = payload.signature === 'm' && method?.parametersSignature !== 'm' ? MessageFlags.dynamicPayload : 0;
    let bytes: Uint8Array;
    try {
      if ((flags !== 0 || request.returnSignature !== undefined) && !this.#peer.agreement.hasFlags) {
        releasePayload(payload);
        throw noFlags();
      }
      bytes = this.#peer.lower(payload, target.service, 'argument');
    } catch (error) {
      sink.error(error as QiwayError);
      return undefined;
    }
    if (request.returnSignature !== undefined) {
      flags |= MessageFlags.returnType;
      bytes = appendReturnSignature(bytes, request.returnSignature);
    }
    const pending = new PendingCall(this, {
      id,
      sink,
      target,
      action,
      returnSignature: method?.returnSignature ?? standardReturn(action),
    });
    this.#pending.add(pending);
    try {
      this.#peer.write(MessageType.call, flags, id, target.service, target.object, action, bytes);
      return pending;
    } catch (error) {
      this.#pending.delete(id);
      sink.error(asQiwayError(error));
      return undefined;
    }
  }

  /** A failing one is silent. */
  post(target: PeerObject, { action, payload, lane }: PostRequest): void {
    const signature =
      target.metaObject.methods.get(action)?.parametersSignature ?? target.metaObject.signals.get(action)?.signature;
    const flags = payload.signature === 'm' && signature !== 'm' ? MessageFlags.dynamicPayload : 0;
    let bytes: Uint8Array;
    try {
      if (flags !== 0 && !this.#peer.agreement.hasFlags) {
        releasePayload(payload);
        return;
      }
      bytes = this.#peer.lower(payload, target.service, 'argument');
    } catch {
      return;
    }
    // What holds objects is counted at both ends: it must not get lost.
    if (lane !== 'lossy' || this.#sendLossy === undefined || payload.objects.length > 0)
      return this.#peer.tell(MessageType.post, flags, target, action, bytes);
    if (this.#peer.closedWith !== undefined) return;
    const { service, object } = target;
    const header = { id: this.#peer.freshId(), size: bytes.length, version: 0, type: MessageType.post, flags };
    this.#sendLossy({ ...header, service, object, action }, bytes);
  }

  cancel(call: PendingCall): void {
    if (!this.#peer.agreement.canCancel || this.#pending.get(call.id) !== call) return;
    const body = new Uint8Array(4);
    writeUint32(body, 0, call.id);
    this.#peer.tell(MessageType.cancel, 0, call.target, 0, body);
  }

  reply(header: MessageHeader, bytes: Uint8Array): void {
    const call = this.#pending.delete(header.id);
    if (call === undefined) return this.#letGo(header, bytes);
    const signature = (header.flags & MessageFlags.dynamicPayload) === 0 ? call.returnSignature : 'm';
    let payload: Payload;
    try {
      payload = this.#peer.lift(signature, bytes);
    } catch (error) {
      call.sink.error(
        new QiwayError('wire-invalid', `The answer does not fit its signature ${signature}.`, {
          cause: error,
          maybeExecuted: true,
        }),
      );
      return;
    }
    call.sink.reply(payload);
  }

  /** Fails one call; of what the other side may answer to it yet, objects are let go of. */
  fail(id: number, error: QiwayError): void {
    const call = this.#pending.delete(id);
    if (call === undefined) return;
    if (holdsObjects(call.returnSignature)) {
      this.#abandoned.set(id, call.returnSignature);
      const [oldest = id] = this.#abandoned.keys();
      if (this.#abandoned.size > MAX_ABANDONED) this.#abandoned.delete(oldest);
    }
    call.sink.error(error);
  }

  /** Of one service, or of all. */
  failAll(
    error: QiwayError,
    { service, neverSent }: { readonly service?: number; readonly neverSent?: ReadonlySet<number> | undefined },
  ): void {
    const underWay = ofCallUnderWay(error);
    for (const { id } of this.#pending.leaving(service))
      this.#pending.delete(id)?.sink.error(neverSent?.has(id) === true ? error : underWay);
  }

  /** The other side has begun anew, and answers nothing of before. */
  renew(): void {
    this.#abandoned.clear();
  }

  /** The answer to a call that was failed already. */
  #letGo(header: MessageHeader, bytes: Uint8Array): void {
    const declared = this.#abandoned.get(header.id);
    if (declared === undefined || !this.#abandoned.delete(header.id)) return;
    try {
      releasePayload(this.#peer.lift((header.flags & MessageFlags.dynamicPayload) === 0 ? declared : 'm', bytes));
    } catch {
      // Nobody waits for it.
    }
  }
}
