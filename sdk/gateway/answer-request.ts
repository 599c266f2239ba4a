// The owner's side of one request that came through the service worker: asks the door, streams the answer. Knows no workers.
import type { Clock } from '@qiway/protocol/clock';
import type { Door } from '@qiway/protocol/http-door/door';
import { BodyPort, type RequestPort } from './body-port.ts';
import type { RequestHead } from './gateway-messages.ts';

/** A worker that chose another owner says so at once; one that was ended says nothing. */
const HEAD_TIMEOUT_MS = 5000;
const NOTHING = new Uint8Array(0);

/** Says that it is here, then answers the one request of the port; resolves when the port is done with. Never rejects. */
export function answerRequests(door: Door, port: RequestPort, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false;
    /** Calls of the door that nobody waits for any more. */
    const aborts: (() => void)[] = [];
    let hasBegun = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      stopTimer();
      for (const abort of aborts) abort();
      exchange.close();
      resolve();
    };
    const answer = async ({ method, path, headers, hasBody }: RequestHead): Promise<void> => {
      const response = await door.handle({
        method,
        path,
        headers,
        body: hasBody ? exchange.incoming : NOTHING,
        onAborted: (abort) => (isOver ? abort() : aborts.push(abort)),
      });
      const body = iteratorOf(response.body);
      if (isOver) return void body.return?.();
      const isBare = response.body instanceof Uint8Array && response.body.length === 0;
      exchange.post({ kind: 'response', status: response.status, headers: response.headers, hasBody: !isBare });
      // What is left of a refused body is not wanted.
      if (hasBody) void exchange.incoming.return?.();
      if (!isBare) await exchange.send(body);
    };
    const exchange = new BodyPort(port, {
      after: clock.after,
      message: (message) => {
        if (message.kind === 'bye') end();
        if (message.kind !== 'request' || hasBegun) return;
        hasBegun = true;
        stopTimer();
        // The door never rejects, and a port that is closed takes everything.
        void answer(message);
      },
      stopped: end,
      broken: end,
    });
    const stopTimer = clock.after(HEAD_TIMEOUT_MS, end);
    exchange.post({ kind: 'taken' });
  });
}

function iteratorOf(body: Uint8Array | AsyncIterable<Uint8Array>): AsyncIterator<Uint8Array> {
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
