// The owner's register of what pages lend: whom it asks, for how long, and what becomes of what comes late.
import { beforeEach, describe, expect, it } from 'vitest';
import { QiwayError } from '../../protocol/errors.ts';
import type { Transport } from '../../protocol/session/transport.ts';
import { memoryTransports } from '../../protocol/transport/memory.ts';
import { type LeaderTab, leaderTab } from '../../sdk/leader/leader-tab.ts';
import { lendTransport } from '../../sdk/leader/lend-transport.ts';
import { Lending } from '../../sdk/leader/lending.ts';
import { LentWays, type OpenLent, type WayOffer } from '../../sdk/leader/lent-ways.ts';
import { movableOwner } from '../../sdk/leader/movable-owner.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { FakeChannels } from './fake-channel.ts';
import { FakeLocks } from './fake-locks.ts';

const WAY: WayOffer = { name: 'tab:stand-in', route: 'webrtc', rank: 10 };
const REQUEST = { robot: 'robot', timeoutMs: 1000 };

let clock: VirtualClock;
let ways: LentWays;
let channels: FakeChannels;

beforeEach(() => {
  clock = virtualClock();
  ways = new LentWays(clock);
  channels = new FakeChannels(false);
});

/** Closes of the network's end, as it is told of them. */
function lent(): { readonly port: MessagePort; readonly closes: string[] } {
  const [ours, theirs] = memoryTransports();
  const closes: string[] = [];
  theirs.listen({ message: () => {}, drain: () => {}, close: (reason) => closes.push(reason) });
  return { port: lendTransport(ours, { clock, newChannel: channels.open }).port, closes };
}

const open = (): Promise<Transport> => {
  const [way] = ways.now();
  if (way === undefined) throw new Error('there is no way');
  return way.open(REQUEST);
};

/** An offer whose page answers when the test says so. */
function asked() {
  const answer = Promise.withResolvers<MessagePort>();
  let requests = 0;
  const openLent: OpenLent = () => {
    requests += 1;
    return answer.promise;
  };
  return { open: openLent, answer, requests: () => requests };
}

