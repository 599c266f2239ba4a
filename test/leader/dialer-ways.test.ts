// A dialer with ways beside addresses: when they are tried, that the robot proves itself over them as well, and what is learned.
import { beforeEach, describe, expect, it } from 'vitest';
import { accept } from '../../protocol/secure/accept.ts';
import { memoryTransports } from '../../protocol/transport/memory.ts';
import { AddressBook } from '../../sdk/address-book/address-book.ts';
import { Dialer } from '../../sdk/dial/dialer.ts';
import type { ExtraWay } from '../../sdk/leader/lent-ways.ts';
import { type Being, being, FakeNetwork, primitives, secureAs } from '../addresses/fake-network.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

const HERE = 'ws://10.0.0.1:8080/robot/link';

let clock: VirtualClock;
let network: FakeNetwork;
let robot: Being;
let stranger: Being;
let client: Being;
let book: AddressBook;
/** When each way was asked, and whether records are sealed. */
let log: string[];

beforeEach(async () => {
  clock = virtualClock();
  network = new FakeNetwork(clock);
  [robot, stranger, client] = await Promise.all([being(), being(), being()]);
  book = new AddressBook({ clock, today: () => clock.now() });
  log = [];
});

function way(name: string, rank: number, who: Being): ExtraWay {
  return {
    name,
    rank,
    open: async (request) => {
      log.push(`${name} at ${clock.now()} for ${request.robot === robot.id ? 'the robot' : 'anybody'}`);
      const [ours, theirs] = memoryTransports();
      const { identity, staticKey } = who;
      accept(theirs, { identity, staticKey, crypto: primitives, mustSeal: false, clock, timeoutMs: 5000 }).catch(
        () => {},
      );
      return ours;
    },
  };
}

const broken: ExtraWay = { name: 'tab:broken', rank: -1, open: () => Promise.reject(new Error('no page leads')) };

function dialer(extraWays: readonly ExtraWay[], link = HERE): Dialer {
  return new Dialer({
    agent: { shown: link, link, token: 'secret', robot: robot.id },
    book,
    loadSecure: () => Promise.resolve(secureAs(client)),
    WebSocket: network.WebSocket,
    clock,
    extraWays: () => extraWays,
  });
}

async function dial(from: Dialer, reason: 'first' | 'lost' | 'better' = 'lost') {
  const promise = from.dial({ reason, timeoutMs: 10_000, hello: () => new Uint8Array(3) });
  promise.catch(() => {});
  await clock.advance(20_000);
  return promise;
}

describe('ways beside addresses', () => {
  it('of a rank above 0 are tried after the addresses, sealed, with the same handshake; the book learns nothing of them', async () => {
    const dialed = await dial(dialer([way('tab:late', 20, robot), way('tab:stand-in', 10, robot)]));
    expect([dialed.address, dialed.isSealed, dialed.robot.id]).toEqual(['tab:stand-in', true, robot.id]);
    // The address refused after 5 ms.
    expect([network.dialled, log]).toEqual([[[HERE, 0]], ['tab:stand-in at 5 for the robot']]);
    expect((await book.recall(robot.id)).addresses.map(({ url }) => url)).not.toContain('tab:stand-in');
  });

  it('of a rank below 0 are tried before them, and cost a little time when they do not answer', async () => {
    network.places.set(HERE, { kind: 'agent', who: robot });
    const silent: ExtraWay = { name: 'tab:silent', rank: -1, open: () => new Promise(() => {}) };
    const found = dialer([silent]);
    expect((await dial(found)).address).toBe('10.0.0.1:8080');
    expect([network.dialled, found.current]).toEqual([[[HERE, 100]], HERE]);
  });

  it('that fail at once are passed over at once', async () => {
    network.places.set(HERE, { kind: 'agent', who: robot });
    expect((await dial(dialer([broken]))).address).toBe('10.0.0.1:8080');
    expect(network.dialled).toEqual([[HERE, 0]]);
  });

  it('who is not the robot is not believed there, either', async () => {
    await expect(dial(dialer([way('tab:stand-in', 10, stranger)]))).rejects.toMatchObject({
      code: 'robot-identity-mismatch',
    });
    expect(log).toEqual(['tab:stand-in at 5 for the robot']);
  });

  it('are tried for a better way only if they are better than the one in use', async () => {
    const ways = [way('tab:late', 20, robot)];
    const found = dialer(ways);
    expect((await dial(found)).address).toBe('tab:late');
    await expect(dial(found, 'better')).rejects.toMatchObject({ code: 'dial-failed' });
    expect(log.length).toBe(1);
    ways.push(way('tab:stand-in', 10, robot));
    expect((await dial(found, 'better')).address).toBe('tab:stand-in');
    await expect(dial(found, 'better')).rejects.toMatchObject({ code: 'dial-failed' });
    expect(log.length).toBe(2);
  });
});
