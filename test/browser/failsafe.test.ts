// A person drives, and the browser dies: the robot, whose body is watched here directly, stops by itself.
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { joinBus } from '@qiway/robot-agent/qi';
import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type SimulatedRobot, startSimulatedRobot } from '../../simulated-robot/simulated-robot.ts';
import { launchChromium } from '../support/chromium.ts';
import { type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

/** As the console asks for it. */
const FAILSAFE_MS = 500;
/** What the robot may take beyond. */
const SLACK_MS = 100;

/** A process that waits for a core longer than this, ms, cannot be in time; such rounds are made again. */
const MAX_STALL_MS = 15;
const MAX_ROUNDS = 6;

let site: ConsoleSite;
let robot: SimulatedRobot;
let browser: Browser;
let page: Page;
/** When the robot was told to stop. */
let stops: number[];

beforeAll(async () => {
  site = await openConsoleSite();
  // In this process, in place of the other: its body can be looked at without asking.
  await site.robot.end();
  robot = await new Promise<SimulatedRobot>((resolve, reject) => {
    joinBus(site.busUrl, { keepTrying: true }).then((bus) => {
      const started = startSimulatedRobot({
        bus,
        clock: systemClock,
        wallMs: Date.now,
        charge: 87,
        onRegistered: () => resolve(started),
        report: () => {},
      });
    }, reject);
  });
  const { base } = robot.robot;
  const stop = base.stop.bind(base);
  base.stop = () => {
    stops.push(performance.now());
    stop();
  };
});
afterAll(async () => {
  await robot?.close();
  await site?.close();
});
beforeEach(async () => {
  stops = [];
  robot.robot.base.place({ x: 0, y: 0, theta: 0 });
  browser = await launchChromium();
  page = await openPage('Standing still');
});
afterEach(async () => {
  await browser.close();
  await rest();
});

/** @param words under the joystick, once it is linked */
async function openPage(words: string): Promise<Page> {
  const opened = await (await browser.newContext({ viewport: { width: 1366, height: 820 } })).newPage();
  await opened.goto(site.url);
  await opened.locator('.steering-words', { hasText: words }).waitFor();
  return opened;
}

const speed = (): number => Math.hypot(robot.robot.base.velocity.x, robot.robot.base.velocity.y);

/** Resolves once the robot stands still with nothing more to do, with when that was. */
async function rest(): Promise<number> {
  await robot.robot.base.untilRested().done;
  return performance.now();
}

async function drive(): Promise<void> {
  // While a stop is owed it takes no hand.
  await page.locator('.joystick[aria-disabled="false"]').waitFor();
  const box = await page.locator('.joystick').boundingBox();
  if (box === null) throw new Error('the joystick is not to be seen');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.getByRole('button', { name: 'Slow' }).click();
  // Right after a failsafe nothing moves, and the hand has to let go: a person tries again.
  const press = async (): Promise<void> => {
    await page.mouse.up();
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y - box.height / 4, { steps: 4 });
    await expect.poll(speed, { timeout: 2_000 }).toBeGreaterThan(0.08);
  };
  await vi.waitFor(press, { timeout: 20_000 });
  await page.locator('[data-control="armed"]').waitFor();
}

/** The longest that this process had to wait for its turn, ms, as far as its timers tell. */
function watchStalls(): { end(): number } {
  const everyMs = 5;
  let longestMs = 0;
  let dueMs = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - dueMs);
    dueMs = now + everyMs;
  }, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      return longestMs;
    },
  };
}

/** Ids of the processes of the browser: those of its tabs, or all. */
async function processes(which: 'tab' | 'browser'): Promise<number[]> {
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  return processInfo.filter(({ type }) => which === 'browser' || type === 'renderer').map(({ id }) => id);
}

/** Sessions that have ended, as the agent says. */
function ended(): number {
  return site.agent.output().split('session ended').length - 1;
}

