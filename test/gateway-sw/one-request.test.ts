// The two ends of one request's port, each against a counterpart that the test plays: what is said of ends, who waits for whom
// and how long.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Door } from '../../protocol/http-door/door.ts';
import type { DoorRequest, DoorResponse } from '../../protocol/http-door/door-types.ts';
import { answerRequest } from '../../sdk/gateway/answer-request.ts';
import type { PortMessage, RequestHead } from '../../sdk/gateway/gateway-messages.ts';
import { RequestsUnderWay } from '../../sdk/gateway/requests-under-way.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { type FakePage, type FakeWorker, fakeWorker } from './fake-worker.ts';

const opened: MessagePort[] = [];
let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => {
  for (const port of opened.splice(0)) port.close();
});

/** Resolves when `holds` does; looks again whenever messages had their turn. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets what is under way between ports arrive. */
async function delivered(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** One end of a port as the test holds it. */
interface Held {
  readonly port: MessagePort;
  readonly heard: PortMessage[];
  kinds(): readonly string[];
}

function hold(port: MessagePort): Held {
  const heard: PortMessage[] = [];
  opened.push(port);
  port.onmessage = ({ data }: MessageEvent<PortMessage>) => heard.push(data);
  return { port, heard, kinds: () => heard.map(({ kind }) => kind) };
}

describe('the owner', () => {
  let underWay: RequestsUnderWay;
  let requests: DoorRequest[];
  let answer: (request: DoorRequest) => Promise<DoorResponse>;
  beforeEach(() => {
    underWay = new RequestsUnderWay(clock);
    requests = [];
    answer = () => new Promise(() => {});
  });

  function take(): Held & { readonly over: () => boolean } {
    const { port1, port2 } = new MessageChannel();
    opened.push(port2);
    const door: Door = {
      handle: (request) => {
        requests.push(request);
        return answer(request).catch(() => ({ status: 400, headers: {}, body: new Uint8Array(0) }));
      },
      close: () => {},
    };
    let isOver = false;
    void answerRequest(port2, { door, clock, underWay }).then(() => {
      isOver = true;
    });
    return { ...hold(port1), over: () => isOver };
  }

  const head = (more: Partial<RequestHead> = {}): RequestHead => ({
    kind: 'request',
    method: 'POST',
    path: '/robot/services/Tester/later',
    headers: {},
    hasBody: false,
    client: 'page',
    scope: '/',
    run: 'first',
    ...more,
  });

  test('answers one request of a port, whatever else comes over it', async () => {
    const worker = take();
    worker.port.postMessage(head());
    worker.port.postMessage(head({ path: '/robot/services/Tester/again' }));
    await delivered();
    expect(requests.map(({ path }) => path)).toEqual(['/robot/services/Tester/later']);
  });

  test.each(['bye', 'stop'])(
    'a call that its worker ended by %s is not given to a later run: it is made anew',
    async (kind) => {
      const first = take();
      first.port.postMessage(head());
      await delivered();
      first.port.postMessage({ kind });
      await until(first.over);
      take().port.postMessage(head({ run: 'second' }));
      await delivered();
      expect(requests.length).toBe(2);
    },
  );

  test('who goes before the door is ready to hear it stops the call all the same', async () => {
    const ready = Promise.withResolvers<void>();
    let stopped = 0;
    answer = async ({ onAborted }) => {
      await ready.promise;
      onAborted?.(() => {
        stopped += 1;
      });
      return new Promise(() => {});
    };
    const worker = take();
    worker.port.postMessage(head());
    await delivered();
    worker.port.postMessage({ kind: 'bye' });
    await until(worker.over);
    ready.resolve();
    await delivered();
    expect(stopped).toBe(1);
  });

  test('does not want a body that the door did not read', async () => {
    answer = async () => ({ status: 404, headers: {}, body: new Uint8Array(0) });
    const worker = take();
    worker.port.postMessage(head({ hasBody: true }));
    await until(() => worker.kinds().includes('stop'));
    expect(worker.kinds()).toEqual(['taken', 'response', 'stop']);
  });

  test('a request that broke off while it came is not taken for the one that comes again', async () => {
    answer = async ({ body }) => {
      let length = 0;
      for await (const piece of body as AsyncIterable<Uint8Array>) length += piece.length;
      return { status: 200, headers: { length: String(length) }, body: new Uint8Array(0) };
    };
    const first = take();
    first.port.postMessage(head({ hasBody: true }));
    first.port.postMessage({ kind: 'data', bytes: new Uint8Array(10) });
    await delivered();
    const second = take();
    second.port.postMessage(head({ hasBody: true, run: 'second' }));
    second.port.postMessage({ kind: 'data', bytes: new Uint8Array(10) });
    second.port.postMessage({ kind: 'data', bytes: new Uint8Array(10) });
    second.port.postMessage({ kind: 'end' });
    await until(() => second.kinds().includes('response'));
    expect(second.heard.find(({ kind }) => kind === 'response')).toMatchObject({ headers: { length: '20' } });
    expect(first.over()).toBe(true);
  });

  test('gives up a body that stays away for a minute', async () => {
    answer = async ({ body }) => {
      for await (const _ of body as AsyncIterable<Uint8Array>);
      return { status: 200, headers: {}, body: new Uint8Array(0) };
    };
    const worker = take();
    worker.port.postMessage(head({ hasBody: true }));
    await delivered();
    await clock.advance(59_999);
    expect(worker.over()).toBe(false);
    await clock.advance(1);
    expect(worker.over()).toBe(true);
  });

  test('waits as long as it takes for what comes next, once all is read', async () => {
    const next = Promise.withResolvers<void>();
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1);
      await next.promise;
      yield Uint8Array.of(2);
    }
    answer = async () => ({ status: 200, headers: {}, body: pieces() });
    const worker = take();
    worker.port.postMessage(head({ method: 'GET' }));
    await until(() => worker.kinds().includes('data'));
    worker.port.postMessage({ kind: 'more', bytes: 1 });
    await delivered();
    await clock.advance(600_000);
    next.resolve();
    await until(() => worker.kinds().includes('end'));
    expect(worker.kinds()).toEqual(['taken', 'response', 'data', 'data', 'end']);
  });

  test('bears a reader that is slow, as long as it takes something now and then', async () => {
    answer = async () => ({ status: 200, headers: {}, body: new Uint8Array(600_000) });
    const worker = take();
    worker.port.postMessage(head({ method: 'GET' }));
    await until(() => worker.kinds().includes('end'));
    for (let count = 0; count < 3; count += 1) {
      await clock.advance(50_000);
      worker.port.postMessage({ kind: 'more', bytes: 1000 });
      await delivered();
    }
    let isClosed = false;
    worker.port.addEventListener('close' as 'message', () => {
      isClosed = true;
    });
    await delivered();
    expect(isClosed).toBe(false);
    await clock.advance(60_000);
    await until(worker.over);
  });
});

