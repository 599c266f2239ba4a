// The gateway's service worker in Firefox, told to end it after a second that no page speaks to it (else: 30 s). A page takes that
// for the end of what it streams: so every stream has an end of its own.
import { createObject, signal } from '@qiway/protocol/objects/hosted-object';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DoorAgent, openDoorAgent } from '../support/door-agent.ts';
import { type Firefox, launchFirefox, whyNoFirefox } from '../support/firefox.ts';
import type { pageDoor } from '../support/gateway-page.ts';
import { type GatewaySite, openGatewaySite } from '../support/gateway-site.ts';

interface PageGlobals {
  readonly door: typeof pageDoor;
  source: EventSource;
  /** How often the stream began. */
  opened: number;
  heard: string[];
}

const TESTER = '/robot/services/Tester';
const PATIENCE = { timeout: 20_000 };

/** A worker that nobody speaks to lives for both, one after the other. */
const IDLE_MS = 500;

function args(...values: unknown[]): string {
  return `args=${encodeURIComponent(JSON.stringify(values))}`;
}

describe.skipIf(whyNoFirefox() !== undefined)('the gateway in Firefox', () => {
  let firefox: Firefox;
  let site: GatewaySite;
  let agent: DoorAgent;
  let page: Page;

  beforeAll(async () => {
    firefox = await launchFirefox({
      'dom.serviceWorkers.idle_timeout': IDLE_MS,
      'dom.serviceWorkers.idle_extended_timeout': IDLE_MS,
    });
    site = await openGatewaySite();
    agent = await openDoorAgent({ origins: [site.origin] });
    page = await openPage();
    expect(await page.evaluate(() => (globalThis as unknown as PageGlobals).door.register('/qiway-sw.js'))).toBe(
      'controlled',
    );
    expect(await connectIn(page)).toBe('worker');
  });
  afterAll(async () => {
    await firefox?.close();
    await agent?.close();
    await site?.close();
  });
  beforeEach(() => {
    agent.robot.log.length = 0;
  });

  async function openPage(): Promise<Page> {
    const opened = await firefox.browser.newPage();
    await opened.goto(`${site.origin}/`);
    await opened.waitForFunction(() => document.title === 'ready');
    return opened;
  }
  const connectIn = (each: Page): Promise<string> =>
    each.evaluate((url) => (globalThis as unknown as PageGlobals).door.connect(url), agent.agent.url);
  const ask = (each: Page, path: string): Promise<unknown> =>
    each.evaluate(async (at) => (await fetch(at)).json() as Promise<unknown>, path);

  async function listenTo(path: string): Promise<void> {
    await page.evaluate((at) => {
      const globals = globalThis as unknown as PageGlobals;
      globals.heard = [];
      globals.opened = 0;
      globals.source = new EventSource(at);
      globals.source.onopen = () => {
        globals.opened += 1;
      };
      globals.source.onmessage = ({ data }) => globals.heard.push(data);
      globals.source.addEventListener('gone', () => {
        globals.heard.push('gone');
        globals.source.close();
      });
    }, path);
    await hasOpened(1);
  }
  const hasOpened = async (times: number): Promise<void> => {
    await page.waitForFunction((count) => (globalThis as unknown as PageGlobals).opened >= count, {}, times);
  };
  const heard = (): Promise<string[]> => page.evaluate(() => (globalThis as unknown as PageGlobals).heard);

  test('calls come back as JSON, from any page', async () => {
    expect(await ask(page, `${TESTER}/getSum?${args(2, 3)}`)).toEqual({ result: 5 });
    const other = await openPage();
    expect(await ask(other, `${TESTER}/getSum?${args(3, 4)}`)).toEqual({ result: 7 });
    await other.close();
  });

  test('an <img> shows a still', async () => {
    const shown = await page.evaluate(
      async (src) => {
        const image = new Image();
        image.src = src;
        await image.decode();
        const paper = new OffscreenCanvas(2, 2).getContext('2d') as OffscreenCanvasRenderingContext2D;
        paper.drawImage(image, 0, 0);
        return [...paper.getImageData(0, 0, 2, 2).data];
      },
      `${TESTER}/getPicture?${args(11)}`,
    );
    expect(shown).toEqual([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255]);
  });

  test('an EventSource hears the end of a service', async () => {
    const passing = createObject({ ticked: signal('(i)') });
    const service = await agent.agent.bus.host('Passing', passing);
    await listenTo('/robot/services/Passing/ticked');
    passing.emit('ticked', 1);
    await expect.poll(heard, PATIENCE).toEqual(['[1]']);
    await service.close();
    await expect.poll(heard, PATIENCE).toEqual(['[1]', 'gone']);
  });

  test('a call of gatewayFetch is stopped on the robot when it is aborted', async () => {
    const id = await page.evaluate(
      (path) => (globalThis as unknown as PageGlobals).door.begin(path, { method: 'POST' }),
      `${TESTER}/forever`,
    );
    await agent.robot.logged('forever began');
    await page.evaluate((each) => (globalThis as unknown as PageGlobals).door.abort(each), id);
    await agent.robot.logged('forever stopped');
  });

  test('a worker that was ended while it streams: the EventSource comes back and misses nothing', async () => {
    await listenTo(`${TESTER}/wordSaid`);
    for (const [index, word] of ['one', 'two'].entries()) {
      agent.robot.tester.emit('wordSaid', word);
      // It opens again because the worker was ended.
      await hasOpened(index + 2);
    }
    agent.robot.tester.emit('wordSaid', 'three');
    await expect.poll(heard, PATIENCE).toEqual(['["one"]', '["two"]', '["three"]']);
    await page.evaluate(() => (globalThis as unknown as PageGlobals).source.close());
    expect(await ask(page, `${TESTER}/getSum?${args(1, 1)}`)).toEqual({ result: 2 });
  });

  test('a worker that is ended during a call: the page is told, and the call is not made again', async () => {
    const answer = page.evaluate(async (path) => {
      const failed = (error: unknown): string => (error as Error).name;
      return fetch(path, { method: 'POST' }).then(({ status }) => status, failed);
    }, `${TESTER}/later`);
    await agent.robot.logged('later began');
    expect(await answer).toBe('TypeError');
    agent.robot.answerLater('done');
    expect(await ask(page, `${TESTER}/getSum?${args(1, 2)}`)).toEqual({ result: 3 });
    expect(agent.robot.log).toEqual(['later began']);
  });
});
