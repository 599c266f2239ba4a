// The explorer: forms, logs and editors made from metaobjects, against the robot in the other process.
import { connect, type Robot } from '@qiway/sdk';
import type { Locator, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConsolePage, type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

interface Services {
  ALMemory: { raiseEvent(name: string, value: unknown): void };
  QiwayEcho: { startTicks(count: number, intervalMs: number): void };
}

let site: ConsoleSite;
let robot: Robot<Services>;
let shown: ConsolePage;
let page: Page;

beforeAll(async () => {
  site = await openConsoleSite();
  robot = await connect<Services>(site.url);
});
afterAll(async () => {
  await robot?.close();
  await site?.close();
});
afterEach(async () => {
  const { errors } = shown;
  await shown.close();
  expect(errors).toEqual([]);
});

async function explore(service: string): Promise<void> {
  shown = await site.open({ fragment: `${new URL(site.url).hash.slice(1)}&view=explore` });
  page = shown.page;
  await page.getByRole('button', { name: service, exact: true }).click();
  await page.getByRole('heading', { name: service, exact: true }).waitFor();
}

/** Opens a member; the `at`th of its name. */
async function openMember(name: string, at = 0): Promise<Locator> {
  const member = page.locator(`[data-member="${name}"]`).nth(at);
  await member.locator('summary').click();
  return member;
}

describe('the explorer', () => {
  it('lists the services of the bus and finds one by a part of its name', async () => {
    await explore('ALMotion');
    await page.locator('#seek').fill('texttospeech');
    expect(await page.locator('.services li').allTextContents()).toEqual(['ALTextToSpeech']);
  });

  it('calls a method with arguments from its form and shows the result', async () => {
    await explore('ALMemory');
    const insert = await openMember('raiseEvent');
    await insert.locator('input').first().fill('Test/Value');
    await insert.locator('textarea').fill('{"list": [1, 2.5, "three"]}');
    await insert.getByRole('button', { name: 'Call' }).click();
    await insert.getByRole('status').waitFor();
    const get = await openMember('getData');
    await get.locator('input').fill('Test/Value');
    await get.getByRole('button', { name: 'Call' }).click();
    await get
      .locator('pre', { hasText: 'list: [1, 2.5, "three"]' })
      .or(get.locator('pre', { hasText: '"list": [1, 2.5, "three"]' }))
      .waitFor();
  });

  it('tells what is wrong with an entry, and what the robot refused', async () => {
    await explore('QiwayEcho');
    const raw = await openMember('raw');
    await raw.locator('input').fill('-1');
    await raw.getByRole('button', { name: 'Call' }).click();
    await raw.getByRole('alert').filter({ hasText: 'outside 0' }).waitFor();
    await raw.locator('input').fill('4');
    await raw.getByRole('button', { name: 'Call' }).click();
    await raw.locator('pre', { hasText: '4 bytes:' }).waitFor();
    const fail = await openMember('fail');
    await fail.locator('input').first().fill('no such luck');
    await fail.getByRole('button', { name: 'Call' }).click();
    await fail.getByRole('alert').filter({ hasText: 'no such luck' }).waitFor();
  });

  it('cancels a call that takes long', async () => {
    await explore('QiwayEcho');
    const slow = await openMember('slow');
    await slow.locator('input').fill('60000');
    await slow.getByRole('button', { name: 'Call' }).click();
    await slow.getByRole('button', { name: 'Cancel' }).click();
    await slow.getByRole('alert').waitFor();
  });

  it('watches a signal', async () => {
    await explore('QiwayEcho');
    const tick = await openMember('tick');
    await tick.getByRole('button', { name: 'Watch' }).click();
    await tick.getByRole('button', { name: 'Stop watching' }).waitFor();
    await (await robot.service('QiwayEcho')).startTicks(3, 20);
    await tick.getByText('3 received').waitFor();
    expect(await tick.locator('[role=log] p').count()).toBe(3);
  });

  it('shows a property as it changes and sets it', async () => {
    await explore('QiwayEcho');
    const point = await openMember('point');
    await point.locator('pre', { hasText: 'name: "here"' }).waitFor();
    await point.locator('input').nth(0).fill('12.5');
    await point.locator('input').nth(2).fill('there');
    await point.getByRole('button', { name: 'Set' }).click();
    await point.locator('pre', { hasText: '{x: 12.5, y: 2, name: "there"}' }).waitFor();
  });

  it('says why the robot does not take a value', async () => {
    await explore('QiwayEcho');
    const number = await openMember('number');
    await number.locator('input').fill('5000');
    await number.getByRole('button', { name: 'Set' }).click();
    await number.getByRole('alert').waitFor();
    await number.locator('pre', { hasText: /^7$/ }).waitFor();
  });

  it('fills lists and maps entry by entry', async () => {
    await explore('QiwayEcho');
    const list = await openMember('list');
    await list.locator('pre', { hasText: '[1, 2, 3]' }).waitFor();
    await list.getByRole('button', { name: 'Add' }).click();
    await list.locator('input').nth(3).fill('44');
    await list.getByRole('button', { name: 'Remove entry 1' }).click();
    await list.getByRole('button', { name: 'Set' }).click();
    await list.locator('pre', { hasText: '[2, 3, 44]' }).waitFor();
  });

  it("opens the object that ALMemory's subscriber() returns, whose signal delivers events", async () => {
    await explore('ALMemory');
    const subscriber = await openMember('subscriber');
    await subscriber.locator('input').fill('Test/Event');
    await subscriber.getByRole('button', { name: 'Call' }).click();
    await subscriber.getByRole('button', { name: 'Open the object' }).click();
    await page.getByRole('heading', { name: 'ALMemory.subscriber()' }).waitFor();
    const signal = await openMember('signal');
    await signal.getByRole('button', { name: 'Watch' }).click();
    await signal.getByRole('button', { name: 'Stop watching' }).waitFor();
    await (await robot.service('ALMemory')).raiseEvent('Test/Event', ['rain', 3]);
    await signal.getByText('["rain", 3]').waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('heading', { name: 'ALMemory', exact: true }).waitFor();
  });
});

describe('the plot', () => {
  it('draws a signal that was chosen', async () => {
    shown = await site.open({ fragment: `${new URL(site.url).hash.slice(1)}&view=plot` });
    page = shown.page;
    await page.locator('#plot-source').selectOption('QiwayEcho');
    await page.locator('#plot-member').selectOption({ label: 'tick (signal)' });
    await page.getByText('Nothing came yet').waitFor();
    // Subscribed once the page says nothing came: ticks that come before are not drawn, so they go on until one was.
    await (await robot.service('QiwayEcho')).startTicks(200, 50);
    await page.locator('.plot-value', { hasText: 'tick' }).waitFor();
    await page.locator('.plot-sheet canvas').waitFor();
  });

  it('draws the position', async () => {
    shown = await site.open({ fragment: `${new URL(site.url).hash.slice(1)}&view=plot` });
    await shown.page.locator('.plot-value', { hasText: 'heading' }).waitFor();
    await shown.page.locator('.plot-sheet canvas').waitFor();
  });
});
