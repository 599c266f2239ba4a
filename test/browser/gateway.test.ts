// The gateway in a real Chromium: workers that are stopped, pages that come and go, links that break, other listeners beside it.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { openDoorAgent } from '../support/door-agent.ts';
import { patternBytes } from '../support/door-robot.ts';
import { type GatewayPage, openGatewayPage } from '../support/gateway-browser.ts';
import { writeGatewaySite } from '../support/gateway-site.ts';

const TESTER = '/robot/services/Tester';
const DOWNLOAD_BYTES = 33_554_432;

function args(...values: unknown[]): string {
  return `args=${encodeURIComponent(JSON.stringify(values))}`;
}

async function ask(page: Page, path: string): Promise<{ status: number; json: unknown }> {
  const { status, body } = await page.evaluate((at) => globalThis.door.ask(at), path);
  return { status, json: JSON.parse(Buffer.from(body, 'base64').toString()) };
}

describe('with a link', () => {
  let gateway: GatewayPage;
  beforeAll(async () => {
    gateway = await openGatewayPage();
    await gateway.own();
  });
  afterAll(() => gateway?.close());
  beforeEach(() => {
    gateway.robot.log.length = 0;
  });

  test('a worker that was stopped works at once', async () => {
    const { page } = gateway;
    for (let time = 0; time < 3; time++) {
      await gateway.stopWorkers();
      expect(await ask(page, `${TESTER}/getSum?${args(time, 1)}`)).toEqual({ status: 200, json: { result: time + 1 } });
    }
  });

  test('a worker that is stopped during a call: the call is made once, and its answer arrives', async () => {
    const { page, robot } = gateway;
    await page.evaluate(() => globalThis.door.offered(0));
    const answer = page.evaluate(
      async (path) => (await fetch(path, { method: 'POST' })).json() as Promise<unknown>,
      `${TESTER}/later`,
    );
    await robot.logged('later began');
    await gateway.stopWorkers();
    // Chromium gives the request to the worker again, which asks this page again.
    await page.evaluate(() => globalThis.door.offered(2));
    robot.answerLater('done');
    expect(await answer).toEqual({ result: 'done' });
    expect(robot.log).toEqual(['later began']);
    expect((await ask(page, `${TESTER}/volume`)).status).toBe(200);
  });

  test('a worker that is stopped while it streams: no end that looks like one, and nothing is missed afterwards', async () => {
    const { client, robot } = gateway;
    const events = await client.stream(`${TESTER}/wordSaid`, { headers: { accept: 'text/event-stream' } });
    let text = '';
    const read = async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) text += Buffer.from((await events.next()) ?? '').toString();
    };
    await read(': live');
    robot.tester.emit('wordSaid', 'before');
    await read('["before"]');
    await gateway.stopWorkers();
    await expect(events.next()).rejects.toThrow(/network error/);
    robot.tester.emit('wordSaid', 'meanwhile');
    const id = /^id: (.+)$/m.exec(text)?.[1] ?? '';
    const again = await client.stream(`${TESTER}/wordSaid?as=events&lastEventId=${id}`);
    text = '';
    while (!text.includes('["meanwhile"]')) text += Buffer.from((await again.next()) ?? '').toString();
    expect(text).not.toContain('before');
    await again.cancel();
  });

  test('an EventSource', async () => {
    const { page, robot } = gateway;
    const events = await page.evaluateHandle((path) => {
      const source = new EventSource(path);
      const heard: string[] = [];
      source.onmessage = ({ data, lastEventId }) => heard.push(`${lastEventId.replace(/^.*-/, '')} ${data}`);
      const opened = new Promise<void>((resolve) => {
        source.onopen = () => resolve();
      });
      return { source, heard, opened };
    }, `${TESTER}/moved`);
    await events.evaluate(({ opened }) => opened);
    robot.tester.emit('moved', 1, 2);
    robot.tester.emit('moved', 3, 4);
    await page.waitForFunction(({ heard }) => heard.length === 2, events);
    expect(await events.evaluate(({ heard }) => heard)).toEqual(['1 [1,2]', '2 [3,4]']);
    await events.evaluate(({ source }) => source.close());
  });

  test('an <img> shows a still, and pictures one after the other', async () => {
    const { page } = gateway;
    const show = (src: string): Promise<number[]> =>
      page.evaluate(
        (url) =>
          new Promise<number[]>((resolve, reject) => {
            const image = new Image();
            image.onload = () => {
              const canvas = new OffscreenCanvas(2, 2);
              const paper = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
              paper.drawImage(image, 0, 0);
              resolve([image.naturalWidth, image.naturalHeight, ...paper.getImageData(0, 0, 2, 2).data]);
              image.src = '';
            };
            image.onerror = () => reject(new Error('the picture cannot be shown'));
            image.src = url;
          }),
        src,
      );
    const shown = [2, 2, 255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255];
    expect(await show(`${TESTER}/getPicture?${args(11)}`)).toEqual(shown);
    expect(await show(`${TESTER}/getPicture?${args(11)}&as=mjpeg`)).toEqual(shown);
  });

  test('an <img> that is taken away stops what runs on the robot', async () => {
    const { page, robot } = gateway;
    const image = await page.evaluateHandle((src) => {
      const made = new Image();
      made.src = src;
      return made;
    }, `${TESTER}/getNow?as=mjpeg`);
    await robot.logged('getNow began');
    await image.evaluate((made) => {
      made.src = '';
    });
    await robot.logged('getNow stopped');
  });

  test('a player gets the ranges it asks for', async () => {
    const { page } = gateway;
    const path = `${TESTER}/getBytes?${args(100_000)}&as=bytes`;
    const part = await page.evaluate(async (at) => {
      const response = await fetch(at, { headers: { range: 'bytes=99990-' } });
      return [response.status, ...new Uint8Array(await response.arrayBuffer())];
    }, path);
    expect(part).toEqual([206, ...patternBytes(100_000).subarray(99_990)]);
  });

  test('32 MB arrive whole although the link breaks and the browser goes offline meanwhile', async () => {
    const { page, context, proxy, robot } = gateway;
    let isDone = false;
    const digest = gateway.client.digest(`${TESTER}/getBytes?${args(DOWNLOAD_BYTES)}&as=bytes`).finally(() => {
      isDone = true;
    });
    // What is asked for without a link is answered so; what has begun goes on.
    await robot.logged('getBytes');
    let breaks = 0;
    while (!isDone && breaks < 3) {
      const lost = page.evaluate(() => globalThis.door.linkState('offline'));
      await context.setOffline(true);
      proxy.cutAll();
      await lost;
      await context.setOffline(false);
      await page.evaluate(() => globalThis.door.linkState('online'));
      breaks++;
    }
    expect(breaks).toBeGreaterThan(0);
    const sha256 = createHash('sha256').update(patternBytes(DOWNLOAD_BYTES)).digest('hex');
    expect(await digest).toEqual({ status: 200, length: DOWNLOAD_BYTES, sha256 });
  });

  test('a page without a link is answered by the one that has it, until that is gone', async () => {
    const other = await gateway.openPage();
    expect(await ask(other, `${TESTER}/getSum?${args(1, 2)}`)).toMatchObject({ status: 200, json: { result: 3 } });
    await gateway.page.evaluate(() => globalThis.door.disown());
    expect(await ask(other, TESTER)).toMatchObject({ status: 503, json: { code: 'offline' } });
    expect(gateway.site.seen.filter((path) => path.startsWith('/robot/services'))).toEqual([TESTER]);
    await gateway.own(other);
    expect((await ask(gateway.page, TESTER)).status).toBe(200);
    await other.close();
    expect(await ask(gateway.page, TESTER)).toMatchObject({ status: 503 });
    await gateway.own();
  });

  test('a page that is closed lets go of its calls', async () => {
    const other = await gateway.openPage();
    const calling = other
      .evaluate((path) => fetch(path, { method: 'POST' }).then(() => undefined), `${TESTER}/forever`)
      .catch(() => undefined);
    await gateway.robot.logged('forever began');
    await other.close();
    await calling;
    await gateway.robot.logged('forever stopped');
  });
});

