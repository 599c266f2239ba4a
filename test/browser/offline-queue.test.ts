// The offline queue in a real browser: calls outlive a reload of the page, and of two tabs one makes them.
import type * as Sdk from '@qiway/sdk';
import type { QueueChange, QueueEntry, RemoteObject, Robot } from '@qiway/sdk';
import type { BrowserContext, Page } from 'playwright';
import { expect, test } from 'vitest';
import { withPagesAndRobot } from '../support/pages-and-robot.ts';
import { isReady, openSdkPage, type SdkSite } from '../support/sdk-page.ts';
import type { VoiceRobot } from '../support/voice-robot.ts';

/** What the page has. */
interface PageGlobals {
  readonly qiway: typeof Sdk;
  robot: Robot;
  voice: RemoteObject;
  changes: QueueChange[];
  outcomes: unknown[];
}

/** On a busy machine. */
const PATIENCE = { timeout: 20_000 };

let site: SdkSite;
let context: BrowserContext;
let robot: VoiceRobot;

withPagesAndRobot((made) => {
  ({ site, context, robot } = made);
});

const openPage = (): Promise<Page> => openSdkPage(context, site);

async function connectIn(page: Page): Promise<void> {
  await page.evaluate(async (agentUrl) => {
    const page = globalThis as unknown as PageGlobals;
    page.robot = await page.qiway.connect(agentUrl);
    page.voice = await page.robot.service('Voice');
    page.changes = [];
    page.outcomes = [];
    page.robot.queue.onChange((change) => page.changes.push(change));
  }, robot.url);
}

/** Makes a call that may wait, and does not wait for it. */
async function say(page: Page, text: string): Promise<void> {
  await page.evaluate((text) => {
    const page = globalThis as unknown as PageGlobals;
    const { queue } = page.qiway;
    page.voice['say']
      ?.with({ offline: queue({ ttlMs: 600_000 }) })(text)
      .then(
        (value) => page.outcomes.push(value),
        (error: { code: string }) => page.outcomes.push(error.code),
      );
  }, text);
}

const waitOffline = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => (globalThis as unknown as PageGlobals).robot.status.state === 'offline');
const waitLength = (page: Page, length: number): Promise<unknown> =>
  page.waitForFunction((count) => (globalThis as unknown as PageGlobals).robot.queue.length === count, length);
const outcomesOf = (page: Page): Promise<unknown[]> =>
  page.evaluate(() => (globalThis as unknown as PageGlobals).outcomes);
const listOf = (page: Page): Promise<QueueEntry[]> =>
  page.evaluate(() => (globalThis as unknown as PageGlobals).robot.queue.list());

test('calls made while the robot is away outlive a reload, can be taken out, and are made once', async () => {
  const page = await openPage();
  await connectIn(page);
  await say(page, 'online');
  await expect.poll(() => outcomesOf(page), PATIENCE).toEqual(['said online']);
  await robot.endAgent();
  await waitOffline(page);
  for (const text of ['one', 'two', 'three']) await say(page, text);
  await expect
    .poll(async () => (await listOf(page)).map(({ args, state }) => [args, state]), PATIENCE)
    .toEqual([
      ['"one"', 'waiting'],
      ['"two"', 'waiting'],
      ['"three"', 'waiting'],
    ]);
  const [, two] = await listOf(page);
  expect(
    await page.evaluate((id) => {
      const { robot } = globalThis as unknown as PageGlobals;
      return robot.queue.isDurable && robot.queue.cancel(id);
    }, two?.id ?? ''),
  ).toBe(true);
  await expect.poll(() => outcomesOf(page), PATIENCE).toEqual(['said online', 'canceled']);
  expect(await page.evaluate(() => (globalThis as unknown as PageGlobals).robot.status.queued)).toBe(2);
  await page.reload();
  await isReady(page);
  expect(robot.ran).toEqual(['online']);
  await robot.startAgent();
  await connectIn(page);
  await expect.poll(() => robot.ran, PATIENCE).toEqual(['online', 'one', 'three']);
  await waitLength(page, 0);
  await page.reload();
  await isReady(page);
  await connectIn(page);
  expect(await listOf(page)).toEqual([]);
  expect(robot.ran).toEqual(['online', 'one', 'three']);
});

test('of two tabs one makes the calls of both, in order, and each gets its own answers', async () => {
  const pages = [await openPage(), await openPage()] as const;
  for (const page of pages) await connectIn(page);
  await robot.endAgent();
  for (const page of pages) await waitOffline(page);
  for (let index = 0; index < 10; index += 1) {
    await say(pages[index % 2 === 0 ? 0 : 1], `call ${index}`);
    for (const page of pages) await waitLength(page, index + 1);
  }
  await robot.startAgent();
  for (const page of pages) await waitLength(page, 0);
  expect(robot.ran).toEqual(Array.from({ length: 10 }, (_, index) => `call ${index}`));
  for (const [which, page] of pages.entries()) {
    await expect
      .poll(() => outcomesOf(page), PATIENCE)
      .toEqual(Array.from({ length: 5 }, (_, index) => `said call ${2 * index + which}`));
    const done = await page.evaluate(() =>
      (globalThis as unknown as PageGlobals).changes.filter(({ kind }) => kind === 'done').map(({ result }) => result),
    );
    expect(done).toEqual(robot.ran.map((text) => `said ${text}`));
  }
});

test('a tab that is closed in the middle leaves its calls to the other', async () => {
  const [closed, other] = [await openPage(), await openPage()];
  for (const page of [closed, other]) await connectIn(page);
  await robot.endAgent();
  for (const page of [closed, other]) await waitOffline(page);
  for (const text of ['one', 'two']) await say(closed, text);
  await waitLength(other, 2);
  await closed.close();
  await robot.startAgent();
  await waitLength(other, 0);
  expect(robot.ran).toEqual(['one', 'two']);
});
