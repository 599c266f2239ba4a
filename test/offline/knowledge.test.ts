// What is remembered of robots has bounds, and the oldest goes: the same in IndexedDB as in memory.
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test } from 'vitest';
import { indexedDbKnowledge } from '../../sdk/metaobjects/indexed-db-knowledge.ts';
import { type KnowledgeStore, newKnownRecord } from '../../sdk/metaobjects/knowledge-store.ts';
import { memoryKnowledge } from '../../sdk/metaobjects/memory-knowledge.ts';

const LIMITS = { maxRobots: 2, maxMetaObjects: 3, maxBytes: 100, maxMetaObjectBytes: 60 };
const LINK = 'ws://robot:8080/robot/link';

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

describe.each<[string, () => KnowledgeStore]>([
  ['IndexedDB', () => indexedDbKnowledge(LIMITS)],
  ['memory', () => memoryKnowledge(LIMITS)],
])('knowledge in %s', (_, open) => {
  let store: KnowledgeStore;
  let nowMs: number;
  beforeEach(() => {
    store = open();
    nowMs = 0;
  });
  const put = (name: string, size: number): Promise<void> => {
    nowMs += 1;
    return store.putMetaObject({ robot: 'robot', name, bytes: new Uint8Array(size), nowMs });
  };
  const sizes = async (...names: string[]): Promise<string> => {
    const found = await Promise.all(names.map((name) => store.metaObject('robot', name)));
    return found.map((bytes) => bytes?.length ?? '-').join(' ');
  };
  const putRobot = (id: string, link = LINK): Promise<void> => {
    nowMs += 1;
    return store.putRobot({ ...newKnownRecord(id), link, changedMs: nowMs });
  };

  test('keeps so many metaobjects, the newest', async () => {
    for (const name of ['a', 'b', 'c', 'a', 'd']) await put(name, 10);
    expect(await sizes('a', 'b', 'c', 'd')).toBe('10 - 10 10');
  });

  test('keeps so many bytes, and counts what was replaced or went no more', async () => {
    await put('a', 50);
    await put('b', 50);
    expect(await sizes('a', 'b')).toBe('50 50');
    await put('c', 1);
    expect(await sizes('a', 'b', 'c')).toBe('- 50 1');
    for (let count = 0; count < 10; count += 1) await put('c', 50);
    expect(await sizes('b', 'c')).toBe('50 50');
    await put('d', 50);
    await put('e', 50);
    expect(await sizes('b', 'c', 'd', 'e')).toBe('- - 50 50');
  });

  test('does not keep one that is too large, nor the one before it', async () => {
    await put('a', 60);
    expect(await sizes('a')).toBe('60');
    await put('a', 61);
    await put('b', 40);
    await put('c', 60);
    expect(await sizes('a', 'b', 'c')).toBe('- 40 60');
  });

  test('keeps so many robots, those that were changed last', async () => {
    for (const id of ['one', 'two']) await putRobot(id);
    expect((await store.robot('one'))?.id).toBe('one');
    for (const id of ['one', 'three']) await putRobot(id);
    expect(await Promise.all(['one', 'two', 'three'].map(async (id) => (await store.robot(id))?.id))).toEqual([
      'one',
      undefined,
      'three',
    ]);
  });

  test('names the robot that was reached last by a URL', async () => {
    await putRobot('one');
    await putRobot('two');
    expect([await store.robotAt(LINK), await store.robotAt('ws://elsewhere/robot/link')]).toEqual(['two', undefined]);
    await putRobot('one');
    expect(await store.robotAt(LINK)).toBe('one');
  });
});
