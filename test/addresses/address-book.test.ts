// The address book: what it remembers over a load of the page, in what order, and what it forgets.
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, test } from 'vitest';
import { AddressBook, type BookStore } from '../../sdk/address-book/address-book.ts';
import { indexedDbStore } from '../../sdk/address-book/indexed-db-store.ts';
import {
  inOrder,
  MAX_ADDRESSES,
  newRecord,
  withAnnounced,
  withFailed,
  without,
  withWorked,
} from '../../sdk/address-book/robot-record.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const DAY_MS = 24 * 3600_000;
const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const url = (host: string): string => `ws://${host}:8080/robot/link`;
const [A, B, C] = [url('10.0.0.1'), url('10.0.0.2'), url('10.0.0.3')] as const;
const worked = (at: string) => ({ url: at, staticKey: KEY, route: 'direct' }) as const;

describe('the record of a robot', () => {
  test('has first where it was last found, then what it told, newest first, last where it has left', () => {
    let record = withAnnounced(newRecord('r'), [A, B], 1);
    record = withWorked(record, worked(url('proxy')), 2);
    expect(inOrder(record)).toEqual([url('proxy'), A, B]);
    record = withWorked(record, worked(B), 3);
    expect(inOrder(record)).toEqual([B, url('proxy'), A]);
    record = withAnnounced(record, [C, A], 4);
    expect(inOrder(record)).toEqual([url('proxy'), C, A, B]);
  });

  test('holds no more than the newest addresses, and of these those that worked', () => {
    let record = withWorked(newRecord('r'), worked(A), 1);
    for (let index = 0; index < 3 * MAX_ADDRESSES; index += 1)
      record = withAnnounced(record, [url(`10.0.1.${index}`)], index + 2);
    expect(record.addresses).toHaveLength(MAX_ADDRESSES);
    expect(inOrder(record).slice(0, 2)).toEqual([A, url(`10.0.1.${3 * MAX_ADDRESSES - 1}`)]);
  });

  test('takes no address that is none', () => {
    const record = withAnnounced(newRecord('r'), ['http://10.0.0.1', 'javascript:1', `ws://${'a'.repeat(999)}`, A], 1);
    expect(inOrder(record)).toEqual([A]);
  });

  test('forgets an address after two weeks of failures, and not one that works in between', () => {
    let record = withAnnounced(newRecord('r'), [A, B], 0);
    for (let day = 1; day <= 16; day += 1) {
      record = withFailed(record, A, day * DAY_MS);
      record = withFailed(record, B, day * DAY_MS);
      if (day === 10) record = withWorked(record, worked(B), day * DAY_MS);
    }
    expect(inOrder(record)).toEqual([B]);
  });

  test('forgets at once an address where another robot is', () => {
    expect(inOrder(without(withAnnounced(newRecord('r'), [A, B], 0), A, 1))).toEqual([B]);
  });
});

describe('the book', () => {
  const clock = virtualClock();
  let today = 0;

  beforeEach(() => {
    globalThis.indexedDB = new IDBFactory();
    today = 1000;
  });

  const open = (store: () => Promise<BookStore> = () => Promise.resolve(indexedDbStore())): AddressBook =>
    new AddressBook({ clock, today: () => today, loadStore: store });

  /** A later page, once what the earlier wrote is there. */
  async function laterPage(isThere: (urls: readonly string[]) => boolean): Promise<readonly string[]> {
    for (;;) {
      const record = (await indexedDbStore().read('r')) ?? newRecord('r');
      if (isThere(inOrder(record))) return inOrder(await open().recall('r'));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test('is the same after the page was loaded again, key and all', async () => {
    const book = open();
    book.announced('r', [A, B]);
    book.worked('r', worked(B));
    expect(await laterPage((urls) => urls[0] === B)).toEqual([B, A]);
    expect((await open().recall('r')).staticKey).toEqual(KEY);
    expect((await open().recall('another')).addresses).toEqual([]);
  });

  test('keeps what two tabs learn', async () => {
    const [one, other] = [open(), open()];
    await Promise.all([one.recall('r'), other.recall('r')]);
    one.announced('r', [A]);
    other.worked('r', worked(C));
    expect(await laterPage((urls) => urls.length === 2)).toEqual([C, A]);
  });

  test('remembers the robots that were used last', async () => {
    const store = indexedDbStore();
    for (let index = 0; index < 70; index += 1)
      await store.update(`robot-${index}`, () => withAnnounced(newRecord(`robot-${index}`), [A], index));
    expect(await store.read('robot-5')).toBeUndefined();
    expect(await store.read('robot-6')).toBeDefined();
    expect(await store.read('robot-69')).toBeDefined();
  });

  test.each([
    ['refuses', () => Promise.reject(new Error('SecurityError'))],
    [
      'breaks',
      () =>
        Promise.resolve<BookStore>({
          read: () => Promise.reject(new Error('broken')),
          update: () => Promise.reject(new Error('broken')),
        }),
    ],
  ])('a database that %s costs only what it would have remembered', async (_, store) => {
    const book = open(store);
    expect((await book.recall('r')).addresses).toEqual([]);
    book.announced('r', [A]);
    expect(inOrder(await book.recall('r'))).toEqual([A]);
  });

  test('a database that does not answer holds up nobody, and what was learned meanwhile stays', async () => {
    const book = open(() => new Promise(() => {}));
    const recalled = book.recall('r');
    book.announced('r', [A]);
    await clock.advance(300);
    expect(inOrder(await recalled)).toEqual([A]);
  });
});
