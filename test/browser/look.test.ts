// How the console looks and is used: on a phone, a tablet and a desktop, light and dark, with the keyboard alone.
// With UPDATE_SCREENSHOTS=1 it takes the pictures of docs/screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@qiway/sdk';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';
import { type ConsolePage, type ConsoleSite, type OpenOptions, openConsoleSite } from '../support/console-site.ts';

interface Services {
  ALMotion: { stopMove(): void };
  SimulatedRoom: { placeRobot(x: number, y: number, theta: number): void };
}

const SCREENS = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  tablet: { viewport: { width: 1024, height: 768 }, hasTouch: true },
  desktop: { viewport: { width: 1366, height: 820 } },
} as const;
type Screen = keyof typeof SCREENS;
const VIEWS = ['drive', 'explore', 'plot'] as const;

let site: ConsoleSite;
beforeAll(async () => {
  site = await openConsoleSite();
});
afterAll(async () => {
  await site?.close();
});

async function openView(screen: Screen, view: string, options: OpenOptions = {}): Promise<ConsolePage> {
  const shown = await site.open({
    ...SCREENS[screen],
    ...options,
    fragment: `${new URL(site.url).hash.slice(1)}&view=${view}`,
  });
  const ready =
    { drive: '.picture-rate', explore: '.services li', plot: '.plot-value' }[view.split('&')[0] ?? ''] ?? 'h1';
  await shown.page.locator(ready).first().waitFor();
  return shown;
}