/** The same, and sessions that have lost their link. */
function gone(): number {
  return ended() + site.agent.output().split('session lost its link').length - 1;
}

async function fired(): Promise<number> {
  const { origin, hash } = new URL(site.url);
  const token = new URLSearchParams(hash.slice(1)).get('token') ?? '';
  const metrics = await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return Number(/^qiway_failsafes_fired_total (\d+)$/m.exec(await metrics.text())?.[1]);
}

describe('while a person drives', () => {
  it.each(['tab', 'browser'] as const)(
    'the %s is killed: the robot stops in time',
    async (which) => {
      for (let round = 1; ; round += 1) {
        const before = await fired();
        await drive();
        const victims = await processes(which);
        expect(victims).not.toEqual([]);
        const cruiseSpeed = speed();
        stops = [];
        const stalls = watchStalls();
        const killedMs = performance.now();
        for (const pid of victims) process.kill(pid, 'SIGKILL');
        const restedMs = await rest();
        const stallMs = stalls.end();
        const toldMs = stops[0] ?? Number.NaN;
        expect(await fired()).toBe(before + 1);
        expect(site.agent.output()).toContain('failsafe fired');
        const isInTime = toldMs - killedMs <= FAILSAFE_MS + SLACK_MS;
        if (!isInTime && stallMs > MAX_STALL_MS && round < MAX_ROUNDS) {
          // The computer stood still meanwhile, the robot with it: that says nothing.
          await browser.close();
          browser = await launchChromium();
          page = await openPage('Standing still');
          continue;
        }
        expect(toldMs - killedMs).toBeLessThanOrEqual(FAILSAFE_MS + SLACK_MS);
        // It brakes at 1.6 m/s², in steps of 20 ms.
        expect(restedMs - toldMs).toBeLessThanOrEqual((cruiseSpeed / 1.6) * 1000 + SLACK_MS + stallMs);
        return;
      }
    },
    120_000,
  );

  it('the page is closed: it stops the robot itself, and no failsafe fires', async () => {
    for (let round = 1; ; round += 1) {
      const [before, endedBefore] = [await fired(), ended()];
      await drive();
      stops = [];
      await page.close({ runBeforeUnload: true });
      await rest();
      await expect.poll(gone, { timeout: 20_000 }).toBeGreaterThan(endedBefore);
      // A browser need not deliver what a page says while it goes: then the failsafe stops the robot once more.
      if (ended() === endedBefore && round < MAX_ROUNDS) {
        page = await openPage('Standing still');
        continue;
      }
      expect(ended()).toBeGreaterThan(endedBefore); // and with it every failsafe
      expect(stops).toHaveLength(1);
      expect(await fired()).toBe(before);
      return;
    }
  }, 120_000);

  it('the page hangs: the robot stops, and the page says so when it is back', async () => {
    await drive();
    stops = [];
    await page.evaluate((hangMs) => {
      const until = performance.now() + hangMs;
      while (performance.now() < until);
    }, 3 * FAILSAFE_MS);
    await page.locator('[data-control="fired"]').waitFor();
    expect(stops).toHaveLength(1);
    expect(speed()).toBe(0);
    // The hand is still on the joystick, and has to let go first.
    await page.locator('.steering-words', { hasText: 'Stopped: let go' }).waitFor();
    await page.mouse.up();
    await drive();
    await page.mouse.up();
  });

  it('others see who drives, and cannot', async () => {
    await drive();
    const other = await openPage('Somebody else drives');
    await other.locator('[data-control="other"]').waitFor();
    expect(await other.locator('.joystick').getAttribute('aria-disabled')).toBe('true');
    expect(await other.getByRole('button', { name: 'Take over' }).count()).toBe(0);
    await page.mouse.up();
    await rest();
    await other.locator('[data-control="free"]').waitFor({ timeout: 10_000 });
    expect(await other.locator('.joystick').getAttribute('aria-disabled')).toBe('false');
  });
});
