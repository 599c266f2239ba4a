// Objects of the robot that the program forgot: the garbage collector gives them back.
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { RemoteObject, Signal } from '@qiway/protocol/objects/remote-types';
import { expect, it } from 'vitest';
import { memoryDoor } from '../support/memory-session.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects until `isDone`; finalizers run in turns of their own. */
async function collectUntil(isDone: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 200 && !isDone(); turn += 1) {
    collect();
    await setImmediate();
  }
  return isDone();
}

interface Child {
  ping(): string;
  tick: Signal<[number]>;
}

it('gives forgotten objects back, and keeps those that are listened to', async () => {
  const door = memoryDoor();
  const children = [1, 2].map(() => createObject({ ping: method('()', 's', () => 'pong'), tick: signal('(i)') }));
  const maker = createObject({ child: method('(i)', 'o', (index: number) => children[index]) });
  await door.bus.host('Maker', maker);
  const session = await door.open();
  const objects = createRemoteObjects({ clock: door.clock, report: () => {} });
  const service = objects.wrap<{ child(index: number): RemoteObject<Child> }>(await session.service('Maker'));
  const before = session.counts.remoteObjects;

  const heard: number[] = [];
  await (async () => {
    expect(await (await service.child(0)).ping()).toBe('pong');
    await (await service.child(1)).tick.connect((count) => heard.push(count));
  })();
  expect(session.counts.remoteObjects).toBe(before + 2);
  expect(await collectUntil(() => session.counts.remoteObjects === before + 1)).toBe(true);
  children[1]?.emit('tick', 7);
  await setImmediate();
  expect(heard).toEqual([7]);
});
