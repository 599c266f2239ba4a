// Calls of a bare BusObject by action, with outcomes as plain values: what tests of hosted objects speak.
import type { BusObject, CallRequest, EventSink, Payload } from '@qiway/protocol/bus/bus';
import { decodePayload, encodePayload, plainObjects } from '@qiway/protocol/objects/values';

export type Outcome = { reply: unknown; signature: string } | { error: string; text?: unknown } | 'canceled';

export function payload(signature: string, value: unknown): Payload {
  return encodePayload(signature, value, plainObjects);
}

export function start(object: BusObject, request: CallRequest): { outcome: Promise<Outcome>; cancel: () => void } {
  let cancel = (): void => {};
  const outcome = new Promise<Outcome>((resolve) => {
    const handle = object.call(request, {
      reply: (given) =>
        resolve({
          signature: given.signature,
          reply: decodePayload(given, plainObjects),
        }),
      error: (error) => resolve({ error: error.code, text: (error.data as { text?: string }).text }),
      canceled: () => resolve('canceled'),
    });
    cancel = () => handle.cancel();
  });
  return { outcome, cancel: () => cancel() };
}

export function ask(object: BusObject, action: number, signature: string, value: unknown): Promise<Outcome> {
  return start(object, { action, payload: payload(signature, value) }).outcome;
}

export function listen(
  object: BusObject,
  id: number,
): { events: unknown[]; gone: string[]; close: () => Promise<void> } {
  const events: unknown[] = [];
  const gone: string[] = [];
  const sink: EventSink = {
    event: (given) => events.push(decodePayload(given, plainObjects)),
    gone: (error) => gone.push(error.code),
  };
  const { close } = object.subscribe(id, sink);
  return { events, gone, close };
}
