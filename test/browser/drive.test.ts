// The main job: a person at a tablet drives a robot whose services live in another process.
import { connect, type Robot } from '@qiway/sdk';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConsolePage, type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

interface Services {
  ALMotion: {
    getRobotPosition(useSensors: boolean): number[];
    getRobotVelocity(): number[];
    moveToward(x: number, y: number, theta: number): void;
    moveIsActive(): boolean;
    stopMove(): void;
  };
  SimulatedRoom: { placeRobot(x: number, y: number, theta: number): void };
  ALTextToSpeech: { getVolume(): number };
  ALRobotPosture: { getPosture(): string };
  QiwayEcho: { callService(service: string, method: string, args: unknown): unknown };
}

let site: ConsoleSite;
/** Sees the robot without the page. */
let observer: Robot<Services>;
let shown: ConsolePage;
let page: Page;

beforeAll(async () => {
  site = await openConsoleSite();
  observer = await connect<Services>(site.url);
});
afterAll(async () => {
  await observer?.close();
  await site?.close();
});
beforeEach(async () => {
  const motion = await observer.service('ALMotion');
  await motion.stopMove();
  await (await observer.service('SimulatedRoom')).placeRobot(0, 0, 0);
  shown = await site.open();
  page = shown.page;
  await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
});
afterEach(async () => {
  await shown.close();
});

const position = async (): Promise<number[]> => (await observer.service('ALMotion')).getRobotPosition(true);
const isMoving = async (): Promise<boolean> => (await observer.service('ALMotion')).moveIsActive();
const figure = async (name: string): Promise<number> =>
  Number.parseFloat((await page.locator(`[data-figure="${name}"]`).textContent()) ?? '');

/** Puts the mouse down on the joystick, that part of its radius away from the middle. */
async function holdJoystick(right: number, up: number): Promise<void> {
  const box = await page.locator('.joystick').boundingBox();
  if (box === null) throw new Error('the joystick is not to be seen');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + (right * box.width) / 2, y - (up * box.height) / 2, { steps: 4 });
}

async function pictureText(): Promise<string> {
  return page.locator('canvas.picture').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
}

describe('the joystick', () => {
  it('moves the robot in the other process, and its position comes back', async () => {
    await holdJoystick(0, 0.45);
    await expect.poll(async () => (await position())[0], { timeout: 10_000 }).toBeGreaterThan(0.2);
    await expect.poll(() => figure('x'), { timeout: 10_000 }).toBeGreaterThan(0.2);
    await page.mouse.up();
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(false);
    const [x = 0] = await position();
    await expect.poll(() => figure('x')).toBeCloseTo(x, 1);
    expect(shown.errors).toEqual([]);
  });

  it('turns the robot to the left for the left', async () => {
    await holdJoystick(-0.45, 0);
    await expect.poll(async () => (await position())[2], { timeout: 10_000 }).toBeGreaterThan(0.2);
    await page.mouse.up();
  });

  it('drives with the keys, and stops when they are let go', async () => {
    await page.keyboard.down('a');
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(true);
    await page.locator('.steering-words', { hasText: 'Turning left 65 %' }).waitFor();
    await page.keyboard.up('a');
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(false);
  });

  it('leaves the keys alone while somebody types', async () => {
    await page.locator('#say').focus();
    await page.keyboard.down('w');
    expect(await page.locator('#say').inputValue()).toBe('w');
    expect(await page.locator('.steering-words').textContent()).toBe('Standing still');
    await page.keyboard.up('w');
  });

  it('takes the letters, and leaves the arrows, while the volume has the focus', async () => {
    await page.locator('input[type="range"]').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.steering-words').textContent()).toBe('Standing still');
    await page.keyboard.down('w');
    await page.locator('.steering-words', { hasText: 'Ahead' }).waitFor();
    await page.keyboard.up('w');
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
  });

  it.each([
    ['the page loses the focus', () => page.evaluate(() => window.dispatchEvent(new Event('blur')))],
    [
      'the system takes the pointer away',
      () =>
        page
          .locator('.joystick')
          .evaluate((pad) => pad.dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1, bubbles: true }))),
    ],
    [
      'the page is hidden',
      () =>
        page.evaluate(() => {
          Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
          document.dispatchEvent(new Event('visibilitychange'));
        }),
    ],
    ['another view is opened', () => page.evaluate(() => document.getElementById('tab-plot')?.click())],
    [
      'the stop button is pressed',
      () =>
        page.evaluate(() =>
          document.querySelector('.stop')?.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true })),
        ),
    ],
    ['Escape is pressed', () => page.keyboard.press('Escape')],
  ])('stops when %s', async (_what, happens) => {
    // Turning on the spot goes on until somebody stops it; driving ahead ends at the furniture.
    await holdJoystick(-0.45, 0);
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(true);
    await happens();
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(false);
    await page.mouse.up();
  });

  it('lets go when somebody else stops the robot, although the hand goes on', async () => {
    await holdJoystick(0, 0.6);
    await expect.poll(isMoving).toBe(true);
    await (await observer.service('ALMotion')).stopMove();
    await page.locator('.toast', { hasText: 'stopped the robot' }).waitFor();
    const box = await page.locator('.joystick').boundingBox();
    if (box === null) throw new Error('the joystick is not to be seen');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 4, { steps: 20 });
    await page.locator('.steering-words', { hasText: 'let go' }).waitFor();
    expect(await isMoving()).toBe(false);
    await page.mouse.up();
    await holdJoystick(0, 0.6);
    await expect.poll(isMoving).toBe(true);
    await page.mouse.up();
    await expect.poll(isMoving).toBe(false);
  });

  it('stops a robot that somebody else drives', async () => {
    await (await observer.service('ALMotion')).moveToward(0, 0, 0.5);
    await page.locator('.stop').focus();
    await page.keyboard.press('Enter');
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(false);
  });
});