describe('the worker', () => {
  let worker: FakeWorker;
  beforeEach(async () => {
    worker = await fakeWorker();
  });
  afterEach(() => worker.close());

  /** An owner that the test plays. */
  function owner(): { readonly page: FakePage; held: Held | undefined } {
    const playing: { page: FakePage; held: Held | undefined } = {
      held: undefined,
      page: (_, port) => {
        playing.held = hold(port);
        port.postMessage({ kind: 'taken' });
      },
    };
    return playing;
  }

  test('says goodbye at once to owners that it did not choose', async () => {
    const other = owner();
    worker.pages = [worker.ownerPage, other.page];
    await worker.fetch('/robot/services/Tester/volume');
    await until(() => other.held?.kinds().includes('bye') === true);
    expect(other.held?.kinds()).toEqual(['bye']);
  });

  test('is as patient as an upload is long, as long as something is taken', async () => {
    const slow = owner();
    worker.pages = [slow.page];
    const response = worker.fetch('/robot/services/Tester/upload', { method: 'POST', body: new Uint8Array(2_000_000) });
    await until(() => slow.held?.kinds().includes('data') === true);
    for (let count = 0; count < 4; count += 1) {
      await delivered();
      await worker.clock.advance(30_000);
      slow.held?.port.postMessage({ kind: 'more', bytes: 262_144 });
    }
    await delivered();
    slow.held?.port.postMessage({ kind: 'response', status: 200, headers: {}, hasBody: false });
    expect((await response).status).toBe(200);
  });

  test('tells the owner when it has lost patience, and the page that the call may have run', async () => {
    const silent = owner();
    worker.pages = [silent.page];
    const response = worker.fetch('/robot/services/Tester/add', { method: 'POST', body: '[1, 2]' });
    await until(() => silent.held?.kinds().includes('end') === true);
    await worker.clock.advance(40_000);
    expect(await (await response).json()).toMatchObject({ code: 'timeout', maybeExecuted: true });
    await until(() => silent.held?.kinds().includes('bye') === true);
  });

  test('a body that breaks off at the owner breaks off for the page, and does not just end', async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1);
      throw new Error('the robot is gone');
    }
    worker.door.handle = async () => ({ status: 200, headers: {}, body: pieces() });
    const { body } = await worker.fetch('/robot/services/Tester/picture');
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value).toEqual(Uint8Array.of(1));
    await expect(reader.read()).rejects.toThrow('broke off');
  });
});
