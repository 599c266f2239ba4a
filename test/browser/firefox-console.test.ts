// The console in Firefox: it opens, connects, shows what the robot tells, and drives it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Robot } from '@qiway/sdk';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { builtConsole } from '../support/console-site.ts';
import { type Firefox, launchFirefox, whyNoFirefox } from '../support/firefox.ts';
import { type Program, startProgram } from '../support/program.ts';

interface Services {
  ALMotion: { moveIsActive(): boolean; getRobotPosition(useSensors: boolean): number[] };
}

const PATIENCE = { timeout: 20_000 };

describe.skipIf(whyNoFirefox() !== undefined)('the console in Firefox', () => {
  let firefox: Firefox;
  let page: Page;
  let url: string;
  /** Sees the robot without the page. */
  let observer: Robot<Services>;
  const errors: string[] = [];
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    const state = makeScratchFolder('state');
    closing.push(() => rmSync(state, { recursive: true, force: true }));
    const built = await builtConsole();
    closing.push(() => built.remove());
    const start = (path: string, args: readonly string[]): Program => {
      const program = startProgram(join(checkout, path), args);
      closing.push(() => program.end());
      return program;
    };
    const places = ['--listen', '127.0.0.1:0', '--bus-listen', 'tcp://127.0.0.1:0'];
    const agent = start('robot-agent/main.ts', [...places, '--web', built.folder, '--state', state]);
    const [, bus = ''] = await agent.said(/is the service directory.*url=(tcp:\/\/\S+)/);
    [url] = await agent.said(/^https?:\/\/\S+#token=\S+$/);
    await start('simulated-robot/main.ts', ['--bus', bus]).said(/services on tcp:/);
    observer = await connect<Services>(url);
    closing.push(() => observer.close());
    firefox = await launchFirefox();
    closing.push(() => firefox.close());
    page = await firefox.browser.newPage();
    await page.setViewport({ width: 1366, height: 820 });
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url);
  });
  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const says = (selector: string, text: string): Promise<unknown> =>
    page.waitForFunction(
      (at, wanted) => [...document.querySelectorAll(at)].some((each) => each.textContent.includes(wanted)),
      {},
      selector,
      text,
    );
  const isMoving = async (): Promise<boolean> => (await observer.service('ALMotion')).moveIsActive();

  test('opens and shows what the robot tells, pictures too', async () => {
    await says('.steering-words', 'Standing still');
    await says('.picture-rate', 'per second');
    expect(errors).toEqual([]);
  });

  test('drives the robot while a key is held', async () => {
    const before = await (await observer.service('ALMotion')).getRobotPosition(true);
    await page.keyboard.down('a');
    await expect.poll(isMoving, PATIENCE).toBe(true);
    await says('.steering-words', 'Turning left');
    await page.keyboard.up('a');
    await expect.poll(isMoving, PATIENCE).toBe(false);
    const after = await (await observer.service('ALMotion')).getRobotPosition(true);
    expect(after[2]).not.toBe(before[2]);
  });

  test('is there again after a reload, in the same browser', async () => {
    await page.reload();
    await says('.steering-words', 'Standing still');
    expect(errors).toEqual([]);
  });
});
