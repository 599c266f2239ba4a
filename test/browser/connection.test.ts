// The status of the link as a person sees it: breaks, an agent that is started again, what waits, and the time line.
import { connect, type Robot } from '@qiway/sdk';
import type { Page } from 'playwright';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConsoleSite, openConsoleSite } from '../support/console-site.ts';
import { type CutGate, openCutGate } from '../support/cut-gate.ts';

interface Services {
  ALTextToSpeech: { say(text: string): void };
}

let site: ConsoleSite;
let gate: CutGate;
let observer: Robot<Services> | undefined;

beforeEach(async () => {
  // As on a robot, whose services outlive the agent.
  site = await openConsoleSite({ directory: 'robot' });
  gate = await openCutGate(Number(new URL(site.origin).port));
});
afterEach(async () => {
  await observer?.close();
  observer = undefined;
  await gate.close();
  await site.close();
});

/** The page, with its only way to the agent through the gate. */
async function openThroughGate(view = 'drive'): Promise<Page> {
  const { page } = await site.open({ fragment: '' });
  // The agent announces no address of loopback: there is no way past the gate.
  await page.goto(`http://127.0.0.1:${gate.port}/${new URL(site.url).hash}&view=${view}`);
  return page;
}

async function say(text: string): Promise<void> {
  observer ??= await connect<Services>(site.url);
  await (await observer.service('ALTextToSpeech')).say(text);
}

const words = (page: Page): ReturnType<Page['locator']> => page.locator('[data-figure="link-words"]');
const isShown = (page: Page, what: string): Promise<void> => page.getByText(what).first().waitFor();

async function watchWords(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'ALTextToSpeech', exact: true }).click();
  await page.locator('[data-member="wordSaid"] summary').click();
  await page.getByRole('button', { name: 'Watch' }).click();
  await page.getByRole('button', { name: 'Stop watching' }).waitFor();
}

/** Marks the page: a reload would take the mark away. */
const mark = (page: Page): Promise<void> => page.evaluate(() => void Object.assign(window, { isMarked: true }));
const isMarked = (page: Page): Promise<boolean> => page.evaluate(() => 'isMarked' in window);

describe('a socket that is cut', () => {
  it('is resumed with nothing lost, and nothing of the page gives way to it', async () => {
    const page = await openThroughGate('explore');
    await watchWords(page);
    await mark(page);
    await page.evaluate(() => {
      const seen: string[] = [];
      new MutationObserver(() => {
        if (document.querySelector('.notice, .at-rest, .doorway') !== null) seen.push('gave way');
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
      Object.assign(window, { seen });
    });
    await say('before');
    await isShown(page, '"before"');
    gate.cut();
    await page.getByRole('slider', { name: 'What happened' }).focus();
    await page.locator('.time-line [data-kind="resumed"]').waitFor({ state: 'attached' });
    await say('after');
    await isShown(page, '"after"');
    await isShown(page, '2 received');
    expect(await page.locator('.log-gap').count()).toBe(0);
    expect(await page.evaluate(() => (window as unknown as { seen: string[] }).seen)).toEqual([]);
    await page.locator('.status-toggle').click();
    await isShown(page, 'Resumed once; everything went on');
    await isShown(page, 'and everything goes on.');
    expect([await words(page).textContent(), await isMarked(page)]).toEqual(['Online', true]);
  });
});

describe('an agent that is killed and started again', () => {
  it('is looked for and found without a reload; what was watched goes on, and the time line tells it', async () => {
    const { page } = await site.open({ fragment: `${new URL(site.url).hash.slice(1)}&view=explore` });
    await watchWords(page);
    await mark(page);
    await say('before');
    await isShown(page, '"before"');
    await observer?.close();
    observer = undefined;
    await site.agent.end('SIGKILL');
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    await page.locator('[data-figure="link-words"]', { hasText: /Looking for the robot for \d+ s/ }).waitFor();
    await page.locator('.notice', { hasText: `Tried ${new URL(site.origin).host}` }).waitFor();
    await site.startAgent();
    await page.locator('[data-figure="link-words"]', { hasText: 'Online' }).waitFor();
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor({ state: 'hidden' });
    await page.locator('.log-gap').first().waitFor();
    await say('afterwards');
    await isShown(page, '"afterwards"');
    expect(await isMarked(page)).toBe(true);
    const line = page.getByRole('slider', { name: 'What happened' });
    await line.focus();
    await line.press('Home');
    expect(await line.getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d:\d\d: Linked directly/);
    await line.press('ArrowRight');
    expect(await line.getAttribute('aria-valuetext')).toContain('The link was lost.');
    await page.locator('.time-line-words', { hasText: 'The link was lost.' }).waitFor();
    const told = await page.locator('.time-line b').evaluateAll((marks) => marks.map((one) => one.dataset['kind']));
    expect(told.slice(0, 3)).toEqual(['linked', 'lost', 'renewed']);
    const states = await page.locator('.time-line i').evaluateAll((parts) => parts.map((one) => one.dataset['state']));
    expect(states.slice(0, 2)).toEqual(['online', 'offline']);
    expect(states.at(-1)).toBe('online');
  });
});

describe('while the robot cannot be reached', () => {
  it('what moves it is off with a reason, and what it is to say waits, can be taken back, and is said once', async () => {
    const page = await openThroughGate();
    await page.locator('.picture-rate').waitFor();
    await mark(page);
    gate.shut();
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    const stand = page.getByRole('button', { name: 'Crouch' });
    expect([await stand.isDisabled(), await stand.getAttribute('title')]).toEqual([
      true,
      'There is no link to the robot at the moment',
    ]);
    await page.locator('.picture-rate', { hasText: /\d s old/ }).waitFor();
    for (const text of ['never', 'patience']) {
      await page.locator('#say').fill(text);
      await page.getByRole('button', { name: 'Say later' }).click();
      await page.locator('.waiting-call', { hasText: text }).first().waitFor();
    }
    await page.locator('.status-count', { hasText: '2' }).waitFor();
    await page.locator('.drive-speech').getByRole('button', { name: 'Take back "never"' }).click();
    await page.locator('.status-count', { hasText: '1' }).waitFor();
    gate.open();
    await page.locator('[data-figure="spoken"]', { hasText: 'patience' }).waitFor();
    await page.locator('.waiting').first().waitFor({ state: 'detached' });
    expect((await page.locator('[data-figure="spoken"]').textContent())?.trim()).toBe('patience');
    await page.locator('.status-toggle').click();
    await isShown(page, 'The call that waited was made.');
    await isShown(page, 'ALTextToSpeech.say("never") was taken back.');
    expect(await isMarked(page)).toBe(true);
  });
});
