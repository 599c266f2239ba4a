// The newest message for or from each member whose older ones are worth nothing. Layer 5.
import { FRAME_HEADER_BYTES, FrameFlags, writeFrameHeader } from '../wire/link-frame.ts';
import type { MessageHeader } from '../wire/message.ts';

interface Slot {
  readonly header: MessageHeader;
  readonly payload: Uint8Array;
}

/** Members at once; whoever sends to more loses the oldest. */
const MAX_SLOTS = 64;

export class LossySlots {
  readonly #slots = new Map<string, Slot>();

  get size(): number {
    return this.#slots.size;
  }

  put(header: MessageHeader, payload: Uint8Array): void {
    const { type, service, object, action } = header;
    const key = `${type}.${service}.${object}.${action}`;
    this.#slots.delete(key);
    this.#slots.set(key, { header: { ...header }, payload });
    if (this.#slots.size <= MAX_SLOTS) return;
    for (const oldest of this.#slots.keys()) {
      this.#slots.delete(oldest);
      return;
    }
  }

  /** Something else is sent to this object: what waits for it must not come after. */
  giveUp(service: number, object: number): void {
    for (const [key, { header }] of this.#slots)
      if (header.service === service && header.object === object) this.#slots.delete(key);
  }

  /** All of them as one batch. */
  take(): Uint8Array {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    const batch = new Uint8Array(slots.reduce((sum, { payload }) => sum + FRAME_HEADER_BYTES + payload.length, 0));
    let at = 0;
    for (const { header, payload } of slots) {
      const { type, id, service, object, action } = header;
      const flags = header.flags | FrameFlags.lossy;
      writeFrameHeader(batch, at, { size: payload.length, type, flags, stream: 0, id, service, object, action });
      batch.set(payload, at + FRAME_HEADER_BYTES);
      at += FRAME_HEADER_BYTES + payload.length;
    }
    return batch;
  }

  clear(): void {
    this.#slots.clear();
  }
}
