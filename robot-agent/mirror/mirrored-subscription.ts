// A subscription of somebody outside to a signal of the robot, over the comings and goings of the service.
// Robot-agent; knows objects only. The service inside sees one registration for all subscribers: that is the object's business.
import {
  type BusObject,
  type EventSink,
  type Payload,
  releasePayload,
  type Subscription,
} from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';

export interface MirroredSubscriptionOptions {
  readonly clock: Clock;
  readonly onClosed: () => void;
}

/** For the first confirmation, while the service is away, ms: less than the 30 s for which callers wait for an answer. */
const CONFIRM_MS = 20_000;

export class MirroredSubscription implements Subscription {
  readonly ready: Promise<void>;
  readonly #signal: number;
  readonly #sink: EventSink;
  readonly #options: MirroredSubscriptionOptions;
  #settle: { readonly resolve: () => void; readonly reject: (error: QiwayError) => void } | undefined;
  /** Whose events are passed on, and the subscription to it. */
  #object: BusObject | undefined;
  #inner: Subscription | undefined;
  /** Events may have been missed since the last one. */
  #owesGap = false;
  #isClosed = false;
  #stopTimer: (() => void) | undefined;

  constructor(signal: number, sink: EventSink, options: MirroredSubscriptionOptions) {
    this.#signal = signal;
    this.#sink = sink;
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => {});
  }

  /** Subscribes to the object that is there now. */
  begin(object: BusObject): void {
    this.#stopWaiting();
    this.#object = object;
    const inner = object.subscribe(this.#signal, {
      event: (payload) => (this.#object === object ? this.#event(payload) : releasePayload(payload)),
      gap: (missed) => {
        if (this.#object !== object) return;
        this.#tellGap();
        this.#sink.gap?.(missed);
      },
      gone: () => {},
    });
    this.#inner = inner;
    inner.ready.then(
      () => {
        if (this.#inner === inner) this.#confirmed();
      },
      (error: unknown) => {
        if (this.#inner === inner) this.end(asQiwayError(error));
      },
    );
  }

  /** The object is gone; another follows, or `end`. @param error what to say if it takes too long to be confirmed at all */
  wait(error: QiwayError): void {
    this.#object = undefined;
    this.#inner = undefined;
    if (this.#settle === undefined) this.#owesGap = true;
    else this.#stopTimer ??= this.#options.clock.after(CONFIRM_MS, () => this.end(error));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const inner = this.#inner;
    this.#finish(new QiwayError('canceled', 'The subscription was ended before it was confirmed.'));
    await inner?.close();
  }

  /** Nothing follows. */
  end(error: QiwayError): void {
    if (this.#isClosed) return;
    const wasConfirmed = this.#settle === undefined;
    this.#finish(error);
    if (wasConfirmed) this.#sink.gone(error);
  }

  #event(payload: Payload): void {
    this.#tellGap();
    this.#sink.event(payload);
  }

  #confirmed(): void {
    this.#tellGap();
    this.#settle?.resolve();
    this.#settle = undefined;
  }

  /** Not before the subscription stands again: who then asks for the present state misses nothing that follows. */
  #tellGap(): void {
    if (!this.#owesGap || this.#isClosed) return;
    this.#owesGap = false;
    this.#sink.gap?.(undefined);
  }

  #finish(error: QiwayError): void {
    this.#isClosed = true;
    this.#object = undefined;
    this.#inner = undefined;
    this.#stopWaiting();
    this.#settle?.reject(error);
    this.#settle = undefined;
    this.#options.onClosed();
  }

  #stopWaiting(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}
