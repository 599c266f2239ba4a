// The robot on a bus: registers, waits, registers again; greets consoles. The command line.
import type { BusListener } from '@qiway/protocol/bus/bus';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { describe, expect, it } from 'vitest';
import { readOptions } from '../../simulated-robot/options.ts';
import { keepRegistered } from '../../simulated-robot/registration.ts';
import { startSimulatedRobot } from '../../simulated-robot/simulated-robot.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

function newBus(): EmbeddedBus {
  return new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
}

async function namesOn(bus: EmbeddedBus): Promise<string[]> {
  return (await bus.services()).map(({ name }) => name);
}

/** One small service, kept registered on `bus`. */
function register(bus: EmbeddedBus, clock: VirtualClock): { said: string[]; stop: () => void } {
  const said: string[] = [];
  const services = new Map([['Thing', createObject({ ping: method('()', 'v', () => undefined) })]]);
  const report = (sentence: string): void => {
    said.push(sentence);
  };
  return { said, stop: keepRegistered({ bus, services, clock, report, onRegistered: () => said.push('registered') }) };
}

describe('registration', () => {
  it('puts every service on the bus and says so once', async () => {
    const bus = newBus();
    const counts: number[] = [];
    const clock = virtualClock();
    const { close } = startSimulatedRobot({
      bus,
      clock,
      wallMs: () => 0,
      charge: 50,
      onRegistered: (count) => counts.push(count),
      report: () => undefined,
    });
    await settled();
    expect(counts).toEqual([12]);
    expect(await namesOn(bus)).toEqual(expect.arrayContaining(['ALMotion', 'ALVideoDevice', 'QiwayEcho']));
    await close();
    expect(bus.state).toBe('closed');
  });

  it('waits for a name that is taken', async () => {
    const bus = newBus();
    const clock = virtualClock();
    const former = await bus.host('Thing', createObject({}));
    const { said, stop } = register(bus, clock);
    await settled();
    expect(said).toEqual([expect.stringContaining('already registered')]);
    await former.close();
    await clock.advance(2000);
    expect(said.at(-1)).toBe('registered');
    stop();
  });

  it('registers again what somebody took off the bus', async () => {
    const bus = newBus();
    const clock = virtualClock();
    const { said, stop } = register(bus, clock);
    await settled();
    bus.registry.unregister((await bus.serviceInfo('Thing')).serviceId);
    await clock.advance(2000);
    expect(said).toEqual(['registered', expect.stringContaining('Thing was taken off the bus'), 'registered']);
    expect(await namesOn(bus)).toContain('Thing');
    stop();
  });

  it('registers as soon as a bus that was down is up', async () => {
    const real = newBus();
    const clock = virtualClock();
    const listeners: BusListener[] = [];
    let state: 'up' | 'down' = 'down';
    const bus = new Proxy(real, {
      get: (target, key) => {
        if (key === 'state') return state;
        if (key === 'listen') return (listener: BusListener) => listeners.push(listener);
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { said } = register(bus, clock);
    await clock.advance(10_000);
    expect(said).toEqual([]);
    state = 'up';
    for (const listener of listeners) listener.stateChanged?.('up');
    await settled();
    expect(said).toEqual(['registered']);
    for (const listener of listeners) listener.stateChanged?.('down', new QiwayError('bus-down', 'It went away.'));
    expect(said.at(-1)).toBe('The bus is down: [bus-down] It went away.');
  });
});

describe('the robot and a console', () => {
  it('greets it when it appears, and tells it what happens, until it goes', async () => {
    const bus = newBus();
    const clock = virtualClock();
    const reports: string[] = [];
    const { robot, close } = startSimulatedRobot({
      bus,
      clock,
      wallMs: () => 0,
      charge: 42,
      onRegistered: () => undefined,
      report: (sentence) => reports.push(sentence),
    });
    await settled();
    const shown: string[] = [];
    const display = createObject({ show: method('(s)', 'v', (text: string) => void shown.push(text)) });
    const hosted = await bus.host('ConsoleDisplay', display);
    await settled();
    expect(shown).toEqual(['Hello, this is the robot. My battery is at 42 %.']);
    robot.base.drive({ x: 0.5, y: 0, theta: 0 });
    await clock.advance(6000);
    robot.touch('FrontTactilTouched', true);
    await settled();
    expect(shown.slice(1)).toEqual(['I stopped: the table is in the way.', 'Somebody touched me: FrontTactilTouched.']);
    await hosted.close();
    robot.touch('FrontTactilTouched', true);
    await settled();
    expect([shown.length, reports]).toEqual([3, []]);
    await close();
  });

  it('is not disturbed by a console that cannot show', async () => {
    const bus = newBus();
    const reports: string[] = [];
    const { close } = startSimulatedRobot({
      bus,
      clock: virtualClock(),
      wallMs: () => 0,
      charge: 42,
      onRegistered: () => undefined,
      report: (sentence) => reports.push(sentence),
    });
    await settled();
    await bus.host('ConsoleDisplay', createObject({ hide: method('()', 'v', () => undefined) }));
    await settled();
    expect(reports).toEqual([expect.stringContaining('could not be greeted')]);
    await close();
  });
});

describe('the command line', () => {
  it.each([
    { args: [], options: { bus: { kind: 'join', url: 'tcp://127.0.0.1:9559' }, charge: 87 } },
    {
      args: ['--bus', 'tcp://robot:9559', '--charge', '20'],
      options: { bus: { kind: 'join', url: 'tcp://robot:9559' }, charge: 20 },
    },
    {
      args: ['--bus-listen', 'tcp://127.0.0.1:0'],
      options: { bus: { kind: 'listen', url: 'tcp://127.0.0.1:0' }, charge: 87 },
    },
  ])('$args', ({ args, options }) => {
    expect(readOptions(args)).toEqual({ kind: 'run', options });
  });

  it.each([
    [['--bus', 'robot'], '--bus: '],
    [['--bus', 'tcp://a', '--bus-listen', 'tcp://b'], 'give one of them'],
    [['--charge', 'full'], '--charge must be a whole number from 1 to 100, not "full".'],
    [['--speed', '3'], "Unknown option '--speed'"],
    [['robot'], 'Unexpected argument'],
  ])('%s is refused', (args, sentence) => {
    expect(readOptions(args)).toEqual({ kind: 'refused', sentence: expect.stringContaining(sentence) });
  });

  it('helps', () => {
    expect(readOptions(['--help'])).toEqual({ kind: 'help' });
  });
});
