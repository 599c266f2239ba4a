// The SDK's failsafes and leases against the agent's: what an app sees, over breaks and new sessions.
import type { BusObject } from '@qiway/protocol/bus/bus';
import { fetchObject } from '@qiway/protocol/directory/fetch-object';
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import type { RemoteObjects } from '@qiway/protocol/objects/object-map';
import type { RemoteObject } from '@qiway/protocol/objects/remote-types';
import { describe, expect, it } from 'vitest';
import { RobotSafety } from '../../sdk/safety/safety.ts';
import type { LeaseInfo, SafetySession } from '../../sdk/safety/session-object.ts';
import { settled } from '../support/virtual-clock.ts';
import { type LabSession, type SafetyLab, safetyLab } from './safety-lab.ts';

interface Bench {
  readonly lab: SafetyLab;
  readonly safety: RobotSafety;
  readonly beats: (number | undefined)[];
  readonly reported: unknown[];
  now(): LabSession;
  /** The link breaks: calls fail as they do without one. */
  goOffline(): void;
  comeBack(): Promise<void>;
  /** Another session takes the place of the present one; its link may break at once. */
  renew(lab?: SafetyLab, link?: 'online' | 'broken'): Promise<void>;
}

async function bench(): Promise<Bench> {
  const lab = await safetyLab();
  let session = await lab.session({ client: 'app' });
  let isOnline = true;
  let clock = lab.clock;
  const beats: (number | undefined)[] = [];
  const reported: unknown[] = [];
  const listeners = new Set<Parameters<SafetySession['listenSession']>[0]>();
  const safety = new RobotSafety({
    session: {
      own: async () => {
        if (!isOnline) throw offline();
        return fetchObject(session.peer, 0, { clock, timeoutMs: 1_000 });
      },
      setBeat: (everyMs) => beats.push(everyMs),
      listenSession: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    get objects() {
      const { objects } = session;
      const wrap = <T>(object: BusObject, service?: string): RemoteObject<T> =>
        gated(objects.wrap<T>(object, service), () => isOnline);
      return Object.assign(Object.create(objects) as RemoteObjects, { wrap });
    },
    changed: () => {},
    report: (error) => reported.push(error),
  });
  return {
    lab,
    safety,
    beats,
    reported,
    now: () => session,
    goOffline: () => {
      isOnline = false;
    },
    comeBack: async () => {
      isOnline = true;
      for (const listener of listeners) listener.changed?.();
      await settled();
    },
    renew: async (next = lab, link = 'online') => {
      session = await next.session({ client: 'app' });
      clock = next.clock;
      isOnline = link === 'online';
      for (const listener of listeners) listener.renewed?.();
      await settled();
    },
  };
}

const offline = (): QiwayError => new QiwayError('offline', 'There is no link.');

/** Methods fail while there is no link. */
function gated<T extends object>(object: T, isOnline: () => boolean): T {
  return new Proxy(object, {
    get: (target, key, receiver) => {
      const member: unknown = Reflect.get(target, key, receiver);
      if (typeof member !== 'function' || isOnline()) return member;
      return () => Promise.reject(offline());
    },
  });
}

const STOP = { afterMs: 600, calls: ['ALMotion.stopMove'] };

describe("an app's failsafe", () => {
  it('is armed, quickens the heartbeat to a third, and ends with clear()', async () => {
    const { lab, safety, beats } = await bench();
    const failsafe = await safety.failsafe(STOP);
    expect(safety.status).toEqual({ afterMs: 600, state: 'armed' });
    expect(beats.at(-1)).toBe(200);
    const slow = await safety.failsafe({ afterMs: 3_000, calls: [{ service: 'Lamp', method: 'on' }] });
    expect(beats.at(-1)).toBe(200);
    await failsafe.clear();
    await failsafe.clear();
    expect(beats.at(-1)).toBe(1_000);
    expect(safety.status).toMatchObject({ afterMs: 3_000 });
    await slow[Symbol.asyncDispose]();
    expect(beats.at(-1)).toBeUndefined();
    expect(safety.status).toBeUndefined();
    await lab.clock.advance(10_000);
    expect(lab.log).toEqual([]);
  });

  it('shows that it fired, when, and that it is armed again', async () => {
    const { lab, safety, now } = await bench();
    await safety.failsafe({ afterMs: 600, calls: [{ service: 'ALMotion', method: 'setAngles', args: ['Head', 0] }] });
    await lab.clock.advance(700);
    expect(lab.log).toEqual(['angle Head 0']);
    expect(safety.status).toMatchObject({ afterMs: 600, state: 'fired', firedAtMs: expect.any(Number) });
    now().hear();
    await settled();
    expect(safety.status).toMatchObject({ state: 'armed', firedAtMs: expect.any(Number) });
  });

  it('is refused for what is no call, with nothing kept', async () => {
    const { safety, beats } = await bench();
    for (const calls of [['stopMove'], ['.stopMove'], ['ALMotion.'], ['ALMotion.stop'], []])
      await expect(safety.failsafe({ afterMs: 600, calls })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(safety.status).toBeUndefined();
    expect(beats.at(-1)).toBeUndefined();
  });

  it('is registered again by itself in a new session', async () => {
    const { safety, renew } = await bench();
    await safety.failsafe(STOP);
    const restarted = await safetyLab();
    await renew(restarted);
    expect(safety.status).toEqual({ afterMs: 600, state: 'armed' });
    await restarted.clock.advance(700);
    expect(restarted.log).toEqual(['stop']);
  });

  it('tells when it could not be registered again', async () => {
    const { safety, renew } = await bench();
    const failsafe = await safety.failsafe({ afterMs: 600, calls: ['Lamp.on'] });
    const restarted = await safetyLab();
    for (const { name, serviceId } of await restarted.bus.services())
      if (name === 'Lamp') restarted.bus.registry.unregister(serviceId);
    await renew(restarted);
    expect(await failsafe.lost).toMatchObject({ code: 'service-not-found' });
    expect(safety.status).toBeUndefined();
  });

  it("waits with that for the robot's bus, without which nothing moves", async () => {
    const { safety, renew, comeBack } = await bench();
    const failsafe = await safety.failsafe(STOP);
    const restarted = await safetyLab();
    const { bus } = restarted;
    for (const { name, serviceId } of await bus.services()) if (name === 'ALMotion') bus.registry.unregister(serviceId);
    bus.explainMissing(() => new QiwayError('bus-down', 'The robot starts.'));
    let isLost = false;
    void failsafe.lost.then(() => {
      isLost = true;
    });
    await renew(restarted);
    await comeBack(); // the agent told something else
    expect([safety.status, isLost]).toEqual([undefined, false]);
    await bus.host('ALMotion', createObject({ stopMove: method('()', 'v', () => void restarted.log.push('stop')) }));
    await comeBack();
    expect([safety.status, isLost]).toEqual([{ afterMs: 600, state: 'armed' }, false]);
    await restarted.clock.advance(700);
    expect(restarted.log).toEqual(['stop']);
  });

  it('tells when it could not be registered again, also when the link broke once more before', async () => {
    const { safety, renew, comeBack, beats } = await bench();
    const failsafe = await safety.failsafe({ afterMs: 600, calls: ['Lamp.on'] });
    const restarted = await safetyLab();
    for (const { name, serviceId } of await restarted.bus.services())
      if (name === 'Lamp') restarted.bus.registry.unregister(serviceId);
    await renew(restarted, 'broken');
    await comeBack();
    expect(await failsafe.lost).toMatchObject({ code: 'service-not-found' });
    expect(beats.at(-1)).toBeUndefined();
  });

  it('cleared without a link is cleared with the next', async () => {
    const { lab, safety, goOffline, comeBack, now } = await bench();
    const failsafe = await safety.failsafe(STOP);
    goOffline();
    await failsafe.clear();
    await lab.clock.advance(300);
    now().hear();
    await comeBack();
    await lab.clock.advance(10_000);
    expect(lab.log).toEqual([]);
  });
});

describe("an app's lease", () => {
  it('is taken, shown, and given back', async () => {
    const { lab, safety, beats } = await bench();
    const other = await lab.session();
    const seen: (readonly LeaseInfo[])[] = [];
    const stop = await safety.watchLeases((leases) => seen.push(leases));
    const lease = await safety.lease(['ALMotion']);
    expect(lease.services).toEqual(['ALMotion']);
    expect(beats.at(-1)).toBe(1_000);
    await expect(other.own['takeLease']?.(['ALMotion'], false)).rejects.toMatchObject({ code: 'lease-held' });
    await lease.release();
    await settled();
    await other.own['takeLease']?.(['ALMotion'], false);
    await settled();
    expect(seen.map((leases) => leases.map(({ isOwn }) => isOwn))).toEqual([[], [true], [], [false]]);
    stop();
    await expect(safety.lease(['ALMotion'])).rejects.toMatchObject({ code: 'lease-held' });
    await expect(safety.lease(['ALMotion'], { takeOver: true })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('says who took it over, who stopped the robot, and that silence ended it', async () => {
    const { lab, safety, now } = await bench();
    const lease = await safety.lease(['ALMotion']);
    const other = await lab.session({ clientId: now().clientId, client: 'phone' });
    await other.own['takeLease']?.(['ALMotion'], true);
    expect(await lease.lost).toMatchObject({
      code: 'lease-lost',
      data: { reason: 'taken-over', holder: 'phone (aaaaaa)' },
    });
    const stopped = await safety.lease(['ALMotion'], { takeOver: true });
    await (await other.service('ALMotion'))['stopMove']?.();
    expect(await stopped.lost).toMatchObject({
      code: 'lease-lost',
      message: expect.stringContaining('phone (aaaaaa) stopped the robot'),
      data: { reason: 'stopped', holder: 'phone (aaaaaa)' },
    });
    const lamp = await safety.lease(['Lamp']);
    await lab.clock.advance(4_000);
    expect(await lamp.lost).toMatchObject({ code: 'lease-lost', data: { reason: 'silence' } });
  });

  it('is taken again in a new session if it is free, and lost if not', async () => {
    const { safety, renew } = await bench();
    const [motion, lamp] = [await safety.lease(['ALMotion'], { takeOver: true }), await safety.lease(['Lamp'])];
    const restarted = await safetyLab({ takeOver: ['anybody'] });
    const quick = await restarted.session();
    await quick.own['takeLease']?.(['ALMotion'], false);
    await renew(restarted);
    expect(await motion.lost).toMatchObject({ code: 'lease-lost', data: { reason: 'agent-restarted' } });
    expect(restarted.safety.leases.list().map(({ services }) => services)).toEqual([['ALMotion'], ['Lamp']]);
    await lamp.release();
    expect(restarted.safety.leases.size).toBe(1);
  });

  it('ends with the robot', async () => {
    const { safety } = await bench();
    const lease = await safety.lease(['ALMotion']);
    const closed = new QiwayError('closed', 'The robot was closed.');
    safety.close(closed);
    expect(await lease.lost).toBe(closed);
    await expect(safety.lease(['Lamp'])).rejects.toMatchObject({ code: 'closed' });
  });
});
