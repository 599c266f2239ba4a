// What carries the messages of a session over its links, one at a time: outbox, inbox, and the link of now. Layer 5.
// Both ends of a session have one; it knows no hello, and no qi message by its meaning.
import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import { ControlType, type FrameHeader } from '../wire/link-frame.ts';
import type { MessageHeader } from '../wire/message.ts';
import type { Refuse } from './fragments.ts';
import { Inbox } from './inbox.ts';
import { type Link, type LinkLimits, type LinkOwner, SILENCE } from './link.ts';
import { Outbox } from './outbox.ts';

/** Without an acknowledgement for so long, while something is on its way, the other side does not read. */
const STALL_MS = 10_000;
/**
 * A link over which nothing came, or went, may be too slow for one message: a piece that was cut for a faster path, which
 * takes 52 s at 20 kB/s. The next one is given twice the time, up to so many times as much.
 */
const MOST_SILENCE = 32;
const MOST_STALL = 8;

/** Reason of a `link-lost` then. */
export const STALLED = 'stalled';

export interface ConduitOptions {
  readonly clock: Clock;
  readonly schedule: (flush: () => void) => void;
  readonly limits: LinkLimits;
  /** Why so many bytes more cannot be kept, for reasons beyond this session. */
  readonly refuse?: Refuse;
  readonly onMessage: (header: MessageHeader, payload: Uint8Array) => void;
  /** Control frames that speak of the session. Throwing closes the link. */
  readonly onControl: (type: number, body: Uint8Array) => void;
  readonly onRtt: (rttMs: number) => void;
  /** Something came, whatever it was. */
  readonly onHeard?: () => void;
  /** The link is gone; `link-lost`: another one may follow, anything else: the session cannot go on. */
  readonly onLost: (error: QiwayError) => void;
}

/** How a link goes on with what was before. */
export interface Attachment {
  /** Number of the last frame that the other side has. */
  readonly otherHas: number;
  readonly heartbeatMs: number;
  /** Signs of life more often than that. */
  readonly beatMs?: number | undefined;
  /** Measure the round trip with every beat. */
  readonly probes: boolean;
}

export class Conduit implements LinkOwner {
  readonly outbox: Outbox;
  readonly #options: ConduitOptions;
  readonly #inbox: Inbox;
  #link: Link | undefined;
  #staleUpTo = 0;
  readonly #silence = new Patience(MOST_SILENCE);
  readonly #stall = new Patience(MOST_STALL);
  #attached = { atMs: 0, heartbeatMs: 0, confirmed: 0 };

  constructor(options: ConduitOptions) {
    this.#options = options;
    const { clock, schedule, limits, refuse, onMessage } = options;
    const { maxMessageBytes, maxQueuedBytes } = limits;
    this.outbox = new Outbox({ clock, schedule, maxQueuedBytes, maxMessageBytes, refuse });
    this.#inbox = new Inbox({ maxMessageBytes, onMessage, refuse });
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** Bytes that are kept here: waiting, not acknowledged, of messages that are not whole. */
  get keptBytes(): number {
    return this.outbox.queuedBytes + this.#inbox.heldBytes;
  }

  /** Number of the last frame taken. */
  get received(): number {
    return this.#inbox.received;
  }

  /** Was the message that is being taken sent for the first time before a silence? */
  get isStale(): boolean {
    return this.#inbox.began <= this.#staleUpTo;
  }

  /** Frames up to `number` come late. */
  markStale(number: number): void {
    this.#staleUpTo = number;
  }

  /** Goes over to a link; the one before is left. @throws `wire-invalid` when the other side cannot have what it says */
  attach(link: Link, { otherHas, heartbeatMs, beatMs = heartbeatMs, probes }: Attachment): void {
    const start = this.outbox.startAfter(otherHas);
    const old = this.#link;
    this.#link = link;
    link.give(this);
    this.#inbox.attach();
    old?.leave(4410, 'replaced by another link');
    link.tell(ControlType.attached, start);
    this.outbox.attach(link.transport, start);
    this.#attached = { atMs: this.#options.clock.now(), heartbeatMs, confirmed: this.outbox.confirmedNumber };
    const patience = this.#silence.times;
    link.startHeartbeat({ everyMs: beatMs, agreedMs: heartbeatMs, probes, patience, hasSent: () => this.#beat() });
  }

  /** For a new session; a link that is there is left. */
  reset(): void {
    this.#link?.leave(1000, 'the session ended');
    this.#link = undefined;
    this.outbox.detach();
    this.outbox.reset();
    this.#inbox.reset();
    this.#staleUpTo = 0;
  }

  /** Ends it: as wanted, or with why; the other side is told as far as there is a link. Nobody here is. */
  close(error: QiwayError | undefined): void {
    const link = this.#link;
    this.#link = undefined;
    this.outbox.flush();
    this.outbox.close();
    if (link === undefined) return;
    link.give(NOBODY);
    if (error === undefined) link.sayGoodbye();
    else link.close(error, error.code === 'limit-exceeded' ? 4413 : 1000, ControlType.goodbye);
  }

  frame(frame: FrameHeader, body: Uint8Array): void {
    this.#inbox.take(frame, body);
  }

  control(type: number, id: number, body: Uint8Array): void {
    if (type === ControlType.received) this.outbox.confirmed(id);
    else if (type === ControlType.attached) this.#inbox.begin(id);
    else this.#options.onControl(type, body);
  }

  batchTaken(): void {
    this.#options.onHeard?.();
    const toTell = this.#inbox.toTell();
    if (toTell !== undefined) this.outbox.acknowledge(this.#inbox.received, toTell === 'now');
  }

  drained(): void {
    this.outbox.drained();
  }

  rttMeasured(rttMs: number): void {
    this.#options.onRtt(rttMs);
  }

  closed(error: QiwayError): void {
    const { atMs, heartbeatMs, confirmed } = this.#attached;
    const heardForMs = (this.#link?.lastHeardMs ?? atMs) - atMs;
    const reason = 'reason' in error.data ? error.data.reason : undefined;
    this.#silence.linkEnded(heardForMs > heartbeatMs, reason === SILENCE);
    this.#stall.linkEnded(this.outbox.confirmedNumber !== confirmed, reason === STALLED);
    this.#link = undefined;
    this.outbox.detach();
    this.#options.onLost(error);
  }

  #beat(): boolean {
    const { stalledMs } = this.outbox;
    if (stalledMs > STALL_MS * this.#stall.times)
      this.#link?.close(
        new QiwayError('link-lost', `The other side has taken nothing for ${Math.round(stalledMs / 1000)} s.`, {
          data: { reason: STALLED },
        }),
        4413,
      );
    return this.outbox.beat();
  }
}

/** How much longer than usual to wait for a sign of progress: more after each link that was given up without any. */
class Patience {
  readonly #most: number;
  #times = 1;

  constructor(most: number) {
    this.#most = most;
  }

  get times(): number {
    return this.#times;
  }

  linkEnded(hasWorked: boolean, isGivenUp: boolean): void {
    if (hasWorked) this.#times = 1;
    else if (isGivenUp) this.#times = Math.min(this.#times * 2, this.#most);
  }
}

const NOBODY: LinkOwner = {
  frame: () => {},
  control: () => {},
  batchTaken: () => {},
  drained: () => {},
  rttMeasured: () => {},
  closed: () => {},
};
