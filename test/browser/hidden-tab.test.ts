// A tab that nobody looks at: its timers are slowed down, and its link, its failsafe and its lease go on.

import { join } from 'node:path';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { EmbeddedBus, listenBus } from '@qiway/robot-agent/qi';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BareChromium, launchBareChromium } from '../support/bare-chromium.ts';
import { checkout } from '../support/checkout-copy.ts';
import { type Program, startProgram } from '../support/program.ts';
import { openSdkSite, type SdkSite } from '../support/sdk-page.ts';

let browser: BareChromium;
let site: SdkSite;
let agent: Program;
let url: string;
let stops: number;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const bus = new EmbeddedBus({ machineId: 'robot', processId: process.pid, sessionId: 'robot' });
  const listening = await listenBus(bus, 'tcp://127.0.0.1:0');
  closing.push(async () => {
    await listening.close();
    await bus.close();
  });
  stops = 0;
  await bus.host('Voice', createObject({ stop: method('()', 'v', () => void stops++) }));
  site = await openSdkSite();
  closing.push(() => site.close());
  const where = ['--listen', '127.0.0.1:0', '--bus', listening.url, '--allow-origin', site.origin];
  agent = startProgram(join(checkout, 'robot-agent/main.ts'), where);
  closing.push(() => agent.end());
  [url] = await agent.said(/^http:\/\/\S+#\S+$/);
  await agent.said(/bus is up/);
  browser = await launchBareChromium();
  closing.push(() => browser.close());
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** On a busy machine. */
const PATIENCE = { timeout: 20_000 };
/** Its timers are slowed down at once, to one a second. */
const SILENT_MS = 3_000;

test('a hidden tab keeps its heartbeat: its failsafe is not made, and its calls go on', async () => {
  const tab = await browser.open(site.url);
  await expect.poll(() => tab.evaluate('document.title'), PATIENCE).toBe('ready');
  await tab.evaluate(`(async () => {
    globalThis.robot = await qiway.connect(${JSON.stringify(url)});
    await robot.failsafe({ afterMs: 600, calls: ['Voice.stop'] });
  })()`);
  await browser.open('about:blank');
  await expect.poll(() => tab.evaluate('document.visibilityState'), PATIENCE).toBe('hidden');
  await tab.evaluate('globalThis.ticks = 0; setInterval(() => ticks++, 50);');
  await new Promise((resolve) => setTimeout(resolve, SILENT_MS));
  // As a page that nobody slows down it would have ticked 60 times.
  expect(await tab.evaluate('ticks')).toBeLessThan(20);
  expect(await tab.evaluate('robot.status.owner + robot.status.state + robot.status.failsafe.state')).toBe(
    'workeronlinearmed',
  );
  expect(stops).toBe(0);
});