describe('the picture', () => {
  it('changes when the robot turns', async () => {
    await page.locator('.picture-rate').waitFor();
    const before = await pictureText();
    await (await observer.service('SimulatedRoom')).placeRobot(0, 0, 1.5);
    await expect.poll(pictureText, { timeout: 10_000 }).not.toBe(before);
  });

  it('has the size that was chosen', async () => {
    await page.locator('#resolution').selectOption('2');
    await page.locator('.picture-rate', { hasText: '640 × 480' }).waitFor();
  });
});

describe('speech', () => {
  it('shows the words as the robot says them', async () => {
    await page.locator('#say').fill('the kettle boils');
    await page.keyboard.press('Enter');
    await page.locator('[data-figure="spoken"]', { hasText: 'the kettle boils' }).waitFor();
    expect(shown.errors).toEqual([]);
  });

  it('has a volume, which another program sees', async () => {
    const slider = page.locator('#volume');
    await slider.fill('35');
    const speech = await observer.service('ALTextToSpeech');
    await expect.poll(() => speech.getVolume(), { timeout: 10_000 }).toBeCloseTo(0.35);
    await page.locator('.slider output', { hasText: '35 %' }).waitFor();
  });
});

describe('the body', () => {
  it('goes to a posture', async () => {
    const crouch = page.getByRole('button', { name: 'Crouch', exact: true });
    await crouch.click();
    await expect.poll(() => crouch.getAttribute('aria-current'), { timeout: 20_000 }).toBe('true');
    expect(await (await observer.service('ALRobotPosture')).getPosture()).toBe('Crouch');
    await page.getByRole('button', { name: 'Stand', exact: true }).click();
    await expect
      .poll(() => page.getByRole('button', { name: 'Stand', exact: true }).getAttribute('aria-current'), {
        timeout: 20_000,
      })
      .toBe('true');
  });
});

describe('a service hosted by the page', () => {
  it('is called by the robot process', async () => {
    const echo = await observer.service('QiwayEcho');
    await expect.poll(async () => (await observer.services()).map(({ name }) => name)).toContain('ConsoleDisplay');
    await echo.callService('ConsoleDisplay', 'show', ['Please step aside']);
    await page.locator('.toast.from-robot', { hasText: 'Please step aside' }).waitFor();
  });

  it('is gone when the page is', async () => {
    await expect.poll(async () => (await observer.services()).map(({ name }) => name)).toContain('ConsoleDisplay');
    await shown.close();
    await expect
      .poll(async () => (await observer.services()).map(({ name }) => name), { timeout: 10_000 })
      .not.toContain('ConsoleDisplay');
  });
});
