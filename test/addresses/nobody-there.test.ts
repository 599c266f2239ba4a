// What a dialer says when nobody is there that it may talk to.
import { beforeEach, describe, expect, test } from 'vitest';
import { AddressBook } from '../../sdk/address-book/address-book.ts';
import { Dialer, type DialerOptions } from '../../sdk/dial/dialer.ts';
import { virtualClock } from '../support/virtual-clock.ts';
import { type Being, being, FakeNetwork, secureAs } from './fake-network.ts';

const HERE = 'ws://10.0.0.1:8080/robot/link';
const THERE = 'ws://10.0.0.2:8080/robot/link';
const ELSEWHERE = 'ws://10.0.0.3:8080/robot/link';

let clock: ReturnType<typeof virtualClock>;
let network: FakeNetwork;
let robot: Being;
let client: Being;
let book: AddressBook;

beforeEach(async () => {
  clock = virtualClock();
  network = new FakeNetwork(clock);
  [robot, client] = await Promise.all([being(), being()]);
  book = new AddressBook({ clock, today: () => clock.now() });
});

/** What a dial comes to, time passing as needed. */
async function dialed(options: Partial<DialerOptions> = {}, reason: 'first' | 'lost' = 'first'): Promise<unknown> {
  const dialer = new Dialer({
    agent: { shown: HERE, link: HERE, token: 'secret', robot: robot.id },
    book,
    loadSecure: () => Promise.resolve(secureAs(client)),
    WebSocket: network.WebSocket,
    clock,
    ...options,
  });
  const dialing = dialer.dial({ reason, timeoutMs: 10_000, hello: () => new Uint8Array(0) });
  dialing.catch(() => {});
  await clock.advance(20_000);
  return dialing;
}

describe('what is said when nobody is there', () => {
  test('one address: that, and what to check', async () => {
    await expect(dialed()).rejects.toThrow(
      /^\[dial-failed\] No robot agent answers at ws:\/\/10\.0\.0\.1:8080.*Check the address/,
    );
  });

  test('several: each with its reason', async () => {
    book.announced(robot.id, [THERE, ELSEWHERE]);
    network.places.set(THERE, { kind: 'silent' });
    network.places.set(ELSEWHERE, { kind: 'mute' });
    const failure = await dialed({}, 'lost').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'dial-failed', data: { url: HERE } });
    const { attempts } = (failure as { data: { attempts: { url: string; reason: string }[] } }).data;
    expect(Object.fromEntries(attempts.map(({ url, reason }) => [url, reason]))).toEqual({
      [HERE]: expect.stringContaining('closed (1006)'),
      [THERE]: expect.stringContaining('did not open within 3000 ms'),
      [ELSEWHERE]: expect.stringContaining('within'),
    });
    expect(String(failure)).toMatch(
      /any of 3 addresses: .*10\.0\.0\.2.*10\.0\.0\.3|any of 3 addresses: .*10\.0\.0\.3.*10\.0\.0\.2/,
    );
  });

  test('nothing that the page may dial: why, and what to do', async () => {
    const page = { protocol: 'https:', host: 'app.example', origin: 'https://app.example', isChromium: false };
    await expect(dialed({ page, agent: { shown: HERE, link: HERE, token: '' } })).rejects.toThrow(
      /\[dial-failed\] A page of https:\/\/app\.example cannot dial/,
    );
    expect(network.visits).toEqual([]);
  });
});
