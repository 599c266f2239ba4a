// What the console says when there is no token, a wrong one, nobody there, or the link breaks.
import { once } from 'node:events';
import { type AddressInfo, connect as connectTo, createServer } from 'node:net';
import { connect } from '@qiway/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tokenOf } from '../support/agent-config.ts';
import { type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

interface Services {
  ALMotion: { moveIsActive(): boolean };
}

let site: ConsoleSite;

beforeEach(async () => {
  site = await openConsoleSite();
});
afterEach(async () => {
  await site.close();
});

describe('a page without a way in', () => {
  it('asks for the URL when the token is missing, takes it, and keeps it in the fragment', async () => {
    const { page, errors } = await site.open({ fragment: '' });
    await page.getByRole('heading', { name: 'Which robot?' }).waitFor();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText('Paste the URL that the robot agent printed').waitFor();
    await page.getByLabel('URL of the robot').fill(site.url);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Joystick' }).waitFor();
    expect(page.url()).toBe(site.url);
    await page.reload();
    await page.getByRole('heading', { name: 'Joystick' }).waitFor();
    expect(errors).toEqual([]);
  });

  it('says that a token is wrong and what to do, then takes the right one', async () => {
    const { page, errors } = await site.open({ fragment: 'token=wrong-token' });
    await page.getByRole('heading', { name: 'The robot refused this token' }).waitFor();
    await page.getByLabel('URL of the robot').fill(tokenOf(site.url));
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('heading', { name: 'Joystick' }).waitFor();
    expect(errors).toEqual([]);
  });

  it('never sends the token in the address of a request', async () => {
    // Of pages and workers alike: between them and the agent.
    const heads: string[] = [];
    const { port } = new URL(site.origin);
    const relay = createServer((client) => {
      const agent = connectTo(Number(port), '127.0.0.1');
      client.on('data', (bytes) => heads.push(...bytes.toString('latin1').split('\r\n')));
      client.on('error', () => agent.destroy()).on('close', () => agent.destroy());
      agent.on('error', () => client.destroy());
      client.pipe(agent).pipe(client);
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { page, close } = await site.open();
    const { hash } = new URL(site.url);
    await page.goto(`http://127.0.0.1:${(relay.address() as AddressInfo).port}/${hash}`);
    await page.getByRole('heading', { name: 'Joystick' }).waitFor();
    await page.locator('.picture-rate').waitFor();
    await close();
    relay.close();
    const asked = heads.filter((line) => /^[A-Z]+ \S+ HTTP/.test(line));
    expect(asked.some((line) => line.includes('/robot/link'))).toBe(true);
    expect(asked.filter((line) => line.includes(tokenOf(site.url)))).toEqual([]);
  });
});

describe('a link that breaks', () => {
  it('is told, with the joystick let go and off, while the console keeps trying', async () => {
    const { page } = await site.open();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    await page.keyboard.down('w');
    await page.locator('.steering-words', { hasText: 'Ahead' }).waitFor();
    await site.agent.end('SIGKILL');
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    await page.locator('.steering-words', { hasText: 'Not linked with the motors' }).waitFor();
    expect(await page.locator('.joystick').getAttribute('aria-disabled')).toBe('true');
    expect(await page.locator('.joystick').getAttribute('data-held')).toBe('false');
    await page.locator('.stop').click();
    await page.locator('.toast', { hasText: 'Not sent' }).waitFor();
    await page.keyboard.up('w');
  });

  it('comes back by itself, and stops the robot that the page was driving', async () => {
    const { page } = await site.open();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    await page.keyboard.down('a');
    await page.locator('.steering-words', { hasText: 'Turning left' }).waitFor();
    await site.agent.end('SIGKILL');
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    await page.keyboard.up('a');
    await site.startAgent();
    await page.locator('.steering-words', { hasText: /Standing still|Blocked/ }).waitFor();
    const robot = await connect<Services>(site.url);
    // The robot registers again after the agent is back.
    const names = async (): Promise<string[]> => (await robot.services()).map(({ name }) => name);
    await expect.poll(names, { timeout: 10_000 }).toContain('ALMotion');
    const motion = await robot.service('ALMotion');
    await expect.poll(() => motion.moveIsActive(), { timeout: 10_000 }).toBe(false);
    await robot.close();
  });

  it('says that only the robot is away, and shows it again when it returns', async () => {
    const { page, errors } = await site.open();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    await page.keyboard.down('w');
    await page.locator('.steering-words', { hasText: 'Ahead' }).waitFor();
    await site.robot.end('SIGKILL');
    await page.getByRole('heading', { name: 'No robot is on the bus' }).waitFor();
    await page.locator('.steering-words', { hasText: 'Not linked with the motors' }).waitFor();
    await page.getByText('Waiting for the robot', { exact: true }).waitFor();
    expect(await page.locator('.joystick').getAttribute('data-held')).toBe('false');
    await page.keyboard.up('w');
    await site.startRobot();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    await page.getByRole('heading', { name: 'No robot is on the bus' }).waitFor({ state: 'hidden' });
    await page.getByText('Waiting for the robot', { exact: true }).waitFor({ state: 'hidden' });
    expect(errors).toEqual([]);
  });

  it('is found out when the agent falls silent, and comes back when it speaks again', async () => {
    const { page, errors } = await site.open();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    process.kill(site.agent.pid, 'SIGSTOP');
    try {
      await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    } finally {
      process.kill(site.agent.pid, 'SIGCONT');
    }
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    await page.locator('.picture-rate', { hasText: 'per second' }).waitFor();
    expect(errors).toEqual([]);
  });
});
