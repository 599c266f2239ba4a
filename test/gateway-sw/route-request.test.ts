// One request through the service worker: who is asked, what streams, what an end that nobody said comes to.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakePage, type FakeWorker, fakeWorker } from './fake-worker.ts';

const TESTER = '/robot/services/Tester';
const MEBIBYTE = 1_048_576;

let worker: FakeWorker;
beforeEach(async () => {
  worker = await fakeWorker();
});
afterEach(() => worker.close());

const withoutOwner: FakePage = (_, port) => port.postMessage({ kind: 'none' });
const otherVersion: FakePage = (_, port) => port.postMessage({ kind: 'mismatch', protocol: 2, version: '9.9.9' });
const silent: FakePage = () => {};

async function problem(response: Response): Promise<unknown> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return response.json();
}

/** Resolves when `holds` does; looks again whenever messages had their turn. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

interface EndlessBody extends AsyncIterableIterator<Uint8Array> {
  /** MiB that were read of it. */
  readonly given: number;
  /** Nobody reads it any more. */
  readonly isReturned: boolean;
}

/** Of a MiB each. */
function endless(): EndlessBody {
  let given = 0;
  let isReturned = false;
  const body: EndlessBody = {
    get given() {
      return given;
    },
    get isReturned() {
      return isReturned;
    },
    next: async () => {
      given += 1;
      return { done: false, value: new Uint8Array(MEBIBYTE) };
    },
    return: async () => {
      isReturned = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => body,
  };
  return body;
}

describe('the owner', () => {
  test('answers: status, headers and body are the door’s', async () => {
    const response = await worker.fetch(`${TESTER}/volume`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(await response.json()).toEqual({ value: 50 });
    const call = await worker.fetch(`${TESTER}/add`, { method: 'POST', body: '[1, 2]' });
    expect(await call.json()).toEqual({ result: 3 });
  });

  test('is asked once although several pages have one', async () => {
    worker.pages = [worker.ownerPage, withoutOwner, worker.ownerPage, otherVersion, silent];
    const response = await worker.fetch(`${TESTER}/say`, { method: 'POST', body: '["once"]' });
    expect(await response.json()).toEqual({ result: null });
    expect(worker.log).toEqual(['say once']);
    expect(worker.ownerPorts).toHaveLength(2);
  });

  test('is waited for a second, and not longer', async () => {
    worker.pages = [silent, withoutOwner];
    const response = worker.fetch(TESTER);
    let isAnswered = false;
    void response.then(() => (isAnswered = true));
    // What the page without an owner says takes its turn through a real port.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    await worker.clock.advance(999);
    expect(isAnswered).toBe(false);
    await worker.clock.advance(1);
    expect((await response).status).toBe(503);
  });

  test('is nobody: a problem that says what to do, worth a retry', async () => {
    worker.pages = [withoutOwner, withoutOwner];
    const response = await worker.fetch(TESTER);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await problem(response)).toMatchObject({ code: 'offline', status: 503, type: 'urn:qiway:error:offline' });
  });

  test('is nobody: the network answers where it is an agent, and only there', async () => {
    worker.pages = [];
    worker.network = async () => new Response('from the agent', { headers: { 'qiway-door': '1' } });
    expect(await (await worker.fetch(TESTER)).text()).toBe('from the agent');
    worker.network = async () => new Response('<!doctype html>', { status: 200 });
    expect((await worker.fetch(TESTER)).status).toBe(503);
  });

  test('is of another version: both are named', async () => {
    worker.pages = [withoutOwner, otherVersion];
    const response = await worker.fetch(TESTER);
    expect(response.status).toBe(502);
    expect(await problem(response)).toMatchObject({
      code: 'protocol-mismatch',
      detail: expect.stringMatching(/1\.0\.0.*9\.9\.9/),
    });
  });

  test('ends before it answers: the call may have run', async () => {
    const response = worker.fetch(`${TESTER}/forever`, { method: 'POST' });
    await worker.logged('forever began');
    worker.ownerPorts[0]?.close();
    expect(await problem(await response)).toMatchObject({ code: 'link-lost', status: 502, maybeExecuted: true });
  });

  test('does not answer in time', async () => {
    worker.pages = [
      (_, port) => {
        port.postMessage({ kind: 'taken' });
        port.start();
      },
    ];
    const response = worker.fetch(`${TESTER}/forever`);
    // The worker has to hear that it was taken before its patience begins.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    await worker.clock.advance(40_000);
    expect(await problem(await response)).toMatchObject({ code: 'timeout', status: 504 });
  });
});

describe('bodies', () => {
  test('of requests go out in pieces, all of them', async () => {
    const bytes = new Uint8Array(3 * MEBIBYTE).fill(7);
    const base64 = Buffer.from(bytes).toString('base64');
    const response = await worker.fetch(`${TESTER}/upload`, { method: 'POST', body: JSON.stringify([base64]) });
    expect(await response.json()).toEqual({ result: bytes.length });
  });

  test('that are too large are refused while they are sent', async () => {
    worker.close();
    worker = await fakeWorker({ maxBodyBytes: MEBIBYTE });
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(stream) {
        sent += 65_536;
        stream.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const response = await worker.fetch(`${TESTER}/upload`, { method: 'POST', body: endless, duplex: 'half' });
    expect(response.status).toBe(413);
    expect(sent).toBeLessThan(8 * MEBIBYTE);
  });

  test('of answers come as fast as they are read: what waits is bounded', async () => {
    const body = endless();
    worker.door.handle = async () => ({ status: 200, headers: {}, body });
    const response = await worker.fetch('/robot/endless');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let read = 0;
    while (read < 8 * MEBIBYTE) {
      read += (await reader.read()).value?.length ?? 0;
      expect(body.given * MEBIBYTE - read).toBeLessThanOrEqual(3 * MEBIBYTE);
    }
    expect(worker.streams.open).toBe(1);
    await reader.cancel();
    await until(() => body.isReturned);
    expect(worker.streams.open).toBe(0);
  });

  test('a reader that takes nothing for a minute is gone', async () => {
    const body = endless();
    worker.door.handle = async () => ({ status: 200, headers: {}, body });
    const response = await worker.fetch('/robot/endless');
    expect(response.status).toBe(200);
    await until(() => worker.ownerPorts.length === 1);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    await worker.clock.advance(59_999);
    expect(body.isReturned).toBe(false);
    await worker.clock.advance(1);
    expect(body.isReturned).toBe(true);
    await response.body?.cancel();
  });

  test('an end that nobody said is an error, not an end', async () => {
    const response = await worker.fetch(`${TESTER}/wordSaid`, { headers: { accept: 'text/event-stream' } });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain(': live');
    worker.ownerPorts[0]?.close();
    await expect(reader.read()).rejects.toThrow('broke off');
    expect(worker.streams.open).toBe(0);
  });

  test('an owner that falls silent for a minute is gone', async () => {
    worker.pages = [
      (_, port) => {
        port.addEventListener('message', ({ data }) => {
          if (data.kind === 'request') port.postMessage({ kind: 'response', status: 200, headers: {}, hasBody: true });
        });
        port.start();
        port.postMessage({ kind: 'taken' });
      },
    ];
    const response = await worker.fetch(`${TESTER}/wordSaid`);
    const next = (response.body as ReadableStream<Uint8Array>).getReader().read();
    let isOver = false;
    next.catch(() => (isOver = true));
    await worker.clock.advance(59_999);
    expect(isOver).toBe(false);
    await worker.clock.advance(1);
    await expect(next).rejects.toThrow('broke off');
  });

  test('HEAD has the headers and no body', async () => {
    const response = await worker.fetch(TESTER, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toMatch(/^\d+$/);
    expect(response.body).toBeNull();
  });
});

describe('going away', () => {
  test('before the answer cancels the call on the robot', async () => {
    const abort = new AbortController();
    const response = worker.fetch(`${TESTER}/forever`, { method: 'POST', signal: abort.signal });
    await worker.logged('forever began');
    abort.abort();
    expect(await worker.logged('forever stopped')).toBe('forever stopped');
    await response;
  });

  test('from events ends the stream of the door', async () => {
    const response = await worker.fetch(`${TESTER}/wordSaid`, { headers: { accept: 'text/event-stream' } });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    worker.tester.emit('wordSaid', 'hello');
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('data: ["hello"]');
    await reader.cancel();
    expect(worker.streams.open).toBe(0);
    // The door keeps the log two minutes for who comes back, then lets the signal go.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    await worker.clock.advance(120_000);
    const again = await worker.fetch(`${TESTER}/wordSaid`, {
      headers: { accept: 'text/event-stream', 'last-event-id': 'e-1' },
    });
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  test('a worker that was ended after it found the owner keeps nothing open', async () => {
    const { port1, port2 } = new MessageChannel();
    let isOver = false;
    const { answerRequest } = await import('../../sdk/gateway/answer-request.ts');
    const { RequestsUnderWay } = await import('../../sdk/gateway/requests-under-way.ts');
    const underWay = new RequestsUnderWay(worker.clock);
    void answerRequest(port2, { door: worker.door, clock: worker.clock, underWay }).then(() => (isOver = true));
    await worker.clock.advance(5000);
    expect(isOver).toBe(true);
    port1.close();
  });
});

describe('a worker that was stopped and gets the same request again', () => {
  const call = (name: string): Promise<Response> => worker.fetch(`${TESTER}/${name}`, { method: 'POST' });

  test('has it made once, however often', async () => {
    const first = call('later');
    await worker.logged('later began');
    worker.run = 'second';
    const second = call('later');
    await until(() => worker.ownerPorts.length === 2);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    worker.run = 'third';
    const again = call('later');
    await until(() => worker.ownerPorts.length === 3);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    worker.answerLater('done');
    expect(await (await again).json()).toEqual({ result: 'done' });
    expect(worker.log).toEqual(['later began']);
    // Its port was closed without a word: only in this test is there somebody left to hear.
    expect([(await first).status, (await second).status]).toEqual([502, 502]);
  });

  test('stops the call on the robot when its page gives up', async () => {
    const first = call('forever');
    await worker.logged('forever began');
    worker.run = 'second';
    const abort = new AbortController();
    const again = worker.fetch(`${TESTER}/forever`, { method: 'POST', signal: abort.signal });
    await until(() => worker.ownerPorts.length === 2);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(worker.log).toEqual(['forever began']);
    abort.abort();
    await worker.logged('forever stopped');
    await Promise.all([first, again]);
  });

  test('is another request when it asks for something else, or the answer of the first has arrived', async () => {
    const first = call('later');
    await worker.logged('later began');
    worker.run = 'second';
    expect(await (await worker.fetch(`${TESTER}/add`, { method: 'POST', body: '[1, 2]' })).json()).toEqual({
      result: 3,
    });
    worker.answerLater('done');
    expect(await (await first).json()).toEqual({ result: 'done' });
    const again = call('later');
    await until(() => worker.log.length === 2);
    worker.answerLater('done again');
    expect(await (await again).json()).toEqual({ result: 'done again' });
  });

  test('two calls of one run are two', async () => {
    const both = [call('later'), call('later')];
    await until(() => worker.log.length === 2);
    worker.answerLater('done');
    for (const response of await Promise.all(both)) expect(await response.json()).toEqual({ result: 'done' });
  });
});

describe('what other sites can make a page ask', () => {
  const navigate = async (path: string, init: RequestInit, referrer = ''): Promise<Response> => {
    const request = new Request(`https://app.test${path}`, init);
    // Not to be made otherwise: browsers alone make them.
    Object.defineProperty(request, 'mode', { value: 'navigate' });
    Object.defineProperty(request, 'referrer', { value: referrer });
    const { routeRequest } = await import('../../sdk/gateway/route-request.ts');
    return routeRequest(request, {
      clients: { matchAll: async () => [] },
      path,
      signal: new AbortController().signal,
      version: '1',
      from: { client: 'page', scope: '/', run: 'first' },
      timeoutMs: 1000,
      after: worker.clock.after,
      fetch: async () => new Response('from the agent', { headers: { 'qiway-door': '1' } }),
      streaming: () => () => {},
    });
  };

  test.each([
    ['a form, from wherever', { method: 'POST', body: '["moved"]' }, 'https://app.test/'],
    ['a link or frame of another site', {}, 'https://evil.test/'],
    ['one of a site whose name begins like ours', {}, 'https://app.test.evil.test/'],
    ['one of another port', {}, 'https://app.test:8443/'],
    ['one that hides where it came from', {}, ''],
  ])('is refused: %s', async (_, init, referrer) => {
    const response = await navigate(`${TESTER}/getSum?args=[1,2]`, init, referrer);
    expect(response.status).toBe(403);
    expect(await problem(response)).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('fetch()') });
  });

  test.each([
    ['a link of the app', `${TESTER}/getBytes?as=bytes`, 'https://app.test/album'],
    ['an address that is typed, for what only describes', '/robot/services', ''],
    ['the same with a slash', `${TESTER}/`, ''],
    ['the same for all', '/robot/openapi.json?x', ''],
  ])('is answered: %s', async (_, path, referrer) => {
    expect(await (await navigate(path, {}, referrer)).text()).toBe('from the agent');
  });
});
