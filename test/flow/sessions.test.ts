// Flow over whole sessions: what a client asks for is what the agent does, and a client that does not read costs nobody.
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, type HostedObject, signal } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { Property, RemoteObject, Signal } from '@qiway/protocol/objects/remote-types';
import { Budget } from '@qiway/protocol/session/budget';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { SessionHost, type SessionHostOptions } from '@qiway/protocol/session/session-host';
import { describe, expect, it } from 'vitest';
import { flowMembers } from '../../robot-agent/session/flow-members.ts';
import { createSessionObject } from '../../robot-agent/session/session-object.ts';
import { type Gate, gated } from '../support/gated-transport.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';
import { refusal } from '../support/remote-thing.ts';
import { settled } from '../support/virtual-clock.ts';

interface Sensor {
  measured: Signal<[count: number, body: Uint8Array]>;
  level: Property<number>;
  read(): number;
}

interface Lab {
  readonly door: MemoryDoor;
  readonly sensor: HostedObject;
  readonly counts: { eventsThinned: number; eventsMissed: number };
  /** A client, and whether it reads. */
  client(): Promise<{
    readonly session: ClientSession;
    readonly sensor: RemoteObject<Sensor>;
    /** Of the link of now. */
    readonly gate: () => Gate;
  }>;
}

async function lab(changes: Partial<SessionHostOptions> = {}): Promise<Lab> {
  const counts = { eventsThinned: 0, eventsMissed: 0 };
  const door = memoryDoor({
    ownObject: (session) => createSessionObject(session, [flowMembers]),
    eventCounts: counts,
    ...changes,
  });
  const sensor = createObject({ measured: signal('(ir)'), read: () => 42 });
  await door.bus.host('Sensor', sensor);
  const client: Lab['client'] = async () => {
    let gate: Gate | undefined;
    door.onDial = (transport) => {
      gate = gated(transport);
      return gate.transport;
    };
    const session = await door.open();
    const objects = createRemoteObjects({ clock: door.clock, report: () => {} });
    const remote = objects.wrap<Sensor>(await session.service('Sensor'));
    return { session, sensor: remote, gate: () => gate as Gate };
  };
  return { door, sensor, counts, client };
}

/** Emits so many events, each in a turn of its own, numbered on from `from`. */
async function emit(
  sensor: HostedObject,
  { from = 0, to, bytes }: { from?: number; to: number; bytes: number },
): Promise<void> {
  const body = new Uint8Array(bytes);
  for (let count = from; count < to; count += 1) {
    sensor.emit('measured', count, body);
    await Promise.resolve();
  }
  await settled();
}

describe('a client that stops reading', () => {
  it('finds only the newest of what it wanted as `latest`, and no gap', async () => {
    const { sensor, counts, client } = await lab();
    const { sensor: remote, gate } = await client();
    const heard: number[] = [];
    const gaps: unknown[] = [];
    await remote.measured.connect((count) => heard.push(count), {
      policy: 'latest',
      gap: (missed) => gaps.push(missed),
    });
    gate().stop();
    await emit(sensor, { to: 1000, bytes: 1000 });
    expect(heard).toEqual([]);
    gate().go();
    await settled();
    const last = heard.pop();
    expect(last).toBe(999);
    expect(heard).toEqual(Array.from({ length: heard.length }, (_, index) => index));
    expect(heard.length).toBeLessThan(150); // what may be on its way
    expect(counts).toEqual({ eventsThinned: 1000 - heard.length - 1, eventsMissed: 0 });
    expect(gaps).toEqual([]);
    await emit(sensor, { from: 1000, to: 1002, bytes: 1000 });
    expect(heard.slice(-2)).toEqual([1000, 1001]);
  });

  it('finds the first of what it wanted every one of, and how many are missing', async () => {
    const { sensor, counts, client } = await lab();
    const { sensor: remote, gate } = await client();
    const heard: (number | { missed: number | undefined })[] = [];
    await remote.measured.connect((count) => heard.push(count), { gap: (missed) => heard.push({ missed }) });
    gate().stop();
    await emit(sensor, { to: 400, bytes: 60_000 });
    gate().go();
    await settled();
    const kept = heard.length - 1;
    expect(kept * 60_000).toBeGreaterThan(16 * 1024 * 1024 - 60_000);
    expect(kept * 60_000).toBeLessThan(17 * 1024 * 1024);
    expect(heard).toEqual([...Array.from({ length: kept }, (_, index) => index), { missed: 400 - kept }]);
    expect(counts).toEqual({ eventsThinned: 0, eventsMissed: 400 - kept });
    await emit(sensor, { from: 400, to: 402, bytes: 10 });
    expect(heard.slice(kept + 1)).toEqual([400, 401]);
  });

  it('counts what is left out in an iterator, too', async () => {
    const { sensor, counts, client } = await lab();
    const { sensor: remote, gate } = await client();
    const every = remote.measured.events();
    await settled();
    gate().stop();
    await emit(sensor, { to: 400, bytes: 60_000 });
    gate().go();
    await settled();
    expect(every.missed).toBe(400 - 256); // those it keeps for its reader, all others on the way or here
    expect(counts.eventsMissed).toBeLessThan(every.missed + 1);
    await every.return?.();
  });

  it('is no reason for another to miss anything', async () => {
    const { sensor, client } = await lab();
    const [slow, quick] = [await client(), await client()];
    await slow.sensor.measured.connect(() => {});
    const heard: number[] = [];
    await quick.sensor.measured.connect((count) => heard.push(count), { gap: () => heard.push(-1) });
    slow.gate().stop();
    await emit(sensor, { to: 400, bytes: 60_000 });
    expect(heard).toEqual(Array.from({ length: 400 }, (_, index) => index));
    expect(await quick.sensor.read()).toBe(42);
  });

  it('is ended when all together keep too much and it keeps most; the others go on', async () => {
    const { door, sensor, client } = await lab({ budget: new Budget(20 * 1024 * 1024) });
    const [most, less, quick] = [await client(), await client(), await client()];
    const heard = { most: 0, less: 0, quick: 0 };
    await most.sensor.measured.connect(() => (heard.most += 1));
    await less.sensor.measured.connect(() => (heard.less += 1));
    await quick.sensor.measured.connect(() => (heard.quick += 1));
    most.gate().stop();
    await emit(sensor, { to: 160, bytes: 60_000 });
    less.gate().stop();
    await emit(sensor, { to: 240, bytes: 60_000 });
    expect(door.serverSessions.map(({ state }) => state)).toEqual(['closed', 'attached', 'attached']);
    less.gate().go();
    await settled();
    expect([heard.less, heard.quick]).toEqual([400, 400]);
    expect(await less.sensor.read()).toBe(42);
    const before = heard.most;
    most.gate().go(); // it reads that it was ended, and begins anew
    await door.clock.advance(5000);
    expect(await most.sensor.read()).toBe(42);
    await emit(sensor, { from: 400, to: 401, bytes: 10 });
    expect(heard.most).toBeGreaterThan(before);
    expect(heard.quick).toBe(401);
  });
});

