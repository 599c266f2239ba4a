// The console on a phone where another robot answers than the URL means: it fits, and says who answers once.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

let site: ConsoleSite;
beforeAll(async () => {
  site = await openConsoleSite();
});
afterAll(async () => {
  await site?.close();
});

it.each(['light', 'dark'] as const)(
  'another robot, %s: nothing is cut off, and each id is there once',
  async (colorScheme) => {
    const { hash } = new URL(site.url);
    const found = /robot=([a-z2-7]{52})/.exec(hash)?.[1] ?? '';
    const meant = `${found.startsWith('a') ? 'b' : 'a'}${found.slice(1)}`;
    const { page, close } = await site.open({
      viewport: { width: 390, height: 844 },
      isMobile: true,
      colorScheme,
      fragment: hash.slice(1).replace(found, meant),
    });
    await page.getByRole('heading', { name: 'Another robot answers at this address' }).waitFor();
    await page.getByRole('button', { name: 'Check again' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    const text = (await page.locator('.doorway').textContent()) ?? '';
    for (const id of [found, meant]) {
      expect(text).not.toContain(id);
      expect(text.split(`${id.slice(0, 4)} ${id.slice(4, 8)} … ${id.slice(-4)}`)).toHaveLength(2);
    }
    await close();
  },
);