/** Takes a picture for the documentation, when asked to. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env['UPDATE_SCREENSHOTS'] !== '1') return;
  for (const toast of await page.getByRole('button', { name: 'Dismiss' }).all()) await toast.click();
  const folder = join(checkout, 'docs/screenshots');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

async function driveARound(page: Page): Promise<void> {
  const robot = await connect<Services>(site.url);
  await (await robot.service('SimulatedRoom')).placeRobot(-1.6, 0.6, -0.35);
  await robot.close();
  await page.reload();
  await page.locator('.picture-rate').waitFor();
  await page.keyboard.down('w');
  await page.waitForFunction(
    () => Number.parseFloat(document.querySelector('[data-figure="x"]')?.textContent ?? '') > -0.6,
  );
  await page.keyboard.down('a');
  await page.waitForFunction(
    () => Number.parseFloat(document.querySelector('[data-figure="heading"]')?.textContent ?? '') > 8,
  );
  await page.locator('#say').evaluate((field) => {
    const input = field as HTMLInputElement;
    input.value = 'Good morning, I am on my way to the window';
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.form?.requestSubmit();
  });
  await page.locator('[data-figure="spoken"]', { hasText: 'morning' }).waitFor();
}

describe.each(Object.keys(SCREENS) as Screen[])('on a %s', (screen) => {
  it.each(VIEWS)('the view "%s" fits in width, and its targets are large enough for a finger', async (view) => {
    const shown = await openView(screen, view);
    const { page } = shown;
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, input:not([type=checkbox]), select, textarea, summary, [role=tab]')]
        .map((element) => ({
          name: element.getAttribute('aria-label') ?? element.textContent ?? element.id,
          box: element.getBoundingClientRect(),
        }))
        .filter(({ box }) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
        .map(({ name, box }) => `${name}: ${box.width} × ${box.height}`),
    );
    expect(small).toEqual([]);
    expect(shown.errors).toEqual([]);
    await shown.close();
  });

  it('the stop button is in sight, at the top and at the bottom of the page', async () => {
    const shown = await openView(screen, 'drive');
    const { page } = shown;
    for (const top of [0, 100_000]) {
      await page.evaluate((y) => window.scrollTo(0, y), top);
      const isHit = await page.locator('.stop').evaluate((button) => {
        const box = button.getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === button;
      });
      expect(isHit).toBe(true);
    }
    await shown.close();
  });
});

describe('on a phone that is turned on its side', () => {
  it('picture, joystick and stop button are in sight, and no message lies over the joystick', async () => {
    const shown = await openView('phone', 'drive');
    const { page } = shown;
    await page.setViewportSize({ width: 844, height: 390 });
    // The longest message of all: somebody else's stop under a held joystick.
    await page.keyboard.down('d');
    await page.locator('.steering-words', { hasText: 'Turning right' }).waitFor();
    const robot = await connect<Services>(site.url);
    await (await robot.service('ALMotion')).stopMove();
    await page.locator('.toast', { hasText: 'Let go of the joystick' }).waitFor();
    await page.keyboard.up('d');
    await robot.close();
    for (const place of ['.joystick', '.picture-frame', '.stop']) {
      const box = await page.locator(place).boundingBox();
      expect(box?.y, place).toBeGreaterThanOrEqual(0);
      expect((box?.y ?? 0) + (box?.height ?? 1000), place).toBeLessThanOrEqual(390);
    }
    const joystick = await page.locator('.joystick').boundingBox();
    const toasts = await page.locator('.toasts').boundingBox();
    expect((toasts?.x ?? 0) + (toasts?.width ?? 0)).toBeLessThanOrEqual(joystick?.x ?? 0);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await shown.close();
  });
});

describe('colours', () => {
  const groundOf = (page: Page): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  it('follow the system, and the button changes them for good', async () => {
    const shown = await openView('desktop', 'drive', { colorScheme: 'dark' });
    const { page } = shown;
    const dark = await groundOf(page);
    await page.getByRole('button', { name: 'Light colours' }).click();
    const light = await groundOf(page);
    expect(light).not.toBe(dark);
    await page.reload();
    await page.getByRole('button', { name: 'Dark colours' }).waitFor();
    expect(await groundOf(page)).toBe(light);
    await shown.close();
  });

  it.each(['light', 'dark'] as const)('have enough contrast for text: %s', async (colorScheme) => {
    const shown = await openView('desktop', 'drive', { colorScheme });
    const ratios = await shown.page.evaluate(() => {
      const canvas = document.createElement('canvas');
      const brush = canvas.getContext('2d', { willReadFrequently: true });
      const luminance = (name: string): number => {
        if (brush === null) return 0;
        const probe = document.createElement('i');
        probe.style.color = `var(${name})`;
        document.body.append(probe);
        brush.fillStyle = getComputedStyle(probe).color;
        probe.remove();
        brush.fillRect(0, 0, 1, 1);
        const [red = 0, green = 0, blue = 0] = [...brush.getImageData(0, 0, 1, 1).data].map((part) => {
          const share = part / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const contrast = (one: string, other: string): number => {
        const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      };
      const pairs = [
        ['--ink', '--shell'],
        ['--ink', '--well'],
        ['--ink', '--ground'],
        ['--ink-soft', '--shell'],
        ['--ink-soft', '--well'],
        ['--ink-soft', '--ground'],
        ['--ink-soft', '--led-off'],
        ['--led-ink', '--led'],
        ['--ink', '--led-wash'],
      ] as const;
      return pairs.map(([one, other]) => ({ pair: `${one} on ${other}`, ratio: contrast(one, other) }));
    });
    expect(ratios.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    await shown.close();
  });
});

describe('the keyboard alone', () => {
  it('reaches everything, and always shows where it is', async () => {
    const shown = await openView('desktop', 'drive');
    const { page } = shown;
    const reached = new Set<string>();
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press('Tab');
      const place = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return undefined;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return {
          name: element.getAttribute('aria-label') ?? element.textContent ?? element.id,
          id: element.id,
          outline: `${outlineStyle} ${outlineWidth}`,
        };
      });
      if (place === undefined) break;
      expect(place.outline, place.name).toBe('solid 3px');
      reached.add(place.id === '' ? place.name : `#${place.id}`);
    }
    expect([...reached]).toEqual(
      expect.arrayContaining(['#tab-drive', 'Stop the robot', '#resolution', '#say', '#volume', 'Crouch', 'Sky']),
    );
    expect([...reached].some((name) => name.startsWith('Joystick'))).toBe(true);
    await shown.close();
  });

  it('changes views with the arrow keys', async () => {
    const shown = await openView('desktop', 'drive');
    await shown.page.locator('#tab-drive').focus();
    await shown.page.keyboard.press('ArrowRight');
    await shown.page.locator('.services li').first().waitFor();
    expect(await shown.page.locator('#tab-explore').getAttribute('aria-selected')).toBe('true');
    await shown.close();
  });
});

describe('the page', () => {
  it('does not jump while it fills, nor when the link is lost and back', async () => {
    const shown = await site.open(SCREENS.desktop);
    const { page } = shown;
    await page.locator('.picture-rate').waitFor();
    await page.evaluate(() => {
      const shifts: number[] = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
      }).observe({ type: 'layout-shift', buffered: true });
      Object.assign(window, { shifts });
    });
    await site.agent.end('SIGKILL');
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    await site.startAgent();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    const total = await page.evaluate(() =>
      (window as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
    );
    // The web's own bound for "good" is 0.1.
    expect(total).toBeLessThan(0.1);
    await shown.close();
  });

  it('looks as in the documentation', async () => {
    const light = await openView('desktop', 'drive', { colorScheme: 'light' });
    await driveARound(light.page);
    await picture(light.page, 'console-desktop-light');
    expect(light.errors).toEqual([]);
    await light.close();
    const dark = await openView('desktop', 'drive', { colorScheme: 'dark' });
    await driveARound(dark.page);
    await picture(dark.page, 'console-desktop-dark');
    await dark.close();
    const phone = await openView('phone', 'drive', { deviceScaleFactor: 2 });
    await picture(phone.page, 'console-phone');
    await phone.close();
    const explorer = await openView('desktop', 'explore&service=ALTextToSpeech');
    const { page } = explorer;
    await page.locator('[data-member="volume"] summary').click();
    await page.locator('[data-member="volume"] form').waitFor();
    await page.locator('[data-member="wordSaid"] summary').click();
    await page.getByRole('button', { name: 'Watch' }).click();
    await page.getByRole('button', { name: 'Stop watching' }).waitFor();
    await page.locator('[data-member="say"] summary').first().click();
    await page.locator('[data-member="say"] input').first().fill('the explorer speaks');
    await page.locator('[data-member="say"]').first().getByRole('button', { name: 'Call' }).click();
    await page.getByText('3 received').waitFor();
    await page.evaluate(() => window.scrollTo(0, 0));
    await picture(page, 'explorer');
    expect(explorer.errors).toEqual([]);
    await explorer.close();
  });
});
