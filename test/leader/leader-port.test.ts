// The port between a leader tab and the owner: what it carries, that ends of turns are never answered, and that a leader which does
// not answer leads no more.
import { beforeEach, describe, expect, it } from 'vitest';
import { QiwayError } from '../../protocol/errors.ts';
import { type Leadership, lead } from '../../sdk/leader/lead.ts';
import { leaderOwnerAt, serveLeaderTab } from '../../sdk/leader/leader-port.ts';
import { type LeaderOwner, Lending } from '../../sdk/leader/lending.ts';
import type { WayOffer } from '../../sdk/leader/lent-ways.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { FakeChannels } from './fake-channel.ts';

const WAY: WayOffer = { name: 'tab:stand-in', route: 'webrtc', rank: 10 };
const REQUEST = { robot: 'robot', timeoutMs: 1000 };

let clock: VirtualClock;
let lending: Lending;

beforeEach(() => {
  clock = virtualClock();
  lending = new Lending(clock);
});

interface Tab {
  readonly owner: LeaderOwner;
  readonly channels: FakeChannels;
  /** What the owner said to it. */
  readonly heard: string[];
  /** The page hangs: nothing is taken of what comes, until it is set free. */
  hang(): () => void;
}

function tab(tellsClose = false): Tab {
  const channels = new FakeChannels(tellsClose);
  const { port1, port2 } = channels.open();
  const heard: string[] = [];
  let waiting: Event[] | undefined;
  port1.addEventListener('message', (event) => {
    if (waiting !== undefined) {
      event.stopImmediatePropagation();
      waiting.push(new MessageEvent('message', { data: event.data }));
    } else heard.push((event.data as { kind: string }).kind);
  });
  serveLeaderTab(port2, { tab: lending.tab(), clock });
  return {
    owner: leaderOwnerAt(port1),
    channels,
    heard,
    hang: () => {
      const held: Event[] = [];
      waiting = held;
      return () => {
        waiting = undefined;
        for (const event of held) port1.dispatchEvent(event);
      };
    },
  };
}

function candidate({ owner }: Tab, told: string[], name: string): Leadership {
  return lead({
    name: 'robot',
    owner,
    clock,
    onLead: () => told.push(`${name} leads`),
    onStop: (reason) => told.push(`${name} stops: ${reason}`),
  });
}

