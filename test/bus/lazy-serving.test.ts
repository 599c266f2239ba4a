// Messages for objects of a side whose serving part is not loaded yet: kept in order, bounded, refused when it does not come.
import type { BusObject } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import { makeMetaObject } from '@qiway/protocol/bus/metaobject';
import { Peer } from '@qiway/protocol/bus/peer';
import { serving } from '@qiway/protocol/bus/serving';
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { decodePayload, encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { lazyPart } from '@qiway/protocol/part';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../support/memory-session.ts';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const SERVICE = 7;

interface Fixture {
  /** The lazy side's main object, as the caller sees it. */
  readonly remote: BusObject;
  readonly lazy: Peer;
  readonly notes: string[];
  readonly loads: () => number;
  arrive(): Promise<void>;
  fail(): Promise<void>;
  call(text: string | Uint8Array): Promise<unknown>;
}

function fixture(): Fixture {
  const notes: string[] = [];
  const hosted = createObject({
    note: method('(s)', 's', (text: string) => {
      notes.push(String(text).slice(0, 20));
      return `noted ${notes.length}`;
    }),
  });
  let loads = 0;
  let pending: PromiseWithResolvers<{ serving: typeof serving }> | undefined;
  const part = lazyPart(() => {
    loads += 1;
    pending = Promise.withResolvers();
    return pending.promise;
  });
  const common = { randomUid: () => randomBytes(20) };
  const caller: Peer = new Peer({
    ...common,
    send: (header, bytes) => lazy.receive({ ...header }, bytes),
    serving: serving({ services: () => undefined, errors: 'record' }),
  });
  const lazy: Peer = new Peer({
    ...common,
    send: (header, bytes) => caller.receive({ ...header }, bytes),
    serving: lazyServing(part)({ services: (id) => (id === SERVICE ? hosted : undefined), errors: 'record' }),
  });
  const remote = caller.remoteObject(SERVICE, 1, { metaObject: makeMetaObject(hosted.metaObject).bytes });
  const clock = virtualClock();
  return {
    remote,
    lazy,
    notes,
    loads: () => loads,
    arrive: () => {
      pending?.resolve({ serving });
      return settled();
    },
    fail: () => {
      pending?.reject(new Error('404'));
      return settled();
    },
    call: async (text) => {
      const payload = encodePayload('(s)', [text], plainObjects);
      return decodePayload(
        await callObject(remote, { action: 100, payload }, { clock, timeoutMs: 1000 }),
        plainObjects,
      );
    },
  };
}

describe('a peer whose serving side comes later', () => {
  it('answers what came meanwhile in the order in which it came', async () => {
    const { call, remote, notes, loads, arrive, lazy } = fixture();
    expect(loads()).toBe(0);
    const first = call('a');
    remote.post(100, encodePayload('(s)', ['b'], plainObjects));
    const third = call('c');
    await settled();
    expect(notes).toEqual([]);
    expect(loads()).toBe(1);
    await arrive();
    expect(await Promise.all([first, third])).toEqual(['noted 1', 'noted 3']);
    expect(notes).toEqual(['a', 'b', 'c']);
    expect(lazy.counts.incomingCalls).toBe(0);
    expect(await call('d')).toBe('noted 4');
  });

  it('refuses when it does not come, and asks for it again with the next call', async () => {
    const { call, fail, arrive, loads } = fixture();
    const first = call('a');
    first.catch(() => {});
    await settled();
    await fail();
    await expect(first).rejects.toThrow('could not be loaded');
    const second = call('b');
    await settled();
    expect(loads()).toBe(2);
    await arrive();
    expect(await second).toBe('noted 1');
  });

  it('keeps a bounded number of bytes waiting', async () => {
    const { call, notes, arrive } = fixture();
    const large = new Uint8Array(9_000_000).fill(0x78);
    const first = call(large);
    const second = call(large);
    second.catch(() => {});
    await settled();
    await expect(second).rejects.toThrow('Too much waits');
    await arrive();
    await first;
    expect(notes).toHaveLength(1);
    expect(await call('after')).toBe('noted 2');
  });

  it('runs nothing for a side that closed meanwhile', async () => {
    const { call, notes, arrive, lazy } = fixture();
    call('a').catch(() => {});
    await settled();
    lazy.close(new QiwayError('closed', 'The page left.'));
    await arrive();
    expect(notes).toEqual([]);
  });
});