describe('beside other things', () => {
  let gateway: GatewayPage | undefined;
  afterEach(async () => {
    await gateway?.close();
    gateway = undefined;
  });

  test('an app’s own worker caches the shell, and the robot’s paths are the gateway’s', async () => {
    gateway = await openGatewayPage('/app-sw.js');
    await gateway.own();
    expect(await ask(gateway.page, `${TESTER}/getSum?${args(2, 2)}`)).toMatchObject({ json: { result: 4 } });
    const asked = gateway.site.seen.length;
    await gateway.context.setOffline(true);
    await gateway.page.reload();
    await gateway.page.waitForFunction(() => document.title === 'ready');
    expect(await ask(gateway.page, TESTER)).toMatchObject({ status: 503, json: { code: 'offline' } });
    expect(gateway.site.seen.slice(asked)).toEqual([]);
  });

  test('a newer worker waits while something is streamed, and takes over then', async () => {
    gateway = await openGatewayPage();
    await gateway.own();
    const { page, site, client } = gateway;
    const events = await client.stream(`${TESTER}/wordSaid?as=events`);
    await events.next();
    const told = page.evaluate(() => globalThis.door.streamsTold(1));
    await told;
    site.change('/qiway-sw.js');
    const state = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const newer = new Promise<ServiceWorker>((resolve) =>
        registration.addEventListener('updatefound', () => resolve(registration.installing as ServiceWorker)),
      );
      await registration.update();
      const worker = await newer;
      const installed = (): boolean => worker.state === 'installed';
      if (!installed())
        await new Promise<void>((resolve) => worker.addEventListener('statechange', () => installed() && resolve()));
      // What it asks the active one goes and comes before this.
      await globalThis.door.streamsTold(1);
      return worker.state;
    });
    expect(state).toBe('installed');
    const taken = page.evaluate(
      () =>
        new Promise<void>((resolve) => navigator.serviceWorker.addEventListener('controllerchange', () => resolve())),
    );
    await events.cancel();
    await taken;
    expect((await ask(page, TESTER)).status).toBe(200);
  });

  test('a SharedWorker that owns the link answers for all tabs, whichever of them are there', async () => {
    gateway = await openGatewayPage();
    const { page, robot, agent, openPage } = gateway;
    expect(await page.evaluate((url) => globalThis.door.connect(url), agent.url)).toBe('worker');
    const other = await openPage();
    expect(await other.evaluate((url) => globalThis.door.connect(url), agent.url)).toBe('worker');
    expect(await ask(other, `${TESTER}/getSum?${args(1, 2)}`)).toMatchObject({ status: 200, json: { result: 3 } });
    await page.close();
    expect(await ask(other, `${TESTER}/getSum?${args(3, 4)}`)).toMatchObject({ status: 200, json: { result: 7 } });
    const bytes = await other.evaluate(
      (path) => globalThis.door.digest(path),
      `${TESTER}/getBytes?${args(5_000_000)}&as=bytes`,
    );
    expect(bytes.sha256).toBe(createHash('sha256').update(patternBytes(5_000_000)).digest('hex'));
    const answer = other.evaluate(
      async (path) => (await fetch(path, { method: 'POST' })).json() as Promise<unknown>,
      `${TESTER}/later`,
    );
    await robot.logged('later began');
    const session = await gateway.context.newCDPSession(other);
    await session.send('ServiceWorker.enable');
    await session.send('ServiceWorker.stopAllWorkers');
    // It has been started again, and given the call again, when it answers.
    await other.evaluate(() => globalThis.door.streamsTold(0));
    expect((await ask(other, `${TESTER}/volume`)).status).toBe(200);
    robot.answerLater('done');
    expect(await answer).toEqual({ result: 'done' });
    expect(robot.log.filter((entry) => entry.startsWith('later'))).toEqual(['later began']);
  });

  test('where the page’s own origin is the agent’s, nobody needs a link', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qiway-gateway-'));
    await writeGatewaySite(folder);
    const { agent, token, close } = await openDoorAgent({ web: folder });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(agent.origin);
      await page.waitForFunction(() => document.title === 'ready');
      expect(await page.evaluate(() => globalThis.door.register('/qiway-sw.js'))).toBe('controlled');
      const ask = (headers: Record<string, string>): Promise<unknown> =>
        page.evaluate(async ([path, sent]) => (await fetch(path, { headers: sent })).json() as Promise<unknown>, [
          `${TESTER}/getSum?${args(2, 3)}`,
          headers,
        ] as const);
      expect(await ask({ authorization: `Bearer ${token}` })).toEqual({ result: 5 });
      expect(await ask({})).toMatchObject({ code: 'unauthorized' });
      await page.evaluate((url) => globalThis.door.own(url), agent.url);
      expect(await ask({})).toEqual({ result: 5 });
    } finally {
      await browser.close();
      await close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a page that was loaded past the worker is told so', async () => {
    gateway = await openGatewayPage();
    const session = await gateway.context.newCDPSession(gateway.page);
    const loaded = gateway.page.waitForEvent('load');
    await session.send('Page.reload', { ignoreCache: true });
    await loaded;
    await gateway.page.waitForFunction(() => document.title === 'ready');
    expect(await gateway.page.evaluate(() => globalThis.door.register('/qiway-sw.js'))).toContain('with shift');
  });

  test('a script that is not there is told with what to do', async () => {
    gateway = await openGatewayPage();
    expect(await gateway.page.evaluate(() => globalThis.door.register('/none.js'))).toMatch(
      /^\[unsupported\] The service worker \/none\.js cannot be used: .*npx @qiway\/sdk init/,
    );
  });

  test('a page of a plain http address is told why', async () => {
    gateway = await openGatewayPage();
    const browser = await launchChromium(['--host-resolver-rules=MAP robot.test 127.0.0.1']);
    try {
      const page = await browser.newPage();
      await page.goto(gateway.site.origin.replace('127.0.0.1', 'robot.test'));
      await page.waitForFunction(() => document.title === 'ready');
      expect(await page.evaluate(() => globalThis.door.register('/qiway-sw.js'))).toContain('plain http address');
    } finally {
      await browser.close();
    }
  });
});
