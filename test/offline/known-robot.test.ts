// What is remembered of a robot between sessions: by whom it is asked, how much, and that a store which hangs costs nothing.
import type { ServiceInfo } from '@qiway/protocol/bus/bus';
import { describe, expect, test } from 'vitest';
import { type KnowledgeStore, type KnownRecord, newKnownRecord } from '../../sdk/metaobjects/knowledge-store.ts';
import { KnownRobot } from '../../sdk/metaobjects/known-robot.ts';
import { memoryKnowledge } from '../../sdk/metaobjects/memory-knowledge.ts';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const LINK = 'ws://robot:8080/robot/link';

function info(name: string, serviceId = 7): ServiceInfo {
  const objectUid = new Uint8Array(20);
  return { name, serviceId, machineId: 'm', processId: 1, endpoints: [], sessionId: 's', objectUid };
}

function knownRobot(
  store: KnowledgeStore | undefined,
  clock: ReturnType<typeof virtualClock> = virtualClock(),
  today: () => number = () => 1,
): KnownRobot {
  const loadStore = async (): Promise<KnowledgeStore> => {
    if (store === undefined) throw new Error('refused');
    return store;
  };
  return new KnownRobot({ clock, today, link: LINK, loadStore });
}

describe('a robot that is known', () => {
  test('is remembered by its id, and by the URL where it was', async () => {
    const store = memoryKnowledge();
    const before = knownRobot(store);
    await before.open('robot');
    before.listed([info('Voice')]);
    before.classesTold([['Voice.*', 'once']]);
    before.learned('Voice', new Uint8Array([1, 2, 3]));
    await settled();
    const after = knownRobot(store);
    expect(await after.startsOffline(undefined)).toMatchObject({ robotId: 'robot' });
    expect(after.services).toEqual([info('Voice')]);
    expect(after.classes).toEqual([['Voice.*', 'once']]);
    expect(await after.metaObject('Voice')).toEqual(new Uint8Array([1, 2, 3]));
    expect(await knownRobot(store).startsOffline('another')).toBeUndefined();
  });

  test('what was told while the store was read is newer', async () => {
    const store = memoryKnowledge();
    await store.putRobot({ ...newKnownRecord('robot'), services: [info('Old')] });
    const known = knownRobot(store);
    const opening = known.open('robot');
    known.listed([info('New')]);
    await opening;
    // The old one has left.
    expect(known.services.map(({ name }) => name)).toEqual(['New', 'Old']);
    await settled();
    expect((await store.robot('robot'))?.services.map(({ name }) => name)).toEqual(['New']);
  });

  test('has the services that it took off before it was switched off, for ten minutes of being told others', async () => {
    const store = memoryKnowledge();
    let nowMs = 0;
    const before = knownRobot(store, virtualClock(), () => nowMs);
    await before.open('robot');
    before.listed([info('Directory', 1), info('Voice', 2), info('Motion', 3)]);
    before.removed(3);
    nowMs = 60_000;
    before.removed(2);
    await settled();
    nowMs = 3 * 24 * 3_600_000;
    const names = (known: KnownRobot): string => known.services.map(({ name }) => name).join(' ');
    const after = knownRobot(store, virtualClock(), () => nowMs);
    expect(await after.startsOffline('robot')).toMatchObject({ robotId: 'robot' });
    expect(names(after)).toBe('Directory Motion Voice');
    after.listed([info('Directory', 1)]);
    expect(names(after)).toBe('Directory');
    after.added(info('Voice', 9));
    after.removed(9);
    nowMs += 599_999;
    after.listed([info('Directory', 1)]);
    expect(names(after)).toBe('Directory Voice');
    after.added(info('Voice', 10));
    expect(after.services.map(({ serviceId }) => serviceId)).toEqual([1, 10]);
    after.removed(10);
    nowMs += 600_000;
    after.listed([info('Directory', 1)]);
    expect(names(after)).toBe('Directory');
  });

  test('what was remembered before services that left were is taken as it is', async () => {
    const store = memoryKnowledge();
    const { left: _, ...old } = { ...newKnownRecord('robot'), services: [info('Voice')] };
    await store.putRobot(old as unknown as KnownRecord);
    const known = knownRobot(store);
    await known.open('robot');
    expect(known.services).toEqual([info('Voice')]);
  });

  test('what changes later is remembered as well, also when it could not be once', async () => {
    const store = memoryKnowledge();
    let isFull = false;
    const known = knownRobot({
      ...store,
      putRobot: async (record) => {
        if (isFull) throw new Error('full');
        await store.putRobot(record);
      },
    });
    const stored = async (): Promise<string | undefined> =>
      (await store.robot('robot'))?.services.map(({ name }) => name).join(' ');
    await known.open('robot');
    known.listed([info('First')]);
    await settled();
    expect(await stored()).toBe('First');
    known.listed([info('Second')]);
    await settled();
    expect(await stored()).toBe('Second');
    isFull = true;
    known.listed([info('Third')]);
    await settled();
    isFull = false;
    known.listed([info('Fourth')]);
    await settled();
    expect(await stored()).toBe('Fourth');
  });

  test('of another robot nothing is taken, however late its record is read', async () => {
    const store = memoryKnowledge();
    await store.putRobot({ ...newKnownRecord('old'), services: [info('OfTheOld')] });
    const reading = Promise.withResolvers<void>();
    const known = knownRobot({
      ...store,
      robot: async (id) => {
        if (id === 'old') await reading.promise;
        return store.robot(id);
      },
    });
    const opening = known.open('old');
    await known.open('new');
    reading.resolve();
    await opening;
    expect(known.services).toEqual([]);
  });

  test('what calls do is what was told last, also while it was read', async () => {
    const store = memoryKnowledge();
    await store.putRobot({ ...newKnownRecord('robot'), classes: [['Voice.*', 'once']] });
    const known = knownRobot(store);
    const opening = known.open('robot');
    known.classesTold([['Voice.*', 'motion']]);
    await opening;
    expect(known.classes).toEqual([['Voice.*', 'motion']]);
  });

  test('is not changed by who goes on using the bytes of a metaobject', async () => {
    const known = knownRobot(memoryKnowledge());
    await known.open('robot');
    const bytes = Uint8Array.of(1, 2, 3);
    known.learned('Voice', bytes);
    bytes.fill(0);
    await settled();
    expect(await known.metaObject('Voice')).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('a store that is refused, or never answers, is done without', async () => {
    const refused = knownRobot(undefined);
    await refused.open('robot');
    refused.listed([info('Voice')]);
    refused.learned('Voice', new Uint8Array(1));
    expect(refused.services).toHaveLength(1);
    expect(await refused.metaObject('Voice')).toBeUndefined();
    const clock = virtualClock();
    const never = new Promise<never>(() => {});
    const hanging = knownRobot({ ...memoryKnowledge(), robot: () => never, metaObject: () => never }, clock);
    const asked = Promise.all([hanging.startsOffline('robot'), hanging.metaObject('Voice')]);
    await clock.advance(300);
    expect(await asked).toEqual([undefined, undefined]);
  });
});

describe('knowledge', () => {
  test('is bounded in bytes and numbers, and the oldest goes', async () => {
    const store = memoryKnowledge({ maxRobots: 2, maxMetaObjects: 3, maxBytes: 100, maxMetaObjectBytes: 60 });
    const put = (name: string, size: number): Promise<void> =>
      store.putMetaObject({ robot: 'robot', name, bytes: new Uint8Array(size), nowMs: 0 });
    const there = async (): Promise<string> => {
      const found = await Promise.all(['a', 'b', 'c', 'd'].map((name) => store.metaObject('robot', name)));
      return found.map((bytes) => bytes?.length ?? '-').join(' ');
    };
    for (const name of ['a', 'b', 'c', 'd']) await put(name, 10);
    expect(await there()).toBe('- 10 10 10');
    await put('a', 61);
    await put('d', 55);
    await put('b', 40);
    expect(await there()).toBe('- 40 - 55');
    for (const id of ['one', 'two', 'one', 'three']) await store.putRobot({ ...newKnownRecord(id), link: LINK });
    expect([await store.robot('two'), (await store.robot('one'))?.id]).toEqual([undefined, 'one']);
    expect(await store.robotAt(LINK)).toBe('three');
  });
});
