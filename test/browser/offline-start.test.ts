// A page that is opened while its robot is away: connected to what it knows of it, and to the robot itself when that is back.
import type * as Sdk from '@qiway/sdk';
import type { RemoteObject, Robot } from '@qiway/sdk';
import type { BrowserContext, Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { withPagesAndRobot } from '../support/pages-and-robot.ts';
import { isReady, openSdkPage, type SdkSite } from '../support/sdk-page.ts';
import type { VoiceRobot } from '../support/voice-robot.ts';

/** What the page has. */
interface PageGlobals {
  readonly qiway: typeof Sdk;
  robot: Robot;
  voice: RemoteObject;
  outcomes: unknown[];
  heard: unknown[];
}

type Owner = 'worker' | 'page';

/** On a busy machine. */
const PATIENCE = { timeout: 20_000 };

let site: SdkSite;
let context: BrowserContext;
let robot: VoiceRobot;

withPagesAndRobot((made) => {
  ({ site, context, robot } = made);
});

const openPage = (): Promise<Page> => openSdkPage(context, site);

interface ConnectIn {
  readonly owner: Owner;
  readonly url?: string;
}

/** The code of what it rejects with; undefined: connected. */
function connectIn(page: Page, { owner, url: given = robot.url }: ConnectIn): Promise<string | undefined> {
  return page.evaluate(
    async ([agentUrl, wanted]) => {
      const page = globalThis as unknown as PageGlobals;
      page.outcomes = [];
      page.heard = [];
      const options = { offline: true, ...(wanted === 'page' && { worker: false as const }) };
      try {
        page.robot = await page.qiway.connect(agentUrl, options);
        return undefined;
      } catch (error) {
        return (error as { code: string }).code;
      }
    },
    [given, owner] as const,
  );
}

const stateOf = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { state, owner } = (globalThis as unknown as PageGlobals).robot.status;
    return `${state} ${owner}`;
  });
const waitOnline = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => (globalThis as unknown as PageGlobals).robot.status.state === 'online');

describe.each<Owner>(['worker', 'page'])('a page whose link is owned by the %s', (owner) => {
  test('opens without its robot: services are there, calls wait and are made once, signals come', async () => {
    const before = await openPage();
    expect(await connectIn(before, { owner })).toBeUndefined();
    expect(await stateOf(before)).toBe(`online ${owner}`);
    await before.evaluate(async () => {
      const { robot } = globalThis as unknown as PageGlobals;
      await robot.service('Voice');
    });
    await expect.poll(() => knownIn(before), PATIENCE).toContain('Voice');
    await robot.endAgent();
    await before.close();
    const page = await openPage();
    expect(await connectIn(page, { owner })).toBeUndefined();
    expect(await stateOf(page)).toBe(`offline ${owner}`);
    const told = await page.evaluate(async () => {
      const page = globalThis as unknown as PageGlobals;
      const { robot, qiway, outcomes, heard } = page;
      const names = (await robot.services()).map(({ name }) => name);
      page.voice = await robot.service('Voice');
      const { voice } = page;
      const failed = await voice['say']?.('now').catch((error: { code: string }) => error.code);
      voice['say']
        ?.with({ offline: qiway.queue({ ttlMs: 600_000 }) })('later')
        .then(
          (value) => outcomes.push(value),
          (error: { code: string }) => outcomes.push(error.code),
        );
      (voice['said'] as unknown as { connect(take: (text: string) => void): Promise<unknown> })
        .connect((text) => heard.push(text))
        .then(
          () => outcomes.push('connected'),
          (error: { code: string }) => outcomes.push(error.code),
        );
      return { names, failed, robotId: robot.status.robotId.length };
    });
    expect(told).toMatchObject({ failed: 'offline', robotId: 52 });
    const queued = (): Promise<string[]> =>
      page.evaluate(async () => {
        const entries = await (globalThis as unknown as PageGlobals).robot.queue.list();
        return entries.map(({ args, state }) => `${args} ${state}`);
      });
    await expect.poll(queued, PATIENCE).toEqual(['"later" waiting']);
    expect(told.names).toContain('Voice');
    await robot.startAgent();
    await waitOnline(page);
    const outcomes = (): Promise<unknown[]> => page.evaluate(() => (globalThis as unknown as PageGlobals).outcomes);
    await expect.poll(async () => (await outcomes()).sort(), PATIENCE).toEqual(['connected', 'said later']);
    robot.emit('hello');
    await expect
      .poll(() => page.evaluate(() => (globalThis as unknown as PageGlobals).heard), PATIENCE)
      .toEqual(['hello']);
    expect(await page.evaluate(() => (globalThis as unknown as PageGlobals).voice['say']?.('again'))).toBe(
      'said again',
    );
    expect(robot.ran).toEqual(['later', 'again']);
  });

  test('is told when nothing is known of the robot', async () => {
    await robot.endAgent();
    expect(await connectIn(await openPage(), { owner })).toBe('dial-failed');
  });
});

test('a robot that the URL does not name is known by where it was', async () => {
  const [withoutId = ''] = robot.url.split('&robot=');
  const before = await openPage();
  await connectIn(before, { owner: 'page', url: withoutId });
  await before.evaluate(() => (globalThis as unknown as PageGlobals).robot.service('Voice'));
  await expect.poll(() => knownIn(before), PATIENCE).toContain('Voice');
  await robot.endAgent();
  await before.reload();
  await isReady(before);
  expect(await connectIn(before, { owner: 'page', url: withoutId })).toBeUndefined();
  expect(await stateOf(before)).toBe('offline page');
});

/** Names of services whose metaobjects are stored, and whose robot is. */
function knownIn(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((resolve, reject) => {
        const opening = indexedDB.open('qiway-knowledge');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const database = opening.result;
          if (!database.objectStoreNames.contains('metaobjects')) {
            database.close();
            return resolve([]);
          }
          const transaction = database.transaction(['metaobjects', 'robots']);
          const keys = transaction.objectStore('metaobjects').getAllKeys();
          const robots = transaction.objectStore('robots').getAll();
          transaction.oncomplete = () => {
            database.close();
            resolve(robots.result.length === 0 ? [] : keys.result.map((key) => (key as string[])[1] ?? ''));
          };
        };
      }),
  );
}
