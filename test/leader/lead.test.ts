// Who leads among the pages of an origin: by locks as browsers have them, and by the owner where there are none.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Leadership, type LeadOptions, lead } from '../../sdk/leader/lead.ts';
import { type TabTurns, TurnQueue } from '../../sdk/leader/turn-queue.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { FakeLocks } from './fake-locks.ts';

const NAME = 'tab:webrtc robot';
const LOCK = `qiway leader ${NAME}`;

let clock: VirtualClock;
let locks: FakeLocks;
let queue: TurnQueue;
/** What pages were told, in order. */
let told: string[];

interface Page {
  readonly name: string;
  readonly window: EventTarget;
  readonly document: EventTarget;
  readonly turns: TabTurns;
  readonly leadership: Leadership;
}

function open(name: string, by: 'locks' | 'owner', changes: Partial<LeadOptions> = {}): Page {
  const [window, document, turns] = [new EventTarget(), new EventTarget(), queue.tab()];
  const leadership = lead({
    name: NAME,
    ...(by === 'locks' ? { locks: locks.of(name) } : { owner: turns }),
    page: { window, document },
    clock,
    onLead: () => told.push(`${name} leads`),
    onStop: (reason) => told.push(`${name} stops: ${reason}`),
    ...changes,
  });
  return { name, window, document, turns, leadership };
}

beforeEach(() => {
  clock = virtualClock();
  locks = new FakeLocks();
  queue = new TurnQueue();
  told = [];
});

describe.each(['locks', 'owner'] as const)('an election by %s', (by) => {
  const crash = (page: Page): void => {
    if (by === 'locks') locks.crash(page.name);
    else page.turns.leave();
  };

  it('has one leader; when that one crashes the next in line leads, and nobody else is told', async () => {
    const [a, b, c] = [open('a', by), open('b', by), open('c', by)];
    await settled();
    expect(told).toEqual(['a leads']);
    expect([a, b, c].map(({ leadership }) => leadership.isLeading)).toEqual([true, false, false]);
    crash(a);
    await settled();
    expect(told).toEqual(['a leads', 'b leads']);
    crash(b);
    await settled();
    expect(told).toEqual(['a leads', 'b leads', 'c leads']);
  });

  it('goes past pages that crashed while they waited', async () => {
    const [a, b] = [open('a', by), open('b', by)];
    open('c', by);
    await settled();
    crash(b);
    crash(a);
    await settled();
    expect(told).toEqual(['a leads', 'c leads']);
  });

  it('ends what was led before the turn is free', async () => {
    const a = open('a', by);
    open('b', by);
    await settled();
    a.leadership.stop();
    expect(told).toEqual(['a leads', 'a stops: it was told to stop']);
    expect(a.leadership.isLeading).toBe(false);
    await settled();
    expect(told.slice(2)).toEqual(['b leads']);
  });

  it.each([
    ['window', 'pagehide', 'pageshow'],
    ['document', 'freeze', 'resume'],
  ] as const)(
    'a leader whose %s tells %s gives the turn up at once, and stands in line again after %s',
    async (target, going, coming) => {
      const a = open('a', by);
      const b = open('b', by);
      await settled();
      a[target].dispatchEvent(new Event(going));
      expect(told).toEqual(['a leads', 'a stops: its page was left or put away']);
      await settled();
      expect(told.slice(2)).toEqual(['b leads']);
      a[target].dispatchEvent(new Event(coming));
      a[target].dispatchEvent(new Event(coming));
      await settled();
      expect(a.leadership.isLeading).toBe(false);
      b.leadership.stop();
      await settled();
      expect(told.slice(3)).toEqual(['b stops: it was told to stop', 'a leads']);
      expect(a.leadership.isLeading).toBe(true);
    },
  );

  it('a page that was put away while it waited does not get the turn', async () => {
    const a = open('a', by);
    const b = open('b', by);
    await settled();
    b.window.dispatchEvent(new Event('pagehide'));
    a.leadership.stop();
    await settled();
    expect(told).toEqual(['a leads', 'a stops: it was told to stop']);
    open('c', by);
    await settled();
    expect(told.slice(2)).toEqual(['c leads']);
  });

  it('a page that is put away in the turn in which it is called passes the turn on', async () => {
    const a = open('a', by);
    const b = open('b', by);
    const c = open('c', by);
    await settled();
    a.leadership.stop();
    await Promise.resolve();
    b.window.dispatchEvent(new Event('pagehide'));
    await settled();
    expect([b.leadership.isLeading, c.leadership.isLeading]).toEqual([false, true]);
  });

  it('a page that is shown while it leads or waits does not ask again', async () => {
    const a = open('a', by);
    const b = open('b', by);
    await settled();
    for (const { window, document } of [a, b]) {
      window.dispatchEvent(new Event('pageshow'));
      document.dispatchEvent(new Event('resume'));
    }
    await settled();
    a.leadership.stop();
    await settled();
    b.leadership.stop();
    await settled();
    expect(told).toEqual(['a leads', 'a stops: it was told to stop', 'b leads', 'b stops: it was told to stop']);
    expect(locks.line(LOCK)).toEqual([]);
  });

  it('who stopped listens to its page no more', () => {
    let listeners = 0;
    const target = {
      addEventListener: () => {
        listeners += 1;
      },
      removeEventListener: () => {
        listeners -= 1;
      },
    };
    const a = open('a', by, { page: { window: target, document: target } });
    expect(listeners).toBe(4);
    a.leadership.stop();
    expect(listeners).toBe(0);
  });

  it('who stopped hears of nothing any more', async () => {
    const a = open('a', by);
    await settled();
    a.leadership.stop();
    a.leadership.stop();
    a.window.dispatchEvent(new Event('pagehide'));
    a.window.dispatchEvent(new Event('pageshow'));
    a.leadership.ownerReplaced();
    await clock.advance(10_000);
    expect(told).toEqual(['a leads', 'a stops: it was told to stop']);
  });
});

