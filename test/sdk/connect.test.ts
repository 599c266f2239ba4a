// The SDK against a real agent: WebSocket outside, a service in a TCP socket's reach inside.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { QiwayError as AgentError, type CallContext, type HostedObject } from '@qiway/robot-agent/qi';
import {
  connect,
  createObject,
  method,
  type Property,
  property,
  type QiwayError,
  type RemoteObject,
  type Robot,
  type Signal,
  type Status,
  signal,
  VERSION,
} from '@qiway/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TOKEN } from '../support/agent-config.ts';
import { type RealRobot, realRobot } from './real-robot.ts';

interface Services {
  Thing: {
    greet(name: string): string;
    slow(): number;
    child(): RemoteObject<{ ping(): string; release(): void }>;
    callBack(callback: object): string;
    size(raw: Uint8Array): number;
    word: Signal<[word: string]>;
    volume: Property<number>;
  };
  TabletUi: { show(text: string): number };
}

async function refusal(promise: Promise<unknown>): Promise<QiwayError> {
  try {
    await promise;
  } catch (error) {
    return error as QiwayError;
  }
  throw new Error('it did not reject');
}

/** The next value for which `test` holds. */
async function until<T>(values: AsyncIterable<T>, test: (value: T) => boolean): Promise<T> {
  for await (const value of values) if (test(value)) return value;
  throw new Error('the values ended');
}

let real: RealRobot;
let stopped: Promise<void>;
let told: () => void;

beforeEach(async () => {
  stopped = new Promise((resolve) => {
    told = resolve;
  });
  real = await realRobot({
    greet: method('(s)', 's', (name: string) => `hello ${name}`),
    slow: method(
      '()',
      'i',
      (context: CallContext) =>
        new Promise((_, reject) =>
          context.onCancel(() => {
            told();
            reject(new AgentError('canceled', 'stopped'));
          }),
        ),
    ),
    child: method('()', 'o', () => createObject({ ping: method('()', 's', () => 'pong') })),
    callBack: method('(o)', 's', async (object: HostedObject) => {
      const answer = await new Promise<Uint8Array>((resolve, reject) => {
        const call = [...object.metaObject.methods.values()].find(({ name }) => name === 'ask');
        object.call(
          { action: call?.uid ?? 0, payload: { signature: '()', bytes: new Uint8Array(0), objects: [] } },
          { reply: ({ bytes }) => resolve(bytes), error: reject, canceled: () => reject(new Error('canceled')) },
        );
      });
      object.release();
      return `${answer.length} bytes`;
    }),
    size: method('(r)', 'I', (raw: Uint8Array) => raw.length),
    word: signal('(s)'),
    volume: property('i', 30),
  });
});

afterEach(async () => {
  await real[Symbol.asyncDispose]();
});

