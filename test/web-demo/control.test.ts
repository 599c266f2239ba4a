// Control of the motors by the console: lease and failsafe around each drive.
import { QiwayError } from '@qiway/protocol/errors';
import type { Failsafe, FailsafeStatus, Lease, LeaseInfo, Status } from '@qiway/sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Control, type ControlledRobot, createControl } from '../../web-demo/robot/control.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

let clock: VirtualClock;
let log: string[];
let losses: unknown[];
let control: Control;
let robot: FakeRobot;

class FakeRobot implements ControlledRobot {
  refusal: QiwayError | undefined;
  loseLease: (error: QiwayError) => void = () => {};
  tellLeases: (leases: readonly LeaseInfo[]) => void = () => {};
  tellStatus: (failsafe: FailsafeStatus | undefined) => void = () => {};

  async lease(services: readonly string[], { takeOver = false } = {}): Promise<Lease> {
    log.push(`lease ${services.join(' ')}${takeOver ? ' over' : ''}`);
    if (this.refusal !== undefined) throw this.refusal;
    const { promise: lost, resolve } = Promise.withResolvers<QiwayError>();
    this.loseLease = resolve;
    const release = async (): Promise<void> => void log.push('release');
    return { services, lost, release, [Symbol.asyncDispose]: release };
  }

  async failsafe({ afterMs, calls }: Parameters<ControlledRobot['failsafe']>[0]): Promise<Failsafe> {
    log.push(`failsafe ${afterMs} ${calls.join(' ')}`);
    const clear = async (): Promise<void> => void log.push('clear');
    return { afterMs, lost: new Promise(() => {}), clear, [Symbol.asyncDispose]: clear };
  }

  async watchLeases(listener: (leases: readonly LeaseInfo[]) => void): Promise<() => void> {
    this.tellLeases = listener;
    return () => log.push('watch no more');
  }

  onStatusChange(listener: (status: Status) => void): () => void {
    this.tellStatus = (failsafe) => listener({ failsafe } as Status);
    return () => log.push('follow no more');
  }
}

beforeEach(() => {
  clock = virtualClock();
  log = [];
  losses = [];
  robot = new FakeRobot();
  control = createControl({ after: clock.after, lost: (error) => losses.push(error) });
  control.follow(robot);
});

describe('a drive', () => {
  it('has the motors alone and a failsafe, and gives both back', async () => {
    await control.take();
    expect(log).toEqual(['lease ALMotion', 'failsafe 500 ALMotion.stopMove']);
    expect(control.isOwn.value).toBe(true);
    control.ease();
    await clock.advance(0);
    expect(log.slice(2)).toEqual(['clear', 'release']);
    expect(control.isOwn.value).toBe(false);
  });

  it('that ends before it has the motors gives them back as soon as it has them', async () => {
    const taken = control.take();
    control.ease();
    await clock.advance(0);
    await taken;
    expect(log).toEqual(['lease ALMotion', 'failsafe 500 ALMotion.stopMove', 'clear', 'release']);
    expect(control.isOwn.value).toBe(false);
  });

  it('soon after a take-over keeps the lease, and arms a failsafe of its own', async () => {
    await control.take({ takeOver: true });
    control.ease({ lingers: true });
    await clock.advance(3_000);
    await control.take();
    await clock.advance(10_000);
    expect(log.slice(2)).toEqual(['clear', 'failsafe 500 ALMotion.stopMove']);
  });

  it('that may not begin leaves no failsafe behind', async () => {
    robot.refusal = new QiwayError('lease-held', 'the tablet has it');
    await expect(control.take()).rejects.toBe(robot.refusal);
    await clock.advance(0);
    expect(log.at(-1)).toBe('clear');
    expect(control.isOwn.value).toBe(false);
    robot.refusal = undefined;
    await control.take({ takeOver: true });
    expect(log).toContain('lease ALMotion over');
  });
});

describe('what is shown', () => {
  it('is who else has the motors', () => {
    const info = { holder: 'phone (abc)', heldMs: 1, mayTakeOver: true };
    robot.tellLeases([
      { ...info, services: ['ALMotion'], isOwn: true },
      { ...info, services: ['ALLeds'], isOwn: false },
    ]);
    expect(control.other.value).toBeUndefined();
    robot.tellLeases([{ ...info, services: ['ALMotion'], isOwn: false }]);
    expect(control.other.value?.holder).toBe('phone (abc)');
  });

  it('is when the failsafe fired, until the next drive', async () => {
    await control.take();
    robot.tellStatus({ afterMs: 500, state: 'fired', firedAtMs: 7 });
    control.ease();
    robot.tellStatus(undefined);
    expect(control.firedAtMs.value).toBe(7);
    await control.take();
    expect(control.firedAtMs.value).toBeUndefined();
  });

  it('is a loss, once', async () => {
    await control.take();
    const error = new QiwayError('lease-lost', 'the phone took it over');
    robot.loseLease(error);
    await settled();
    expect(losses).toEqual([error]);
    expect(control.isOwn.value).toBe(false);
  });

  it('is no loss when the page itself closed the robot', async () => {
    await control.take();
    robot.loseLease(new QiwayError('closed', 'The robot was closed.'));
    await settled();
    expect(losses).toEqual([]);
  });
});

it('forgets with its robot what it held there', async () => {
  await settled();
  await control.take();
  control.follow(undefined);
  robot.loseLease(new QiwayError('closed', 'gone'));
  await settled();
  expect(losses).toEqual([]);
  expect(log).toContain('watch no more');
  expect(log).toContain('follow no more');
  await expect(control.take()).rejects.toThrow('no link');
});

describe('a session that several tabs share', () => {
  const lease = (isOwn: boolean): LeaseInfo => ({
    services: ['ALMotion'],
    holder: 'this browser',
    heldMs: 0,
    isOwn,
    mayTakeOver: true,
  });

  it('has the motors for another tab, until that gives them back', () => {
    robot.tellLeases([lease(true)]);
    expect([control.isElsewhere.value, control.other.value]).toEqual([true, undefined]);
    robot.tellLeases([]);
    expect(control.isElsewhere.value).toBe(false);
  });

  it('has them for this page from its first asking until it is told that they are free', async () => {
    const taken = control.take();
    robot.tellLeases([lease(true)]);
    expect(control.isElsewhere.value).toBe(false);
    await taken;
    control.ease();
    await clock.advance(0);
    robot.tellLeases([lease(true)]);
    expect(control.isElsewhere.value).toBe(false);
    robot.tellLeases([]);
    robot.tellLeases([lease(true)]);
    expect(control.isElsewhere.value).toBe(true);
  });

  it('is another one with the next robot', () => {
    robot.tellLeases([lease(true)]);
    control.follow(undefined);
    expect(control.isElsewhere.value).toBe(false);
  });
});