describe('by locks', () => {
  it('a leader whose lock is stolen stops, and asks again a second later', async () => {
    const a = open('a', 'locks');
    await settled();
    locks.steal(LOCK);
    await settled();
    expect(told).toEqual(['a leads', 'a stops: the turn was taken away']);
    await clock.advance(999);
    expect(locks.line(LOCK)).toEqual([]);
    await clock.advance(1);
    expect(told.slice(2)).toEqual(['a leads']);
    expect(a.leadership.isLeading).toBe(true);
  });

  it('who cannot ask asks again each second, until it can', async () => {
    locks.isBroken = true;
    const a = open('a', 'locks');
    await clock.advance(3500);
    expect(told).toEqual([]);
    locks.isBroken = false;
    await clock.advance(500);
    expect(told).toEqual(['a leads']);
    a.leadership.stop();
  });

  it('who waits leaves the line as soon as its page is put away: there it may run no code', async () => {
    open('a', 'locks');
    const b = open('b', 'locks');
    await settled();
    expect(locks.line(LOCK)).toEqual(['a', 'b']);
    b.window.dispatchEvent(new Event('pagehide'));
    expect(locks.line(LOCK)).toEqual(['a']);
  });

  it('who could not ask, was put away and came back stands in line once', async () => {
    locks.isBroken = true;
    const a = open('a', 'locks');
    await settled();
    a.window.dispatchEvent(new Event('pagehide'));
    locks.isBroken = false;
    a.window.dispatchEvent(new Event('pageshow'));
    await clock.advance(2000);
    expect([told, locks.line(LOCK)]).toEqual([['a leads'], ['a']]);
  });

  it('goes on when the owner is another', async () => {
    const a = open('a', 'locks');
    await settled();
    a.leadership.ownerReplaced();
    await settled();
    expect(told).toEqual(['a leads']);
  });
});

describe('by the owner', () => {
  it('a turn of an owner that is gone is none: the new one is asked', async () => {
    let owner = queue.tab();
    const facade = {
      takeTurn: (name: string, ticket: string) => owner.takeTurn(name, ticket),
      dropTurn: (ticket: string) => owner.dropTurn(ticket),
    };
    const a = open('a', 'owner', { owner: facade });
    await settled();
    const next = new TurnQueue();
    const other = next.tab();
    await other.takeTurn(NAME, 'of another page');
    owner = next.tab();
    a.leadership.ownerReplaced();
    await settled();
    expect(told).toEqual(['a leads', 'a stops: who gave the turn is gone']);
    other.leave();
    await settled();
    expect(told.slice(2)).toEqual(['a leads']);
  });

  it('a page that is put away does not ask the new owner before it is back', async () => {
    const a = open('a', 'owner');
    await settled();
    a.window.dispatchEvent(new Event('pagehide'));
    a.leadership.ownerReplaced();
    await clock.advance(5000);
    expect([told.length, a.leadership.isLeading]).toEqual([2, false]);
    a.window.dispatchEvent(new Event('pageshow'));
    await settled();
    expect(told.slice(2)).toEqual(['a leads']);
  });

  it('who waits gives its place back as soon as its page is put away', async () => {
    const dropped: string[] = [];
    const a = open('a', 'owner', {
      owner: {
        takeTurn: () => new Promise(() => {}),
        dropTurn: (ticket) => {
          dropped.push(ticket);
        },
      },
    });
    a.document.dispatchEvent(new Event('freeze'));
    expect(dropped.length).toBe(1);
  });

  it('an owner that fails is asked again each second', async () => {
    let isThere = false;
    const turns = queue.tab();
    open('a', 'owner', {
      owner: {
        takeTurn: (name, ticket) => (isThere ? turns.takeTurn(name, ticket) : Promise.reject(new Error('not yet'))),
        dropTurn: (ticket) => turns.dropTurn(ticket),
      },
    });
    await clock.advance(2500);
    isThere = true;
    await clock.advance(500);
    expect(told).toEqual(['a leads']);
  });

  it('without owner and locks the page leads at once', async () => {
    const a = lead({ name: NAME, clock, onLead: () => told.push('leads'), onStop: (reason) => told.push(reason) });
    await settled();
    a.stop();
    expect(told).toEqual(['leads', 'it was told to stop']);
  });

  it('names have lines of their own, and a tab may ask for 64 turns at once', async () => {
    const tab = queue.tab();
    await Promise.all(Array.from({ length: 64 }, (_, index) => tab.takeTurn(`name ${index}`, `${index}`)));
    await expect(tab.takeTurn('one more', '64')).rejects.toMatchObject({ code: 'limit-exceeded' });
    await expect(queue.tab().takeTurn('one more', '64')).resolves.toBeUndefined();
    tab.dropTurn('0');
    await expect(tab.takeTurn('name 1', '1')).rejects.toMatchObject({ code: 'internal' });
    const waiting = queue.tab().takeTurn('name 1', 'x');
    tab.leave();
    await waiting;
  });

  it('who gives back a place in the line is told that the turn will not come', async () => {
    const [a, b] = [queue.tab(), queue.tab()];
    await a.takeTurn(NAME, '1');
    const waiting = b.takeTurn(NAME, '1');
    b.dropTurn('1');
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    b.dropTurn('1');
    a.dropTurn('1');
    await b.takeTurn(NAME, '2');
  });
});
