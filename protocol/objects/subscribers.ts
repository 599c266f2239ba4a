// Who listens to the signals of one hosted object. Layer 3; hands payloads on, never looks into them.
import { type EventSink, type Payload, releasePayload, type Subscription } from '../bus/bus.ts';
import type { QiwayError } from '../errors.ts';

export class Subscribers {
  readonly #bySignal = new Map<number, Set<EventSink>>();

  add(signal: number, sink: EventSink): Subscription {
    const sinks = this.#bySignal.get(signal) ?? new Set<EventSink>();
    this.#bySignal.set(signal, sinks);
    // A sink may be given twice: each subscription has an entry of its own.
    const own: EventSink = { event: (payload) => sink.event(payload), gone: (error) => sink.gone(error) };
    sinks.add(own);
    const close = (): Promise<void> => {
      sinks.delete(own);
      if (sinks.size === 0 && this.#bySignal.get(signal) === sinks) this.#bySignal.delete(signal);
      return Promise.resolve();
    };
    return { ready: Promise.resolve(), close };
  }

  has(signal: number): boolean {
    return this.#bySignal.has(signal);
  }

  /** Each subscriber gets references of its own; ownership goes over. */
  send(signal: number, payload: Payload): void {
    const sinks = this.#bySignal.get(signal);
    if (sinks === undefined) return releasePayload(payload);
    for (const object of payload.objects) for (let extra = 1; extra < sinks.size; extra += 1) object.retain();
    for (const sink of [...sinks]) sink.event(payload);
  }

  /** The object is gone: all are told. */
  end(error: QiwayError): void {
    const sinks = [...this.#bySignal.values()].flatMap((one) => [...one]);
    this.#bySignal.clear();
    for (const sink of sinks) sink.gone(error);
  }
}
