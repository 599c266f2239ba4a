// The main job with nothing but HTTP: a simulated robot in its own process, the agent in another, a client without any SDK.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const running: ChildProcess[] = [];
let base = '';
let authorization = '';

/** Starts a program of the checkout; resolves with the first line of `stream` that matches. */
function start(
  program: string,
  args: readonly string[],
  wanted: { stream: 'stdout' | 'stderr'; match: RegExp },
): Promise<RegExpExecArray> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../${program}`, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, QIWAY_TOKEN: 'right-token' },
  });
  running.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child[wanted.stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const match = wanted.match.exec(text);
      if (match !== null) resolve(match);
    });
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: ${text}`)));
  });
}

beforeAll(async () => {
  const robot = await start('simulated-robot/main.ts', ['--bus-listen', 'tcp://127.0.0.1:0'], {
    stream: 'stdout',
    match: /services on (tcp:\S+)\n/,
  });
  const agent = await start('robot-agent/main.ts', ['--listen', '127.0.0.1:0', '--bus', robot[1] as string], {
    stream: 'stdout',
    match: /^(http:\S+)\/#token=([^&\s]+)&robot=[a-z2-7]{52}\n/,
  });
  base = `${agent[1]}/robot`;
  authorization = `Bearer ${agent[2]}`;
});

afterAll(async () => {
  const ended = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(ended);
});

async function call(path: string, ...args: unknown[]): Promise<unknown> {
  const response = await fetch(`${base}/services/${path}`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify(args),
  });
  const json = (await response.json()) as { result?: unknown };
  expect(response.status, JSON.stringify(json)).toBe(200);
  return json.result;
}

/** The data of the events of a signal, until the reader stops. */
async function* events(path: string): AsyncGenerator<unknown> {
  const response = await fetch(`${base}/services/${path}`, { headers: { authorization, accept: 'text/event-stream' } });
  expect(response.status).toBe(200);
  let text = '';
  for await (const chunk of (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      // What begins the stream has no data: the subscription stands.
      yield data === undefined ? undefined : JSON.parse(data);
    }
  }
}

test('say fires its signal, word for word', async () => {
  const words = events('ALTextToSpeech/wordSaid');
  expect((await words.next()).value).toBeUndefined();
  const said = call('ALTextToSpeech/say', 'hello world');
  expect((await words.next()).value).toEqual(['hello']);
  expect((await words.next()).value).toEqual(['world']);
  await words.return(undefined);
  await said;
});

test('it drives, and tells where it is', async () => {
  const [x] = (await call('ALMotion/getRobotPosition', false)) as number[];
  const positions = events('ALMotion/positionChanged');
  await positions.next();
  await call('ALMotion/moveToward', 0.5, 0, 0);
  for await (const event of positions) if (((event as number[][])[0] as number[])[0] !== x) break;
  await call('ALMotion/stopMove');
  expect(((await call('ALMotion/getRobotPosition', false)) as number[])[0]).toBeGreaterThan(x as number);
});

test('properties are set, and refused beyond their bounds', async () => {
  const put = (value: unknown): Promise<Response> =>
    fetch(`${base}/services/ALTextToSpeech/volume`, {
      method: 'PUT',
      headers: { authorization },
      body: JSON.stringify({ value }),
    });
  expect(await (await put(33)).json()).toEqual({ value: 33 });
  const refused = await put(700);
  expect([refused.status, await refused.json()]).toMatchObject([500, { code: 'call-failed' }]);
});

test('a camera picture is an image at a URL, and one after the other is a stream', async () => {
  const name = (await call('ALVideoDevice/subscribeCamera', 'page', 0, 0, 11, 30)) as string;
  const url = `${base}/services/ALVideoDevice/getImageRemote?args=${encodeURIComponent(JSON.stringify([name]))}`;
  const still = await fetch(url, { headers: { authorization, accept: 'image/*,*/*;q=0.8' } });
  expect([still.status, still.headers.get('content-type')]).toEqual([200, 'image/png']);
  const png = Buffer.from(await still.arrayBuffer());
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([160, 120]);
  const frames = await fetch(`${url}&as=mjpeg&fps=30`, { headers: { authorization } });
  let text = '';
  for await (const chunk of frames.body as ReadableStream<Uint8Array>) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.split('IHDR').length > 2) break;
  }
  expect(frames.headers.get('content-type')).toContain('multipart/x-mixed-replace');
  const moved = await fetch(`${base}/services/ALMotion/moveToward?args=[1,0,0]`, { headers: { authorization } });
  expect(moved.status).toBe(405);
  await call('ALVideoDevice/unsubscribe', name);
});

test('a camera picture comes in the layout of NAOqi', async () => {
  const name = (await call('ALVideoDevice/subscribeCamera', 'test', 0, 0, 11, 5)) as string;
  const [width, height, layers, , , , raw] = (await call('ALVideoDevice/getImageRemote', name)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    { $raw: string },
  ];
  expect([width, height, layers]).toEqual([160, 120, 3]);
  expect(Buffer.from(raw.$raw, 'base64')).toHaveLength(160 * 120 * 3);
  await call('ALVideoDevice/unsubscribe', name);
});