describe('ways that pages lend', () => {
  it('are there while they are offered, each name once, with what they are', async () => {
    expect(ways.now()).toEqual([]);
    const takeBack = ways.offer(WAY, async () => lent().port);
    ways.offer({ ...WAY, name: 'tab:other', rank: -1 }, async () => lent().port);
    ways.offer(WAY, async () => lent().port);
    expect(ways.now().map(({ name, rank }) => [name, rank])).toEqual([
      ['tab:stand-in', 10],
      ['tab:other', -1],
    ]);
    takeBack('over');
    expect(ways.now().length).toBe(2);
    expect((await open()).route).toBe('webrtc');
  });

  it('the newest leader is asked first, and the one before it when that cannot', async () => {
    const [old, young] = [asked(), asked()];
    ways.offer(WAY, old.open);
    ways.offer(WAY, young.open);
    const opened = open();
    await settled();
    expect([old.requests(), young.requests()]).toEqual([0, 1]);
    young.answer.reject(new QiwayError('dial-failed', 'ICE failed'));
    await settled();
    expect(old.requests()).toBe(1);
    old.answer.resolve(lent().port);
    await expect(opened).resolves.toMatchObject({ route: 'webrtc' });
  });

  it('a leader that goes while it is asked is not waited for: the next is asked', async () => {
    const [first, next] = [asked(), asked()];
    const takeBack = ways.offer(WAY, first.open);
    const opened = open();
    await settled();
    ways.offer(WAY, next.open);
    expect(next.requests()).toBe(0);
    takeBack('its tab is gone');
    await settled();
    expect(next.requests()).toBe(1);
    next.answer.resolve(lent().port);
    await opened;
    const late = lent();
    first.answer.resolve(late.port);
    await settled();
    expect(late.closes).toEqual(['nobody waits for it any more']);
  });

  it('who goes with nobody to follow is told as the reason; so is what the page says', async () => {
    const [first, second] = [asked(), asked()];
    const takeBack = ways.offer(WAY, first.open);
    const opened = open();
    const failed = expect(opened).rejects.toMatchObject({
      code: 'dial-failed',
      data: { url: 'tab:stand-in', reason: 'its tab is gone' },
    });
    takeBack('its tab is gone');
    await failed;
    ways.offer(WAY, second.open);
    const refused = expect(open()).rejects.toMatchObject({ code: 'unsupported' });
    second.answer.reject(new QiwayError('unsupported', 'This page has no RTCPeerConnection.'));
    await refused;
  });

  it('a page that does not answer is given up in time, and what it opens later is closed', async () => {
    const page = asked();
    ways.offer(WAY, page.open);
    const failed = expect(open()).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(1000);
    await failed;
    const late = lent();
    page.answer.resolve(late.port);
    await settled();
    expect(late.closes).toEqual(['nobody waits for it any more']);
  });

  it('the next leader has as long as is left', async () => {
    const first = asked();
    const left: number[] = [];
    ways.offer(WAY, async ({ timeoutMs }) => {
      left.push(timeoutMs);
      return lent().port;
    });
    ways.offer(WAY, first.open);
    const opened = open();
    await clock.advance(400);
    first.answer.reject(new QiwayError('dial-failed', 'ICE failed'));
    await opened;
    expect(left).toEqual([600]);
  });

  it('all that a page lent ends when its offer is taken back, and nothing of another page', async () => {
    const [mine, others] = [lent(), lent()];
    ways.offer(WAY, async () => others.port);
    const kept = await open();
    const takeBack = ways.offer(WAY, async () => mine.port);
    const taken = await open();
    const closes: string[] = [];
    for (const [name, transport] of [
      ['kept', kept],
      ['taken', taken],
    ] as const)
      transport.listen({ message: () => {}, drain: () => {}, close: (reason) => closes.push(`${name}: ${reason}`) });
    takeBack('its tab is gone');
    takeBack('again');
    await settled();
    expect([closes, mine.closes, others.closes]).toEqual([['taken: its tab is gone'], ['its tab is gone'], []]);
  });

  it('listeners hear of each offer, until they stop; offers have a bound', () => {
    let heard = 0;
    const stop = ways.listen(() => {
      heard += 1;
    });
    const takeBacks = Array.from({ length: 64 }, () => ways.offer(WAY, asked().open));
    expect(() => ways.offer(WAY, asked().open)).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
    stop();
    takeBacks[0]?.('over');
    ways.offer(WAY, asked().open);
    expect(heard).toBe(64);
  });
});

