// Safety over real sessions, on a virtual clock: links that break, fall silent, come back; goodbyes.
import { QiwayError } from '@qiway/protocol/errors';
import { createObjectMap } from '@qiway/protocol/objects/object-map';
import * as onDemand from '@qiway/protocol/objects/on-demand';
import type { LooseMembers, RemoteObject } from '@qiway/protocol/objects/remote-types';
import { linkedPart } from '@qiway/protocol/part';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { describe, expect, it } from 'vitest';
import { RobotSafety } from '../../sdk/safety/safety.ts';
import type { MemoryDoor } from '../support/memory-session.ts';
import { safeDoor } from '../support/safe-door.ts';

interface Bench {
  readonly door: MemoryDoor;
  readonly session: ClientSession;
  readonly safety: RobotSafety;
  readonly motion: RemoteObject<LooseMembers>;
  readonly log: string[];
  /** The link ends, as a socket does whose program was killed; another can be dialled unless `isGone`. */
  cut(isGone?: boolean): void;
  comeBack(): void;
}

async function bench(): Promise<Bench> {
  const safe = await safeDoor();
  const { agent: door, log } = safe;
  const session = await door.open();
  const objects = createObjectMap({ clock: door.clock, report: () => {}, part: linkedPart(onDemand) });
  return {
    door,
    session,
    log,
    safety: new RobotSafety({ session, objects, changed: () => {}, report: () => {} }),
    motion: objects.wrap<LooseMembers>(await session.service('ALMotion'), 'ALMotion'),
    cut: (forGood = false) => {
      safe.isThere = !forGood;
      safe.cut();
    },
    comeBack: () => {
      safe.isThere = true;
    },
  };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}

const STOP = { afterMs: 500, calls: ['ALMotion.stopMove'] };

describe('a driver whose program dies', () => {
  it('has the robot stopped 500 ms after it was last heard', async () => {
    const { door, safety, motion, log, cut } = await bench();
    await safety.failsafe(STOP);
    await motion['moveToward']?.(1, 0, 0);
    await door.clock.advance(10_000);
    expect(log).toHaveLength(1); // alive: its heartbeat is quick enough
    const diedMs = door.clock.now();
    const heardMs = door.serverSessions[0]?.lastHeardMs ?? 0;
    expect(diedMs - heardMs).toBeLessThanOrEqual(167);
    cut(true);
    await door.clock.advance(5_000);
    expect(log.slice(1)).toEqual([`${heardMs + 500} stop`]);
  });
});

describe('a link that breaks and is back', () => {
  it('within the time: nothing happens, and lease and failsafe go on', async () => {
    const { door, session, safety, log, cut } = await bench();
    await safety.failsafe(STOP);
    const lease = await safety.lease(['ALMotion']);
    cut();
    await door.clock.advance(400);
    expect(session.sessionState).toBe('online');
    await door.clock.advance(20_000);
    expect(log).toEqual([]);
    expect(safety.status).toEqual({ afterMs: 500, state: 'armed' });
    cut(true);
    await door.clock.advance(500);
    expect(log).toHaveLength(1);
    expect(session.sessionState).toBe('offline');
    await door.clock.advance(10_000);
    expect(log).toHaveLength(1);
    expect(await isSettled(lease.lost)).toBe(false); // nobody could tell yet
  });
});

describe('a link that is gone for a while', () => {
  it('has the failsafe fire, the lease end, and both told when it is back', async () => {
    const { door, safety, log, cut, comeBack } = await bench();
    await safety.failsafe(STOP);
    const lease = await safety.lease(['ALMotion']);
    cut(true);
    await door.clock.advance(6_000);
    expect(log).toHaveLength(1);
    comeBack();
    await door.clock.advance(20_000);
    expect(safety.status).toMatchObject({ state: 'armed', firedAtMs: expect.any(Number) });
    expect(await lease.lost).toMatchObject({ code: 'lease-lost', data: { reason: 'silence' } });
    expect(log).toHaveLength(1);
  });

  it('takes back what the app takes back meanwhile, before it is armed again', async () => {
    const { door, safety, log, cut, comeBack } = await bench();
    const failsafe = await safety.failsafe(STOP);
    cut(true);
    await door.clock.advance(1_000);
    const cleared = failsafe.clear();
    await door.clock.advance(45_000); // longer than calls wait
    comeBack();
    await door.clock.advance(20_000);
    await cleared;
    cut(true);
    await door.clock.advance(5_000);
    expect(log).toHaveLength(1);
    expect(safety.status).toBeUndefined();
  });
});

describe('an app that closes in order', () => {
  it('fires nothing, and frees what it held', async () => {
    const { door, session, safety, log } = await bench();
    await safety.failsafe(STOP);
    await safety.lease(['ALMotion']);
    await session.close();
    await door.clock.advance(10_000);
    expect(log).toEqual([]);
    const next = await door.open({ dial: door.dialAs('another') });
    const own = await next.own();
    expect(own.metaObject.methods.size).toBeGreaterThan(0);
  });
});

describe('a session that the agent ends', () => {
  it('is stopped at once', async () => {
    const { door, safety, log } = await bench();
    await safety.failsafe(STOP);
    const nowMs = door.clock.now();
    door.serverSessions[0]?.close(new QiwayError('limit-exceeded', 'It reads too slowly.'));
    await door.clock.advance(0);
    expect(log).toEqual([`${nowMs} stop`]);
  });
});
