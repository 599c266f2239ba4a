// The console with a robot whose bus is its own: the agent joins it, and it may be away at any time.
import { connect } from '@qiway/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

interface Services {
  ALMotion: { moveIsActive(): boolean };
}

let site: ConsoleSite;
beforeAll(async () => {
  site = await openConsoleSite({ directory: 'robot' });
});
afterAll(async () => {
  await site?.close();
});

describe('a robot that has the bus itself, as NAOqi does', () => {
  it('is driven, told as away when it is killed, and comes back with the same session when it is started again', async () => {
    const { page, errors } = await site.open();
    const client = await connect<Services>(site.url);
    const drives = async (): Promise<void> => {
      await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
      const motion = await client.service('ALMotion');
      await page.keyboard.down('w');
      await expect.poll(() => motion.moveIsActive(), { timeout: 10_000 }).toBe(true);
      await page.keyboard.up('w');
      await expect.poll(() => motion.moveIsActive(), { timeout: 10_000 }).toBe(false);
    };
    await drives();
    await page.locator('.toast', { hasText: 'Hello' }).waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.locator('.toast').waitFor({ state: 'detached' });
    await site.robot.end('SIGKILL');
    await page.getByRole('heading', { name: 'The robot’s own bus does not answer' }).waitFor();
    await page.locator('.steering-words', { hasText: 'Not linked with the motors' }).waitFor();
    await site.startRobot();
    await page.getByRole('heading', { name: 'The robot’s own bus does not answer' }).waitFor({ state: 'hidden' });
    // The robot calls the service that the page hosts: it is on the new bus as well.
    await page.locator('.toast', { hasText: 'Hello' }).waitFor();
    await drives();
    expect(client.status.state).toBe('online');
    expect(errors).toEqual([]);
    await client.close();
  });
});