describe('the port of a leader tab', () => {
  it('carries turns, one page after the other', async () => {
    const told: string[] = [];
    const [a, b] = [candidate(tab(), told, 'a'), candidate(tab(), told, 'b')];
    await settled();
    a.stop();
    await settled();
    b.stop();
    expect(told).toEqual(['a leads', 'a stops: it was told to stop', 'b leads', 'b stops: it was told to stop']);
  });

  it('never answers who gives something back, so that a page may rest in the back/forward cache', async () => {
    const [a, b] = [tab(), tab()];
    await a.owner.takeTurn('robot', '1');
    const waiting = b.owner.takeTurn('robot', '2');
    await a.owner.offerWay(WAY, () => new Promise(() => {}));
    await settled();
    b.owner.dropTurn('2');
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    await a.owner.withdrawWay(WAY.name, 'its page was left');
    a.owner.dropTurn('1');
    const before = [...a.heard];
    await clock.advance(60_000);
    expect([before, a.heard, b.heard]).toEqual([['turn'], ['turn'], []]);
    expect(lending.ways.now()).toEqual([]);
  });

  it('carries requests for transports, and the words of a page that cannot', async () => {
    const a = tab();
    const { port1, port2 } = new MessageChannel();
    let isAble = true;
    await a.owner.offerWay(WAY, async () => {
      if (isAble) return port2;
      throw new QiwayError('unsupported', 'This page has no RTCPeerConnection.', { data: { what: 'WebRTC' } });
    });
    await settled();
    const [way] = lending.ways.now();
    expect((await way?.open(REQUEST))?.route).toBe('webrtc');
    isAble = false;
    await expect(way?.open(REQUEST)).rejects.toMatchObject({ code: 'unsupported', data: { what: 'WebRTC' } });
    await a.owner.withdrawWay(WAY.name, 'over');
    await settled();
    await expect(way?.open(REQUEST)).rejects.toMatchObject({ code: 'dial-failed' });
    port1.close();
  });

  it('does not bother a page that withdrew its offer while it was asked', async () => {
    const a = tab();
    let opened = 0;
    await a.owner.offerWay(WAY, () => {
      opened += 1;
      return new Promise(() => {});
    });
    await settled();
    const failed = expect(lending.ways.now()[0]?.open(REQUEST)).rejects.toMatchObject({ code: 'dial-failed' });
    await a.owner.withdrawWay(WAY.name, 'its page was left');
    await failed;
    expect(opened).toBe(0);
  });

  it('is not filled by a page that answers no requests', async () => {
    const a = tab();
    await a.owner.offerWay(WAY, () => new Promise(() => {}));
    await settled();
    const [way] = lending.ways.now();
    const waiting = Array.from({ length: 64 }, () =>
      expect(way?.open(REQUEST)).rejects.toMatchObject({ code: 'timeout' }),
    );
    await expect(way?.open(REQUEST)).rejects.toMatchObject({ code: 'limit-exceeded' });
    await clock.advance(1000);
    await Promise.all(waiting);
  });

  it('does not ask after a page that gave its turn back before it heard of it', async () => {
    const a = tab();
    const taken = a.owner.takeTurn('robot', '1').catch(() => {});
    a.owner.dropTurn('1');
    await taken;
    await clock.advance(10_000);
    expect(a.heard.filter((kind) => kind === 'areYouHere')).toEqual([]);
    await expect(tab().owner.takeTurn('robot', '1')).resolves.toBeUndefined();
  });

  it('tells a page why it gets no turn', async () => {
    const { owner } = tab();
    for (let count = 0; count < 64; count += 1) await owner.takeTurn(`robot ${count}`, `${count}`);
    await expect(owner.takeTurn('robot', 'one more')).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it('a leader that crashed and of which nothing tells leads no more after five questions', async () => {
    const told: string[] = [];
    const first = tab();
    candidate(first, told, 'a');
    await settled();
    candidate(tab(), told, 'b');
    await first.owner.offerWay(WAY, () => new Promise(() => {}));
    await settled();
    first.channels.crash();
    first.hang();
    await clock.advance(5999);
    expect([told, lending.ways.now().length]).toEqual([['a leads'], 1]);
    await clock.advance(1);
    expect([told, lending.ways.now().length]).toEqual([['a leads', 'b leads'], 0]);
  });

  it('where ports tell, the next leads at once', async () => {
    const told: string[] = [];
    const first = tab(true);
    candidate(first, told, 'a');
    await settled();
    candidate(tab(true), told, 'b');
    await settled();
    first.channels.crash();
    await settled();
    expect(told).toEqual(['a leads', 'b leads']);
  });

  it('a leader that answers leads on for hours', async () => {
    const told: string[] = [];
    candidate(tab(), told, 'a');
    candidate(tab(), told, 'b');
    await clock.advance(7_200_000);
    expect(told).toEqual(['a leads']);
  });

  it('a leader that hung hears that it lost its turn, stops, and stands in line again', async () => {
    const told: string[] = [];
    const first = tab();
    candidate(first, told, 'a');
    await settled();
    const second = candidate(tab(), told, 'b');
    const free = first.hang();
    await clock.advance(10_000);
    expect(told).toEqual(['a leads', 'b leads']);
    free();
    await settled();
    expect(told.slice(2)).toEqual(['a stops: the turn was taken away']);
    await clock.advance(1000);
    second.stop();
    await settled();
    expect(told.slice(3)).toEqual(['b stops: it was told to stop', 'a leads']);
  });
});