describe('a leader tab', () => {
  let lending: Lending;
  let locks: FakeLocks;
  /** The network's ends of what pages opened. */
  let networks: { readonly transport: Transport; readonly closes: string[] }[];

  function page(changes: Partial<Parameters<typeof leaderTab>[0]> = {}): LeaderTab {
    return leaderTab({
      robot: 'robot',
      way: WAY,
      owner: lending.tab(),
      locks: locks.of('page'),
      clock,
      newChannel: channels.open,
      open: async () => {
        const [ours, theirs] = memoryTransports();
        const closes: string[] = [];
        theirs.listen({ message: () => {}, drain: () => {}, close: (reason) => closes.push(reason) });
        networks.push({ transport: theirs, closes });
        return ours;
      },
      ...changes,
    });
  }

  beforeEach(() => {
    lending = new Lending(clock);
    ways = lending.ways;
    locks = new FakeLocks();
    networks = [];
  });

  it('offers its way while it leads; when it stops, its transports end and the way is gone', async () => {
    const tab = page();
    expect(ways.now()).toEqual([]);
    await settled();
    expect(tab.isLeading).toBe(true);
    await open();
    tab.stop();
    await settled();
    expect([ways.now(), networks[0]?.closes]).toEqual([[], ['it was told to stop']]);
  });

  it('does not lend what it opened when it leads no more by then', async () => {
    const opening = Promise.withResolvers<Transport>();
    const tab = page({ open: () => opening.promise });
    await settled();
    const failed = expect(open()).rejects.toMatchObject({ code: 'dial-failed' });
    await settled();
    tab.stop();
    await failed;
    const [ours, theirs] = memoryTransports();
    const closes: string[] = [];
    theirs.listen({ message: () => {}, drain: () => {}, close: (reason) => closes.push(reason) });
    opening.resolve(ours);
    await settled();
    expect(closes).toEqual(['this tab leads no more']);
  });

  it('lends eight transports, and more when one of them has ended', async () => {
    page();
    await settled();
    const [first] = await Promise.all(Array.from({ length: 8 }, open));
    await expect(open()).rejects.toMatchObject({ code: 'limit-exceeded' });
    first?.close(1000, 'another way was faster');
    await settled();
    await open();
  });

  it('counts those that are being opened among the eight', async () => {
    const opening = Promise.withResolvers<Transport>();
    page({ open: () => opening.promise });
    await settled();
    const failed = Array.from({ length: 8 }, () => expect(open()).rejects.toMatchObject({ code: 'timeout' }));
    await settled();
    await expect(open()).rejects.toMatchObject({ code: 'limit-exceeded' });
    await clock.advance(1000);
    await Promise.all(failed);
  });

  it('opens nothing for who was offered a way in an earlier turn', async () => {
    const offers: OpenLent[] = [];
    let opened = 0;
    const owner = { ...lending.tab(), offerWay: async (_: WayOffer, openLent: OpenLent) => void offers.push(openLent) };
    const tab = page({
      owner,
      open: async () => {
        opened += 1;
        return memoryTransports()[0];
      },
    });
    await settled();
    tab.ownerReplaced();
    const [old, now] = offers;
    await expect(old?.(REQUEST)).rejects.toMatchObject({ code: 'dial-failed' });
    expect(opened).toBe(0);
    await now?.(REQUEST);
    expect(opened).toBe(1);
  });

  it('is told that there is no owner while there is none', async () => {
    await expect(movableOwner().takeTurn('robot', '1')).rejects.toMatchObject({ code: 'offline' });
  });

  it('offers itself to an owner that took the place of another, and ends what that one had', async () => {
    const owner = movableOwner();
    owner.moveTo(lending.tab());
    const tab = page({ owner });
    await settled();
    await open();
    lending = new Lending(clock);
    ways = lending.ways;
    owner.moveTo(lending.tab());
    tab.ownerReplaced();
    await settled();
    expect(networks[0]?.closes).toEqual(['the owner is another']);
    await open();
    expect(networks.length).toBe(2);
  });

  it('asks an owner that is not there yet each second, and stops in peace when there is none', async () => {
    const owner = movableOwner();
    const tab = page({ owner, locks: undefined });
    await clock.advance(2500);
    expect(tab.isLeading).toBe(false);
    owner.moveTo(lending.tab());
    await clock.advance(1000);
    expect([tab.isLeading, ways.now().length]).toEqual([true, 1]);
    owner.moveTo(undefined);
    tab.stop();
    await settled();
    expect(tab.isLeading).toBe(false);
  });

  it('of a tab that the owner knows to be gone nothing is taken any more', async () => {
    const gone = lending.tab();
    gone.leave('its tab is gone');
    await gone.offerWay(WAY, asked().open);
    expect(ways.now()).toEqual([]);
    const many = lending.tab();
    for (let count = 0; count < 8; count += 1) await many.offerWay({ ...WAY, name: `tab:${count}` }, asked().open);
    await expect(many.offerWay(WAY, asked().open)).rejects.toMatchObject({ code: 'limit-exceeded' });
    await many.offerWay({ ...WAY, name: 'tab:0' }, asked().open);
    expect(ways.now().length).toBe(8);
    many.leave('its tab is gone');
    expect(ways.now()).toEqual([]);
  });
});
