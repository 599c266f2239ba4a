// A session that goes over transports of the leader tab: pages lead in turn, crash, are put away, come back; nothing is lost and
// nothing runs twice.
import { describe, expect, it } from 'vitest';
import { callMethod } from '../contract/calls.ts';
import { Chance } from '../simulation/chance.ts';
import { type LabPage, LeaderLab, listenTo } from './leader-lab.ts';

const ways = [
  { by: 'locks', tellsClose: true },
  { by: 'locks', tellsClose: false },
  { by: 'owner', tellsClose: true },
  { by: 'owner', tellsClose: false },
] as const;

describe.each(ways)('turns by $by, ports that tell of an end: $tellsClose', (options) => {
  async function start() {
    const lab = new LeaderLab(options);
    const pages = ['a', 'b', 'c'].map((name) => lab.page(name));
    const session = await lab.open();
    const service = await lab.until(session.service('Counter'));
    return { lab, pages: pages as [LabPage, LabPage, LabPage], session, service };
  }

  it('the session goes over the page that leads, and is told so', async () => {
    const { lab, pages, session, service } = await start();
    expect(await lab.until(callMethod(service, 'add', 1))).toBe(1);
    expect(pages.map(({ opened }) => opened.length)).toEqual([1, 0, 0]);
    expect([session.link?.transport.route, session.link?.address]).toEqual(['webrtc', 'tab:stand-in']);
  });

  it('the leader crashes while calls are under way: they are answered over the next, each ran once', async () => {
    const { lab, pages, session, service } = await start();
    const before = callMethod(service, 'add', 1);
    lab.crash(pages[0]);
    const after = callMethod(service, 'add', 1).catch((error: { code: string }) => error.code);
    expect(await lab.until(before)).toBe(1);
    // With ports that tell, the session knew of the end.
    expect(await lab.until(after)).toBe(2);
    expect(lab.count).toBe(2);
    expect([session.hasResumed, lab.door.serverSessions.length]).toEqual([true, 1]);
    expect(pages.map(({ opened }) => opened.length)).toEqual([1, 1, 0]);
  });

  it('a leader that is put away hands over at once, and lends again when the others are gone', async () => {
    const { lab, pages, session, service } = await start();
    const [a, b, c] = pages;
    a.window.dispatchEvent(new Event('pagehide'));
    await lab.door.clock.advance(0);
    expect(session.sessionState).not.toBe('closed');
    expect(await lab.until(callMethod(service, 'add', 1).catch(() => 'not sent'))).toBeDefined();
    a.window.dispatchEvent(new Event('pageshow'));
    lab.crash(b);
    lab.crash(c);
    await lab.door.clock.advance(5000);
    expect(await lab.until(callMethod(service, 'add', 1))).toBe(lab.count);
    expect(a.opened.length).toBe(2);
    expect(session.hasResumed).toBe(true);
  });

  it('with nobody to lead the session is offline, and goes on when a page comes', async () => {
    const { lab, pages, session, service } = await start();
    for (const page of pages) lab.crash(page);
    await lab.door.clock.advance(5000);
    expect(session.sessionState).toBe('offline');
    const stop = lab.lending.ways.listen(() => session.probe());
    lab.page('d');
    await lab.door.clock.advance(50);
    expect(session.sessionState).toBe('online');
    stop();
    expect(await lab.until(callMethod(service, 'add', 1))).toBe(1);
  });

  it('pages come and go in thirty ways: each event is heard once and in order, each call runs once', async () => {
    for (let seed = 1; seed <= 30; seed += 1) await comeAndGo(seed);
  });

  async function comeAndGo(seed: number): Promise<void> {
    const told = `seed ${seed}`;
    const chance = new Chance(seed);
    const lab = new LeaderLab(options);
    const pages: LabPage[] = [lab.page('0')];
    const session = await lab.open();
    const service = await lab.until(session.service('Counter'));
    const heard = await listenTo(session, lab);
    const calls: Promise<unknown>[] = [];
    let emitted = 0;
    let names = 0;
    let handovers = 0;
    for (let step = 0; step < 150; step += 1) {
      const [page] = pages;
      if (chance.happens(0.4)) lab.object.emit('counted', emitted++);
      if (chance.happens(0.4)) calls.push(callMethod(service, 'add', 1).catch((error: { code: string }) => error.code));
      if (chance.happens(0.15)) pages.push(lab.page(`${++names}`));
      if (chance.happens(0.1) && page !== undefined) {
        handovers += 1;
        if (chance.happens(0.5)) lab.crash(page, chance.below(100));
        else {
          page.window.dispatchEvent(new Event('pagehide'));
          if (chance.happens(0.5)) {
            lab.door.clock.after(
              chance.below(300),
              () => page.isCrashed || page.window.dispatchEvent(new Event('pageshow')),
            );
            pages.push(page);
          }
        }
        pages.shift();
      }
      await lab.door.clock.advance(chance.below(60));
    }
    pages.push(lab.page('last'));
    await lab.door.clock.advance(20_000);
    const results = await lab.until(Promise.all(calls));
    const ran = results.filter((result) => typeof result === 'number');
    expect(handovers, told).toBeGreaterThan(3);
    // What was refused while there was no link did not run; nothing else is refused.
    expect(
      results.filter((result) => typeof result !== 'number' && result !== 'offline'),
      told,
    ).toEqual([]);
    expect(ran, told).toEqual(Array.from({ length: ran.length }, (_, index) => index + 1));
    expect(lab.count, told).toBe(ran.length);
    expect(heard, told).toEqual(Array.from({ length: emitted }, (_, index) => index));
    expect([session.sessionState, lab.door.serverSessions.length], told).toEqual(['online', 1]);
  }
});
