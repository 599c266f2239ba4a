// Services of a joined bus as JavaScript objects, over a TCP socket.
import { afterEach, describe, expect, it } from 'vitest';
import {
  createObject,
  EmbeddedBus,
  type JoinedBus,
  joinBus,
  listenBus,
  method,
  property,
  remoteServices,
  type Signal,
  signal,
} from '../../robot-agent/qi/index.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Services {
  Lamp: {
    blink(times: number): void;
    never(): void;
    readonly blinked: Signal<[times: number]>;
  };
}

async function join(): Promise<JoinedBus> {
  const directory = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'robot' });
  const listening = await listenBus(directory, 'tcp://127.0.0.1:0');
  closers.push(() => listening.close());
  const lamp = createObject({
    blink: method('(i)', 'v', (times: number) => lamp.emit('blinked', times)),
    never: method('()', 'v', () => new Promise<void>(() => {})),
    blinked: signal('(i)'),
    brightness: property('f', 0.5),
  });
  await directory.host('Lamp', lamp);
  const bus = await joinBus(listening.url);
  closers.push(() => bus.close());
  return bus;
}

describe('services of a joined bus', () => {
  it('have methods and signals, typed by who asks', async () => {
    const lamp = await remoteServices<Services>(await join()).service('Lamp');
    const seen = new Promise<number>((resolve) => void lamp.blinked.connect(resolve).then(() => lamp.blink(3)));
    expect(await seen).toBe(3);
  });

  it('have properties, also when nobody described them', async () => {
    const lamp = await remoteServices(await join()).service('Lamp');
    await lamp['brightness']?.setValue(0.25);
    expect(await lamp['brightness']?.value()).toBe(0.25);
  });

  it('are refused by name when they are not there', async () => {
    const failure = { code: 'service-not-found', message: expect.stringContaining('"Torch"') };
    await expect(remoteServices(await join()).service('Torch')).rejects.toMatchObject(failure);
  });

  it('let a call end in time', async () => {
    const clock = virtualClock();
    const lamp = await remoteServices<Services>(await join(), { clock, timeoutMs: 2000 }).service('Lamp');
    const outcome = expect(lamp.never()).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(2000);
    await outcome;
  });

  it('come to hosted methods in the same form, and functions go back as objects', async () => {
    const bus = await join();
    const robot = remoteServices(bus);
    const twice = method('(o)', 'i', async (callback: { call(number: number): Promise<number> }) => {
      return (await callback.call(1)) + (await callback.call(2));
    });
    await bus.host('Twice', createObject({ twice }, { mapper: robot.mapper }));
    const other = await joinBus(bus.url);
    closers.push(() => other.close());
    const service = await remoteServices(other).service('Twice');
    expect(await service['twice']?.({ call: (number: number) => number * 10 })).toBe(30);
  });

  it('are gone with the bus', async () => {
    const bus = await join();
    const lamp = await remoteServices<Services>(bus).service('Lamp');
    const call = expect(lamp.never()).rejects.toMatchObject({ code: 'closed' });
    await bus.close();
    await call;
    await expect(lamp.blink(1)).rejects.toMatchObject({ code: expect.stringMatching(/closed|gone/) });
  });
});
