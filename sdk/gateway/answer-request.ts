// The owner's side of one request that came through the service worker: asks the door, streams the answer. Knows no workers.
import type { Clock } from '@qiway/protocol/clock';
import type { Door } from '@qiway/protocol/http-door/door';
import type { DoorResponse } from '@qiway/protocol/http-door/door-types';
import { BodyPort, type RequestPort, STALLED_MS } from './body-port.ts';
import type { RequestHead } from './gateway-messages.ts';
import type { Call, RequestsUnderWay, UnderWay } from './requests-under-way.ts';

/** A worker that chose another owner says so at once; one that was ended says nothing. */
const HEAD_TIMEOUT_MS = 5000;
const NOTHING = new Uint8Array(0);

export interface AnswerOptions {
  readonly door: Door;
  readonly clock: Clock;
  /** Of all requests of this owner. */
  readonly underWay: RequestsUnderWay;
}

/** Says that it is here, then answers the one request of the port; resolves when the port is done with. Never rejects. */
export function answerRequest(port: RequestPort, { door, clock, underWay }: AnswerOptions): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false;
    let hasBegun = false;
    /** Stops what the door does for this request. */
    let abort = (): void => {};
    let forget = (): void => {};
    const close = (): void => {
      isOver = true;
      stopTimer();
      exchange.close();
      resolve();
    };
    const end = (): void => {
      if (isOver) return;
      abort();
      close();
    };
    const begin = (head: RequestHead): Promise<DoorResponse> => {
      const stops: (() => void)[] = [];
      let isAborted = false;
      let isWhole = !head.hasBody;
      const stopAll = (): void => {
        isAborted = true;
        for (const stop of stops) stop();
      };
      abort = stopAll;
      const { method, path, headers } = head;
      const body = head.hasBody ? told(exchange.incoming, () => (isWhole = true)) : NOTHING;
      const onAborted = (stop: () => void): void => (isAborted ? stop() : void stops.push(stop));
      const response = door.handle({ method, path, headers, body, onAborted });
      keep(head, { response, isWhole: () => isWhole, stop: stopAll });
      return response;
    };
    /** Until its answer has arrived, another run of the worker may ask for it again, and again. */
    const keep = (head: RequestHead, call: Call): void => {
      forget = underWay.add(head, {
        ...call,
        handOver: () => {
          abort = (): void => {};
          if (!isOver) close();
          return call;
        },
        abandon: end,
      });
    };
    const takeOver = (head: RequestHead, same: UnderWay): Promise<DoorResponse> => {
      const call = same.handOver();
      abort = call.stop;
      keep(head, call);
      return call.response;
    };
    const answer = async (head: RequestHead): Promise<void> => {
      const same = underWay.takeSame(head);
      const response = await (same === undefined ? begin(head) : takeOver(head, same));
      if (isOver) return;
      const body = iteratorOf(response.body);
      abort = (): void => void body.return?.();
      const hasBody = !(response.body instanceof Uint8Array && response.body.length === 0);
      exchange.post({ kind: 'response', status: response.status, headers: response.headers, hasBody });
      // What is left of a refused body is not wanted, nor one that has come before.
      if (head.hasBody) void exchange.incoming.return?.();
      if (hasBody) await exchange.send(body);
    };
    const exchange = new BodyPort(port, {
      after: clock.after,
      idleMs: STALLED_MS,
      message: (message) => {
        if (message.kind === 'bye') {
          forget();
          end();
        }
        if (message.kind !== 'request' || hasBegun || !isHead(message)) return;
        hasBegun = true;
        stopTimer();
        // The door never rejects, and a port that is closed takes everything.
        void answer(message);
      },
      stopped: () => {
        forget();
        end();
      },
      broken: end,
    });
    const stopTimer = clock.after(HEAD_TIMEOUT_MS, end);
    exchange.post({ kind: 'taken' });
  });
}

/** A page or worker that is broken asks for nothing that could be done. */
function isHead({ method, path, headers }: { readonly [name in keyof RequestHead]: unknown }): boolean {
  return (
    typeof method === 'string' &&
    typeof path === 'string' &&
    typeof headers === 'object' &&
    headers !== null &&
    Object.values(headers).every((value) => typeof value === 'string')
  );
}

/** The same body; tells when all of it has come. */
function told(body: AsyncIterableIterator<Uint8Array>, whole: () => void): AsyncIterable<Uint8Array> {
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const result = await body.next();
    if (result.done === true) whole();
    return result;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

function iteratorOf(body: DoorResponse['body']): AsyncIterator<Uint8Array> {
  if (!(body instanceof Uint8Array)) return body[Symbol.asyncIterator]();
  let isLeft = true;
  return {
    next: async () => {
      if (!isLeft) return { done: true, value: undefined };
      isLeft = false;
      return { done: false, value: body };
    },
  };
}