describe('connect', () => {
  it('gives a robot whose services are called, followed, set', async () => {
    await using robot: Robot<Services> = await connect<Services>(real.url);
    const thing = await robot.service('Thing');
    expect(await thing.greet('you')).toBe('hello you');
    expect(await thing.size(new Uint8Array(1_000_000))).toBe(1_000_000);
    const words = thing.word[Symbol.asyncIterator]();
    const heard = new Promise((resolve) => void thing.word.connect(resolve));
    await thing.volume.setValue(55);
    expect(real.thing.get('volume')).toBe(55);
    real.thing.emit('word', 'now');
    expect(await heard).toBe('now');
    expect((await words.next()).value).toEqual(['now']);
    const child = await thing.child();
    expect(await child.ping()).toBe('pong');
    expect(await thing.callBack({ ask: () => 'four' })).toMatch(/bytes$/);
  });

  it('cancels a call on the robot', async () => {
    await using robot = await connect<Services>(real.url);
    const thing = await robot.service('Thing');
    const abort = new AbortController();
    const call = refusal(thing.slow.with({ signal: abort.signal })());
    await thing.greet('first'); // so the slow call has arrived
    abort.abort();
    expect((await call).code).toBe('canceled');
    await stopped;
  });

  it('takes the token as an option, and refuses a wrong one', async () => {
    await using robot = await connect(real.origin, { token: TOKEN });
    expect(robot.agent.name).toBe('qiway-agent');
    expect(await refusal(connect(`${real.origin}/#token=wrong`))).toMatchObject({ code: 'unauthorized' });
    expect(await refusal(connect(real.origin))).toMatchObject({ code: 'unauthorized' });
  });

  it('tells what to check when nobody answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const error = await refusal(connect(`http://127.0.0.1:${port}/#token=secret`));
    expect(error).toMatchObject({ code: 'dial-failed', message: expect.stringContaining('is it running') });
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('names the option that lets in pages of another origin, in such a page only', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const own = `127.0.0.1:${port}`;
    // As browsers do: they hide from a page what does not name its origin, and that it is there.
    const browserFetch = async (_url: URL, { mode }: RequestInit): Promise<Response> => {
      if (mode !== 'no-cors') throw new TypeError('Failed to fetch');
      return Response.error();
    };
    try {
      vi.stubGlobal('location', { host: own, origin: `http://${own}`, protocol: 'http:', hostname: '127.0.0.1' });
      expect((await refusal(connect(`http://${own}/#token=secret`))).message).not.toContain('--allow-origin');
      vi.stubGlobal('fetch', browserFetch);
      vi.stubGlobal('location', {
        host: 'localhost:5173',
        origin: 'http://localhost:5173',
        protocol: 'http:',
        hostname: 'localhost',
      });
      const error = await refusal(connect(`http://${own}/#token=secret`));
      expect(error).toMatchObject({ code: 'dial-failed', data: { url: `ws://${own}/robot/link`, why: 'origin' } });
      expect(error.message).toMatch(/Start the agent with --allow-origin http:\/\/localhost:5173\.$/);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('gives up in time when the other side says nothing', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await refusal(connect(`http://127.0.0.1:${port}/`, { connectTimeoutMs: 100 }))).toMatchObject({
      code: 'dial-failed',
    });
    server.close();
  });

  it('refuses what is no URL of an agent', async () => {
    expect(await refusal(connect('tcp://127.0.0.1:9559'))).toMatchObject({ code: 'invalid-argument' });
  });

  it('tells the agent the version of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../sdk/package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(VERSION).toBe(version);
  });
});