describe('a session without link', () => {
  it('keeps one event of what is wanted as `latest`, for the next link', async () => {
    const { door, sensor, client } = await lab();
    const { sensor: remote, gate } = await client();
    const heard: number[] = [];
    await remote.measured.connect((count) => heard.push(count), { policy: 'latest' });
    const { onDial } = door;
    door.onDial = () => {
      throw new QiwayError('dial-failed', 'Nobody is there.');
    };
    gate().transport.close(1000, 'cut');
    await settled();
    await emit(sensor, { to: 100, bytes: 1000 });
    door.onDial = onDial;
    await door.clock.advance(5000);
    expect(heard).toEqual([99]);
  });
});

describe('a new session in place of the old', () => {
  it('is told again how events are wanted', async () => {
    const { door, sensor, client } = await lab();
    const { sensor: remote, gate } = await client();
    const heard: number[] = [];
    await remote.measured.connect((count) => heard.push(count), { policy: 'latest' });
    const counts = { eventsThinned: 0, eventsMissed: 0 };
    door.host = new SessionHost({ ...door.hostOptions, epoch: 'another', eventCounts: counts });
    gate().transport.close(1000, 'cut');
    await door.clock.advance(10_000);
    gate().stop();
    await emit(sensor, { to: 1000, bytes: 1000 });
    gate().go();
    await settled();
    expect(heard.at(-1)).toBe(999);
    expect(heard.length).toBeLessThan(150);
    expect(counts.eventsThinned).toBe(1000 - heard.length);
  });
});

describe('of several subscribers of one client', () => {
  it('the one who wants every event gets them, the others what they wanted', async () => {
    const { door, sensor, counts, client } = await lab();
    const { sensor: remote } = await client();
    const heard = { every: 0, seldom: [] as number[] };
    const off = await remote.measured.connect(() => (heard.every += 1));
    await remote.measured.connect((count) => heard.seldom.push(count), { maxHz: 10 });
    for (let count = 0; count < 20; count += 1) {
      await emit(sensor, { from: count, to: count + 1, bytes: 10 });
      await door.clock.advance(10);
    }
    await door.clock.advance(200);
    expect(heard).toEqual({ every: 20, seldom: [0, 9, 19] });
    expect(counts.eventsThinned).toBe(0); // on the way all were wanted
    await off();
    await settled();
    for (let count = 20; count < 40; count += 1) {
      await emit(sensor, { from: count, to: count + 1, bytes: 10 });
      await door.clock.advance(10);
    }
    await door.clock.advance(200);
    expect(heard.every).toBe(20);
    expect(heard.seldom.slice(3)).toEqual([20, 29, 39]);
    expect(counts.eventsThinned).toBe(17); // now they do not leave the agent
  });

  it('each may read the newest only, whatever the others do', async () => {
    const { sensor, client } = await lab();
    const { sensor: remote } = await client();
    const [newest, every] = [remote.measured.events({ policy: 'latest' }), remote.measured.events()];
    await settled();
    await emit(sensor, { to: 10, bytes: 10 });
    expect((await newest.next()).value?.[0]).toBe(9);
    expect((await every.next()).value?.[0]).toBe(0);
    expect([newest.missed, every.missed]).toEqual([0, 0]);
    await newest.return?.();
    await every.return?.();
  });

  it('none is made with options that are none', async () => {
    const { client } = await lab();
    const { sensor: remote } = await client();
    expect(await refusal(remote.measured.connect(() => {}, { maxHz: -1 }))).toMatchObject({ code: 'invalid-argument' });
    expect(await refusal(remote.measured.connect(() => {}, { policy: 'some' as never }))).toMatchObject({
      code: 'invalid-argument',
    });
  });
});
