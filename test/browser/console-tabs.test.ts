// The console in two tabs of one browser: one drives, the other sees it, and a stop in either ends the drive.
import { connect, type Robot } from '@qiway/sdk';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ConsolePage, type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

interface Services {
  ALMotion: { moveIsActive(): boolean; stopMove(): void };
  SimulatedRoom: { placeRobot(x: number, y: number, theta: number): void };
}

const PATIENCE = { timeout: 10_000 };
let site: ConsoleSite;
/** Sees the robot without the pages. */
let observer: Robot<Services>;
let shown: ConsolePage;
let driver: Page;
let other: Page;

const words = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator('.steering-words', { hasText: text }).waitFor();
const isMoving = async (): Promise<boolean> => (await observer.service('ALMotion')).moveIsActive();

beforeAll(async () => {
  site = await openConsoleSite();
  observer = await connect<Services>(site.url);
});
afterAll(async () => {
  await observer?.close();
  await site?.close();
});
beforeEach(async () => {
  await (await observer.service('ALMotion')).stopMove();
  await (await observer.service('SimulatedRoom')).placeRobot(0, 0, 0);
  shown = await site.open();
  driver = shown.page;
  other = await driver.context().newPage();
  await other.goto(driver.url());
  for (const page of [driver, other]) await words(page, 'Standing still');
});
afterEach(async () => {
  await shown.close();
});

it('a stop in the other tab ends the drive: it is not shown any more, and goes on with a new press only', async () => {
  await driver.keyboard.down('a');
  await words(driver, 'Turning left 65 %');
  await expect.poll(isMoving, PATIENCE).toBe(true);
  await words(other, 'Another tab drives');
  await other.locator('.stop').click();
  await words(driver, 'Stopped');
  await expect.poll(isMoving, PATIENCE).toBe(false);
  // A second key, the first still held: a hand that moved on.
  await driver.keyboard.down('w');
  await words(driver, 'Stopped');
  await words(other, 'Standing still');
  expect(await isMoving()).toBe(false);
  await driver.keyboard.up('w');
  await driver.keyboard.up('a');
  await words(driver, 'Standing still');
  await driver.keyboard.down('d');
  await words(driver, 'Turning right');
  await expect.poll(isMoving, PATIENCE).toBe(true);
  await driver.keyboard.up('d');
  await expect.poll(isMoving, PATIENCE).toBe(false);
  expect(shown.errors).toEqual([]);
});

it('a stop from elsewhere ends the drive as well', async () => {
  await driver.keyboard.down('a');
  await words(driver, 'Turning left 65 %');
  await expect.poll(isMoving, PATIENCE).toBe(true);
  await (await observer.service('ALMotion')).stopMove();
  await words(driver, 'Stopped');
  await driver.keyboard.up('a');
  await words(driver, 'Standing still');
});

it('only one tab drives at a time, and the next one when that is done', async () => {
  await driver.keyboard.down('a');
  await words(other, 'Another tab drives');
  await other.keyboard.down('d');
  await words(other, 'Another tab drives');
  expect(await other.locator('.joystick').getAttribute('aria-disabled')).toBe('true');
  await other.keyboard.up('d');
  await driver.keyboard.up('a');
  await words(other, 'Standing still');
  await other.keyboard.down('d');
  await words(other, 'Turning right');
  await words(driver, 'Another tab drives');
  await other.keyboard.up('d');
  await words(driver, 'Standing still');
  await expect.poll(isMoving, PATIENCE).toBe(false);
});