describe('a robot', () => {
  it('lists services, and tells which come and go', async () => {
    await using robot = await connect(real.url);
    expect((await robot.services()).map(({ name }) => name)).toEqual(['ServiceDirectory', 'Thing']);
    const changes = robot.serviceChanges();
    const seen: string[] = [];
    const stop = robot.onServiceChange(({ kind, name }) => seen.push(`${kind} ${name}`));
    const hosted = await real.bus.host('Later', createObject({}));
    expect((await changes.next()).value).toMatchObject({ kind: 'added', name: 'Later' });
    await hosted.close();
    expect((await changes.next()).value).toMatchObject({ kind: 'removed', name: 'Later' });
    stop();
    expect(seen).toEqual(['added Later', 'removed Later']);
    await robot.close();
    expect((await changes.next()).done).toBe(true);
  });

  it('names the nearest services for one that is not there', async () => {
    await using robot = await connect(real.url);
    expect(await refusal(robot.service('Thin'))).toMatchObject({
      code: 'service-not-found',
      data: { nearest: ['Thing'] },
    });
  });

  it('hosts an object of the program for the robot, until it is closed', async () => {
    await using robot = await connect<Services>(real.url);
    const shown: string[] = [];
    const hosted = await robot.host('TabletUi', {
      prefix: '> ',
      show(text: string) {
        shown.push(this.prefix + text);
        return shown.length;
      },
    });
    await using other = await connect<Services>(real.url);
    const ui = await other.service('TabletUi');
    expect(await ui.show('hi')).toBe(1);
    expect(shown).toEqual(['> hi']);
    expect(await refusal(other.host('TabletUi', {}))).toMatchObject({ code: 'service-name-taken' });
    const gone = until(other.serviceChanges(), ({ kind }) => kind === 'removed');
    await hosted.close();
    await gone;
    expect(await hosted.closed).toBeUndefined();
    expect(await refusal(other.service('TabletUi'))).toMatchObject({ code: 'service-not-found' });
  });

  it('refuses to host what has no methods, or is not the program’s own', async () => {
    await using robot = await connect<Services>(real.url);
    for (const value of [5, 'text', [() => 1], new Map(), await robot.service('Thing')]) {
      expect(await refusal(robot.host('Nothing', value as object))).toMatchObject({ code: 'invalid-argument' });
    }
    expect((await robot.services()).map(({ name }) => name)).not.toContain('Nothing');
  });

  it('takes its hosted services along when it is closed', async () => {
    await using other = await connect<Services>(real.url);
    const robot = await connect<Services>(real.url);
    await robot.host('TabletUi', { show: (text: string) => text.length });
    const ui = await other.service('TabletUi');
    expect(await ui.show('x')).toBe(1);
    const gone = until(other.serviceChanges(), ({ kind }) => kind === 'removed');
    await robot.close();
    expect(await gone).toMatchObject({ name: 'TabletUi' });
    expect((await refusal(ui.show('x'))).code).toMatch(/gone/);
  });

  it('emits signals and keeps properties of what it hosts', async () => {
    await using robot = await connect(real.url);
    const object = createObject({ touched: signal('(ii)'), brightness: property('f', 0.5) });
    await robot.host('Screen', object);
    await using other = await connect<{ Screen: { touched: Signal<[number, number]>; brightness: Property<number> } }>(
      real.url,
    );
    const screen = await other.service('Screen');
    const touched = new Promise((resolve) => void screen.touched.connect((x, y) => resolve([x, y])));
    await screen.brightness.setValue(0.25);
    expect(object.get('brightness')).toBe(0.25);
    object.emit('touched', 3, 4);
    expect(await touched).toEqual([3, 4]);
  });

  it('shows its status, and ends what waits for it when it is closed', async () => {
    const robot = await connect(real.url);
    expect(robot.status).toMatchObject({
      state: 'online',
      route: 'direct',
      session: 'new',
      bus: 'up',
      url: `${real.origin}/`,
    });
    const seen: Status['state'][] = [];
    const loop = (async () => {
      for await (const { state } of robot.statusChanges()) seen.push(state);
    })();
    await robot.close();
    await robot.close();
    await loop;
    expect(seen).toEqual(['online', 'closed']);
    expect(robot.status.reason).toBeUndefined();
    expect(await refusal(robot.service('Thing'))).toMatchObject({ code: 'closed' });
  });

  it('says why when the agent goes away, fails what is under way, and sends nothing more', async () => {
    const robot = await connect<Services>(real.url);
    const thing = await robot.service('Thing');
    const call = refusal(thing.slow());
    const offline = until(robot.statusChanges(), ({ state }) => state === 'offline');
    await thing.greet('arrived');
    await real.stopAgent();
    expect((await offline).reason?.code).toMatch(/^(link-lost|closed)$/);
    expect(await call).toMatchObject({ maybeExecuted: true });
    expect(await refusal(thing.greet('again'))).toMatchObject({ code: 'offline', maybeExecuted: false });
    expect(robot.status.lost).toMatchObject({ calls: 1 });
    await robot.close();
    expect(robot.status.state).toBe('closed');
  });

  it('measures the round trip', async () => {
    await using robot = await connect(real.url);
    const { rttMs } = await until(robot.statusChanges(), (status) => status.rttMs !== undefined);
    expect(rttMs).toBeGreaterThan(0);
  });
});
