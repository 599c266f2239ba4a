// What a tab may do with ids at an object that it shares with other tabs, and what passes untouched.
import { NO_OBJECTS, type Payload } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { Dynamic, encodeValue } from '@qiway/protocol/wire/value';
import { describe, expect, it, vi } from 'vitest';
import { type Taking, WatchedObject, type WatchedOptions } from '../../sdk/owner/watched-object.ts';
import { callMethod, failureOf, methodOf, startCall, watch } from '../contract/calls.ts';

const SEAT: Taking = { take: 'take', giveBack: 'giveBack', about: ['move', 'paint'] };

/** Seats, of which ids from 1 on are given out; `mine` are those that were taken by this tab. */
function seats(changes: Partial<WatchedOptions> = {}) {
  const did: string[] = [];
  const note = (text: string): boolean => did.push(text) > 0;
  let last = 0;
  const inner = createObject({
    take: method('(s)', 'I', (name: string, { onCancel }: { onCancel(run: () => void): void }) => {
      note(`take ${name}`);
      if (name === '') throw new Error('no name');
      if (name === 'any that gets free')
        return new Promise<never>((_resolve, reject) => onCancel(() => reject(new QiwayError('canceled', 'Stopped.'))));
      last += 1;
      return last;
    }),
    giveBack: method('(I)', 'b', (id: number) => note(`giveBack ${id}`)),
    move: method('(I)', 'b', (id: number) => note(`move ${id}`)),
    paint: method('(Is)', 'v', (id: number, colour: string) => void note(`paint ${id} ${colour}`)),
    look: method('(I)', 's', (id: number) => `seat ${id}`),
    wait: method('()', 'v', ({ onCancel }: { onCancel(run: () => void): void }) => {
      return new Promise<void>((_resolve, reject) => onCancel(() => reject(new QiwayError('canceled', 'Stopped.'))));
    }),
    taken: signal('(I)'),
  });
  const mine = new Set<number>();
  const firsts: (number | undefined)[] = [];
  const object = new WatchedObject(inner, {
    takings: [SEAT],
    taken: (_taking, id, first) => {
      mine.add(id);
      firsts.push(first);
    },
    givenBack: (_taking, id) => mine.delete(id),
    isHeld: (_taking, id) => mine.has(id),
    ...changes,
  });
  return { inner, object, did, mine, firsts };
}

const payloadOf = (signature: string, args: readonly unknown[]): Payload => ({
  signature,
  bytes: encodeValue(signature, args),
  objects: NO_OBJECTS,
});

describe('what a tab takes', () => {
  it('is noted when it was given, and forgotten when it was given back', async () => {
    const { object, mine, firsts } = seats();
    expect(await callMethod(object, 'take', 'window')).toBe(1);
    expect([[...mine], firsts]).toEqual([[1], [undefined]]);
    expect(await callMethod(object, 'giveBack', 1)).toBe(true);
    expect([...mine]).toEqual([]);
  });

  it('is not noted when it was refused', async () => {
    const { object, mine } = seats();
    expect((await failureOf(callMethod(object, 'take', ''))).message).toContain('no name');
    expect([...mine]).toEqual([]);
  });

  it('is not noted when the call for it was cancelled', async () => {
    const { object, mine } = seats();
    const { handle, outcome } = startCall(object, 'take', 'any that gets free');
    handle.cancel();
    expect((await failureOf(outcome)).code).toBe('canceled');
    expect([...mine]).toEqual([]);
  });

  it('is answered also when it cannot be noted', async () => {
    const { object } = seats({
      taken: () => {
        throw new Error('full');
      },
    });
    expect(await callMethod(object, 'take', 'window')).toBe(1);
  });

  it('may be used', async () => {
    const { object, did } = seats();
    await callMethod(object, 'take', 'window');
    expect(await callMethod(object, 'move', 1)).toBe(true);
    await callMethod(object, 'paint', 1, 'red');
    expect(did).toEqual(['take window', 'move 1', 'paint 1 red']);
  });
});

