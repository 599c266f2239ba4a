// Leases, and the guard at every way in: who may call what while somebody else drives.
import { QiwayError } from '@qiway/protocol/errors';
import { createDoor } from '@qiway/protocol/http-door/door';
import { encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { describe, expect, it } from 'vitest';
import { settled } from '../support/virtual-clock.ts';
import { type LabSession, type SafetyLab, safetyLab } from './safety-lab.ts';

const take = (session: LabSession, services: readonly string[], takeOver = false): Promise<unknown> =>
  session.own['takeLease']?.(services, takeOver) as Promise<unknown>;
const held = { code: 'lease-held', maybeExecuted: false };

async function two(
  options: Parameters<typeof safetyLab>[0] = {},
): Promise<{ lab: SafetyLab; driver: LabSession; other: LabSession }> {
  const lab = await safetyLab(options);
  return { lab, driver: await lab.session({ client: 'tablet' }), other: await lab.session() };
}

/** Both are heard while time passes. */
async function pass(lab: SafetyLab, ms: number, ...heard: LabSession[]): Promise<void> {
  for (let past = 0; past < ms; past += 500) {
    await lab.clock.advance(500);
    for (const session of heard) session.hear();
  }
}

describe('a lease', () => {
  it('keeps calls, posts and property changes of others out, and lets its holder through', async () => {
    const { lab, driver, other } = await two();
    await take(driver, ['ALMotion']);
    const [own, foreign] = [await driver.service('ALMotion'), await other.service('ALMotion')];
    await own['moveToward']?.(1, 0, 0);
    await expect(foreign['moveToward']?.(0, 1, 0)).rejects.toMatchObject({
      ...held,
      data: { service: 'ALMotion', holder: 'tablet (aaaaaa)', heldMs: 0 },
    });
    foreign['setAngles']?.post('Head', 1);
    await expect(foreign['stiffness']?.setValue(1)).rejects.toMatchObject(held);
    await settled();
    expect(lab.log).toEqual(['move 1 0 0']);
    expect(await own['stiffness']?.value()).toBe(0);
    expect(lab.counts.callsHeldBack).toBe(3);
  });

  it('leaves describing, subscribing, reading and stopping to everybody', async () => {
    const { lab, driver, other } = await two();
    await take(driver, ['ALMotion']);
    const motion = await other.service('ALMotion');
    const heard: unknown[] = [];
    await motion['moved']?.connect((far) => heard.push(far));
    lab.motion.emit('moved', 2);
    expect(await motion['stiffness']?.value()).toBe(0);
    expect(await motion['getRobotPosition']?.(true)).toEqual([0, 0, 0]);
    await motion['stopMove']?.();
    expect(lab.log).toEqual(['stop']);
    expect(heard).toEqual([2]);
    await (await other.service('Lamp'))['on']?.();
  });

  it('ends when somebody else stops the robot; its holder moves nothing before he takes it anew', async () => {
    const { lab, driver, other } = await two();
    await take(driver, ['ALMotion', 'Lamp']);
    const [own, foreign] = [await driver.service('ALMotion'), await other.service('ALMotion')];
    await own['moveToward']?.(1, 0, 0);
    await foreign['stopMove']?.();
    expect(driver.told).toContainEqual(['leaseLost', 1, 'stopped', expect.stringMatching(/ \(.{6}\)$/)]);
    expect(lab.safety.leases.size).toBe(0);
    const lost = { code: 'lease-lost', maybeExecuted: false, data: { reason: 'stopped' } };
    await expect(own['moveToward']?.(1, 0, 0)).rejects.toMatchObject(lost);
    own['moveToward']?.post(2, 0, 0);
    expect(await own['getRobotPosition']?.(true)).toEqual([0, 0, 0]);
    await own['stopMove']?.();
    await (await driver.service('Lamp'))['on']?.();
    await foreign['moveToward']?.(0, 1, 0); // who stopped it may drive
    await take(driver, ['Lamp']); // not what was stopped
    await expect(own['moveToward']?.(1, 0, 0)).rejects.toMatchObject(lost);
    await take(driver, ['ALMotion']);
    await own['moveToward']?.(3, 0, 0);
    expect(lab.log).toEqual(['move 1 0 0', 'stop', 'stop', 'lamp on', 'move 0 1 0', 'move 3 0 0']);
  });

  it('stays when its holder stops, when a failsafe of others does or is set, and who had none is not held back', async () => {
    const { lab, driver, other } = await two();
    const free = await other.service('ALMotion');
    const id = await take(driver, ['ALMotion']);
    const own = await driver.service('ALMotion');
    await own['stopMove']?.();
    await other.own['setFailsafe']?.(500, [['ALMotion', 'stopMove', []]]);
    await pass(lab, 2_000, driver);
    expect(lab.log).toEqual(['stop', 'stop']);
    await own['moveToward']?.(1, 0, 0);
    expect(lab.safety.leases.size).toBe(1);
    await driver.own['dropLease']?.(id);
    await free['stopMove']?.();
    await own['moveToward']?.(2, 0, 0);
    expect(lab.log).toEqual(['stop', 'stop', 'move 1 0 0', 'stop', 'move 2 0 0']);
  });

  it('covers the objects that the service handed out', async () => {
    const { lab, driver, other } = await two();
    const arm = (await (await other.service('ALMotion'))['arm']?.()) as { wave(): Promise<void> };
    await arm.wave();
    await take(driver, ['ALMotion']);
    await expect(arm.wave()).rejects.toMatchObject(held);
    expect(lab.log).toEqual(['wave']);
  });

  it('gives the objects back that came with a refused call', async () => {
    const { driver, other } = await two();
    await take(driver, ['ALMotion']);
    const motion = await other.service('ALMotion');
    await expect(motion['take']?.(() => 0)).rejects.toMatchObject(held);
    await settled();
    expect(other.peer.counts.servedObjects).toBe(0);
  });

  it('is all or nothing, exclusive, and free again when it is given back', async () => {
    const { driver, other, lab } = await two();
    await take(driver, ['Lamp']);
    await expect(take(other, ['ALMotion', 'Lamp'])).rejects.toMatchObject(held);
    const id = await take(driver, ['ALMotion', 'ALMotion']);
    await take(driver, ['ALMotion']);
    expect(await driver.own['dropLease']?.(id)).toBe(true);
    expect(await driver.own['dropLease']?.(id)).toBe(false);
    await expect(take(other, ['ALMotion'])).rejects.toMatchObject(held); // taken twice, given back once
    expect(await other.own['dropLease']?.(1)).toBe(false); // not its own
    expect(lab.safety.leases.size).toBe(2);
  });

  it('is not given for what is no service, nor for the directory', async () => {
    const { driver } = await two();
    await expect(take(driver, ['ALMotoin'])).rejects.toMatchObject({ code: 'service-not-found' });
    await expect(take(driver, ['ServiceDirectory'])).rejects.toMatchObject({ code: 'forbidden' });
    await expect(take(driver, [])).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('is lost by silence of more than 3 s, told, and free for others', async () => {
    const { lab, driver, other } = await two();
    await take(driver, ['ALMotion']);
    await pass(lab, 60_000, driver, other);
    await expect(take(other, ['ALMotion'])).rejects.toMatchObject(held);
    await pass(lab, 2_500, other);
    expect(lab.safety.leases.size).toBe(1);
    await pass(lab, 500, other);
    expect(lab.safety.leases.size).toBe(0);
    expect(driver.told).toContainEqual(['leaseLost', 1, 'silence', '']);
    await take(other, ['ALMotion']);
  });

  it('ends with its session, in whatever way', async () => {
    for (const error of [undefined, new QiwayError('link-lost', 'The link broke.')]) {
      const { lab, driver, other } = await two();
      await take(driver, ['ALMotion', 'Lamp']);
      driver.end(error);
      await take(other, ['ALMotion', 'Lamp']);
      expect(lab.safety.leases.list().map(({ holder }) => holder.id)).toEqual([other.id]);
    }
  });

  it('is shown to all: who has it, since when, and every change', async () => {
    const { lab, driver, other } = await two();
    await take(driver, ['ALMotion']);
    await pass(lab, 2_000, driver, other);
    expect(other.told).toEqual([['leasesChanged']]);
    const info = { services: ['ALMotion'], holder: 'tablet (aaaaaa)', heldMs: 2_000, mayTakeOver: false };
    expect(await other.own['leases']?.()).toEqual([{ ...info, isOwn: false }]);
    expect(await driver.own['leases']?.()).toEqual([{ ...info, isOwn: true, mayTakeOver: true }]);
  });
});

describe('a take-over', () => {
  it('is refused to strangers', async () => {
    const { driver, other } = await two();
    await take(driver, ['ALMotion']);
    await expect(take(other, ['ALMotion'], true)).rejects.toMatchObject({ code: 'forbidden' });
    await (await driver.service('ALMotion'))['moveToward']?.(1, 0, 0);
  });

  it.each([
    ['by the same client in another session', {}, 'a'.repeat(52)],
    ['by a client that the configuration names', { takeOver: ['x'.repeat(52)] }, 'x'.repeat(52)],
    ['by anybody, where the configuration says so', { takeOver: ['anybody'] }, 'y'.repeat(52)],
  ])('happens at once %s, and the robbed session is told', async (_how, options, clientId) => {
    const { lab, driver } = await two(options);
    const robber = await lab.session({ clientId, client: 'phone' });
    await take(driver, ['ALMotion', 'Lamp']);
    await expect(take(robber, ['ALMotion'])).rejects.toMatchObject(held); // asked without taking over
    await take(robber, ['ALMotion'], true);
    expect(driver.told).toContainEqual(['leaseLost', 1, 'taken-over', `phone (${clientId.slice(0, 6)})`]);
    await expect((await driver.service('ALMotion'))['moveToward']?.(1, 0, 0)).rejects.toMatchObject(held);
    // A lease is one whole: what was taken with it is free.
    expect(lab.safety.leases.list().map(({ services }) => services)).toEqual([['ALMotion']]);
  });
});

describe('motion that comes late', () => {
  it('is refused after a silence, and nothing else is', async () => {
    const { lab, driver } = await two();
    const motion = await driver.service('ALMotion');
    driver.isStale = true;
    await expect(motion['moveToward']?.(1, 0, 0)).rejects.toMatchObject({
      code: 'motion-stale',
      maybeExecuted: false,
      data: { service: 'ALMotion', member: 'moveToward' },
    });
    await expect(motion['stiffness']?.setValue(1)).rejects.toMatchObject({ code: 'motion-stale' });
    motion['moveToward']?.post(1, 0, 0);
    await motion['stopMove']?.();
    await motion['getRobotPosition']?.(true);
    await (await driver.service('Lamp'))['on']?.();
    expect(lab.log).toEqual(['stop', 'lamp on']);
    driver.isStale = false;
    await motion['moveToward']?.(1, 0, 0);
    expect(lab.log).toEqual(['stop', 'lamp on', 'move 1 0 0']);
  });

  it('lets through what stops the robot, whatever class it was given', async () => {
    const { lab, driver } = await two({ classes: [{ pattern: 'ALMotion.stopMove', memberClass: 'motion' }] });
    const motion = await driver.service('ALMotion');
    driver.isStale = true;
    await motion['stopMove']?.();
    expect(lab.log).toEqual(['stop']);
  });

  it('stays late while it waits for its service to be fetched', async () => {
    const { lab, driver } = await two({ classes: [{ pattern: 'Slow.*', memberClass: 'motion' }] });
    let arrive = (): void => {};
    const ready = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const object = await lab.bus.service('Lamp');
    const id = lab.bus.registerSource('Slow', async () => {
      await ready;
      return object;
    });
    lab.bus.registry.ready(id);
    const lamp = await driver.raw('Lamp');
    const remote = driver.peer.remoteObject(id, 1, { metaObject: lamp.metaObject.bytes });
    const outcome = new Promise((resolve) => {
      driver.isStale = true;
      const action = [...lamp.metaObject.methods.values()].find(({ name }) => name === 'on')?.uid ?? 0;
      const payload = encodePayload('()', [], plainObjects);
      remote.call({ action, payload }, { reply: () => resolve('made'), error: resolve, canceled: () => resolve('no') });
    });
    await settled();
    driver.isStale = false;
    arrive();
    expect(await outcome).toMatchObject({ code: 'motion-stale' });
    expect(lab.log).toEqual([]);
  });
});

describe('ways in without a session', () => {
  it('the HTTP door asks too', async () => {
    const { lab, driver } = await two();
    const { bus, clock, safety } = lab;
    const door = createDoor(bus, { clock, newEpoch: () => 'e', refuse: safety.refuse });
    const ask = async (method: string, path: string, body = ''): Promise<{ status: number; text: string }> => {
      const answer = await door.handle({
        method,
        path,
        headers: body === '' ? {} : { 'content-type': 'application/json' },
        body: new TextEncoder().encode(body),
      });
      return { status: answer.status, text: new TextDecoder().decode(answer.body as Uint8Array) };
    };
    expect((await ask('POST', '/robot/services/ALMotion/moveToward', '[1, 0, 0]')).status).toBe(200);
    await take(driver, ['ALMotion']);
    const refused = await ask('POST', '/robot/services/ALMotion/moveToward', '[0, 1, 0]');
    expect(refused.status).toBe(423);
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'lease-held' });
    expect((await ask('PUT', '/robot/services/ALMotion/stiffness', '{"value": 1}')).status).toBe(423);
    expect((await ask('GET', '/robot/services/ALMotion/stiffness')).text).toBe('{"value":0}\n');
    expect((await ask('GET', '/robot/services/ALMotion')).status).toBe(200);
    expect((await ask('POST', '/robot/services/ALMotion/getRobotPosition', '[true]')).status).toBe(200);
    expect(lab.safety.leases.size).toBe(1);
    expect((await ask('POST', '/robot/services/ALMotion/stopMove', '[]')).status).toBe(200);
    expect(driver.told).toContainEqual(['leaseLost', 1, 'stopped', '']);
    expect(lab.log).toEqual(['move 1 0 0', 'stop']);
    door.close();
  });

  it('qi programs have no session and are on duty only while there are leases', async () => {
    const { lab, driver } = await two();
    const guard = lab.safety.guardFor();
    expect(guard.isOnDuty).toBe(false);
    const id = await take(driver, ['ALMotion']);
    expect(guard.isOnDuty).toBe(true);
    const { serviceId } = await lab.bus.serviceInfo('ALMotion');
    const { metaObject } = lab.motion;
    const move = [...metaObject.methods.values()].find(({ name }) => name === 'moveToward')?.uid ?? 0;
    const payload = encodePayload('(fff)', [1, 0, 0], plainObjects);
    const message = { service: serviceId, object: lab.motion, action: move, payload, isLate: false };
    expect(guard.refuse(message)).toMatchObject({ code: 'lease-held' });
    await driver.own['dropLease']?.(id);
    expect(guard.isOnDuty).toBe(false);
  });
});
