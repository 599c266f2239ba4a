// The thread that advertises by mDNS: when it is replaced, what it is told, and that nothing of it hurts the agent.
import { expect, test } from 'vitest';
import type { Advertised, AdvertiserNews } from '../../robot-agent/addresses/advertised.ts';
import { Advertiser, type AdvertiserThread } from '../../robot-agent/addresses/advertiser.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const WANTED: Advertised = {
  name: 'nao',
  interfaces: ['eth0'],
  hasIpv6: false,
  services: [{ type: 'qiway', port: 8080, txt: { v: '2' } }],
};

interface FakeThread extends AdvertiserThread {
  readonly advertised: Advertised;
  readonly told: string[];
  isTerminated: boolean;
  say(news: AdvertiserNews): void;
  break(error: Error): void;
  exit(): void;
}

function lab({ isDeaf = false }: { readonly isDeaf?: boolean } = {}) {
  const clock = virtualClock();
  const threads: FakeThread[] = [];
  const lines: string[] = [];
  const startThread = (advertised: Advertised): AdvertiserThread => {
    const listeners = new Map<string, (detail: never) => void>();
    const listen = (event: string, run: (detail: never) => void): void => void listeners.set(event, run);
    const emit = (event: string, detail?: unknown): void => listeners.get(event)?.(detail as never);
    const thread: FakeThread = {
      advertised,
      told: [],
      isTerminated: false,
      on: listen,
      once: listen,
      postMessage: (message) => {
        thread.told.push(message);
        if (!isDeaf) queueMicrotask(() => emit('exit'));
      },
      terminate: () => {
        thread.isTerminated = true;
      },
      say: (news) => emit('message', news),
      break: (error) => emit('error', error),
      exit: () => emit('exit'),
    };
    threads.push(thread);
    return thread;
  };
  const logger = createLogger((line) => lines.push(line), 'info');
  return { clock, threads, lines, advertiser: new Advertiser({ clock, logger, startThread }) };
}

test('a change says goodbye to the old before it begins the new; nothing wanted, nothing begun', async () => {
  const { threads, advertiser } = lab();
  await advertiser.advertise(WANTED);
  threads[0]?.say({ kind: 'announced' });
  expect(advertiser.host).toBe('nao');
  await advertiser.advertise({ ...WANTED, interfaces: ['eth1'] });
  expect(threads[0]?.told).toEqual(['end']);
  expect(threads.map(({ advertised }) => advertised.interfaces)).toEqual([['eth0'], ['eth1']]);
  await advertiser.advertise(undefined);
  expect(threads[1]?.told).toEqual(['end']);
  expect(threads).toHaveLength(2);
  expect(advertiser.host).toBeUndefined();
});

test('a name that another machine has is numbered, and stays so when the addresses change', async () => {
  const { clock, threads, advertiser, lines } = lab();
  await advertiser.advertise(WANTED);
  threads[0]?.say({ kind: 'taken' });
  await clock.advance(0);
  threads[1]?.say({ kind: 'taken' });
  await clock.advance(0);
  threads[2]?.say({ kind: 'announced' });
  expect(advertiser.host).toBe('nao-3');
  await advertiser.advertise({ ...WANTED, interfaces: ['eth1'] });
  expect(threads.map(({ advertised }) => advertised.name)).toEqual(['nao', 'nao-2', 'nao-3', 'nao-3']);
  expect(lines.join('')).toMatch(/another machine has the name.*nao\.local/);
});

test('names are not tried for ever', async () => {
  const { clock, threads, advertiser, lines } = lab();
  await advertiser.advertise(WANTED);
  for (let index = 0; index < 50; index += 1) {
    threads.at(-1)?.say({ kind: 'taken' });
    await clock.advance(0);
  }
  expect(threads).toHaveLength(20);
  expect(lines.at(-1)).toMatch(/not announced.*every name that was tried is taken/);
});

test('a thread that dies is told, and the next change begins another', async () => {
  const { threads, advertiser, lines } = lab();
  await advertiser.advertise(WANTED);
  threads[0]?.break(new Error('EADDRINUSE'));
  expect(lines.at(-1)).toMatch(/warn the agent is not announced.*EADDRINUSE/);
  await advertiser.advertise({ ...WANTED, interfaces: ['eth1'] });
  expect(threads).toHaveLength(2);
  expect(threads[0]?.told).toEqual([]);
});

test('one that does not end is ended', async () => {
  const { clock, threads, advertiser } = lab({ isDeaf: true });
  await advertiser.advertise(WANTED);
  const ending = advertiser.advertise(undefined);
  await clock.advance(1000);
  await ending;
  expect(threads[0]?.isTerminated).toBe(true);
});