describe('the id of another tab', () => {
  it('is as one that there is not, and the call goes no further', async () => {
    const { inner, object, did } = seats();
    await callMethod(inner, 'take', 'of another');
    expect(await callMethod(object, 'move', 1)).toBe(false);
    expect(await callMethod(object, 'giveBack', 1)).toBe(false);
    expect(did).toEqual(['take of another']);
  });

  it('is refused in words where no answer says so', async () => {
    const { inner, object, did } = seats();
    await callMethod(inner, 'take', 'of another');
    const refused = await failureOf(callMethod(object, 'paint', 1, 'red'));
    expect(refused).toMatchObject({ code: 'forbidden', data: { reason: 'another tab' }, maybeExecuted: false });
    expect(refused.message).toContain('paint: 1');
    expect(did).toEqual(['take of another']);
  });

  it('is refused also where it is not written as a number', async () => {
    const { object, did } = seats();
    const { uid } = methodOf(object, 'paint');
    const outcome = new Promise((resolve, reject) => {
      const payload = payloadOf('(ms)', [new Dynamic('s', '1'), 'red']);
      object.call({ action: uid, payload }, { reply: resolve, error: reject, canceled: reject });
    });
    expect((await failureOf(outcome)).code).toBe('forbidden');
    expect(did).toEqual([]);
  });

  it('may be asked about by members that touch nothing', async () => {
    const { inner, object } = seats();
    await callMethod(inner, 'take', 'of another');
    expect(await callMethod(object, 'look', 1)).toBe('seat 1');
  });
});

describe('a post', () => {
  it('neither takes, gives back nor touches: not even what the tab holds', async () => {
    const { inner, object, did, mine } = seats();
    const post = vi.spyOn(inner, 'post');
    await callMethod(object, 'take', 'window');
    for (const [name, signature, args] of [
      ['take', '(s)', ['aisle']],
      ['giveBack', '(I)', [1]],
      ['move', '(I)', [1]],
      ['paint', '(Is)', [1, 'red']],
    ] as const)
      object.post(methodOf(object, name).uid, payloadOf(signature, args));
    expect(post).not.toHaveBeenCalled();
    expect([did, [...mine]]).toEqual([['take window'], [1]]);
  });

  it('of another member passes, with how it is to go', () => {
    const { inner, object } = seats();
    const post = vi.spyOn(inner, 'post');
    const [action, payload] = [methodOf(object, 'look').uid, payloadOf('(I)', [1])];
    object.post(action, payload, { lane: 'lossy' });
    expect(post.mock.calls).toEqual([[action, payload, { lane: 'lossy' }]]);
  });

  it('that was meant for the owner goes no further', () => {
    const { inner, object } = seats({ post: (action) => action === 10_000 });
    const post = vi.spyOn(inner, 'post');
    object.post(10_000, payloadOf('()', []));
    expect(post).not.toHaveBeenCalled();
    object.post(methodOf(object, 'look').uid, payloadOf('(I)', [1]));
    expect(post).toHaveBeenCalledTimes(1);
  });
});

describe('a watched object', () => {
  it('is otherwise the object itself: events, cancelling, references, its end', async () => {
    const { inner, object } = seats();
    const references = [vi.spyOn(inner, 'retain'), vi.spyOn(inner, 'release')];
    expect([object.metaObject, object.uid]).toEqual([inner.metaObject, inner.uid]);
    const heard = watch(object, 'taken');
    await heard.ready;
    inner.emit('taken', 7);
    expect(await heard.events.count(1)).toEqual([[7]]);
    const { handle, outcome } = startCall(object, 'wait');
    handle.cancel();
    expect((await failureOf(outcome)).code).toBe('canceled');
    object.retain();
    object.release();
    expect(references.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    const gone = vi.fn();
    object.onGone(gone);
    inner.release();
    expect(gone).toHaveBeenCalledTimes(1);
    expect(object.goneWith).toBe(inner.goneWith);
  });
});
