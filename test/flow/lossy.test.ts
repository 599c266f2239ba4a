// The lossy lane: posts of which only the newest counts, and which never come late.
import type { PostOptions } from '@qiway/protocol/bus/bus';
import { createObject } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { RemoteObject } from '@qiway/protocol/objects/remote-types';
import type { Transport } from '@qiway/protocol/session/transport';
import { beforeEach, describe, expect, it } from 'vitest';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

interface Wheels {
  move(speed: number): void;
  turn(speed: number): void;
  stop(): void;
  take(thing: object): void;
}

let door: MemoryDoor;
let wheels: RemoteObject<Wheels>;
let done: (string | number)[];
/** What the client's transport holds; 0: all is gone. */
let buffered: number;
let drain: () => void;
let cut: () => void;

beforeEach(async () => {
  door = memoryDoor();
  done = [];
  buffered = 0;
  door.onDial = (inner) => {
    cut = () => inner.close(1000, 'cut');
    return Object.assign(Object.create(null) as Transport, {
      route: inner.route,
      send: (message: Uint8Array, rest?: readonly Uint8Array[]) => inner.send(message, rest) && buffered === 0,
      close: inner.close.bind(inner),
      listen: (listener: Parameters<Transport['listen']>[0]) => {
        drain = () => listener.drain();
        inner.listen(listener);
      },
      get bufferedBytes() {
        return buffered;
      },
    });
  };
  const hosted = createObject({
    move: (speed: number) => done.push(speed),
    turn: (speed: number) => done.push(`turn ${speed}`),
    stop: () => done.push('stop'),
    take: (_: object) => done.push('taken'),
  });
  await door.bus.host('Wheels', hosted);
  const session = await door.open();
  const objects = createRemoteObjects({ clock: door.clock, report: () => {} });
  wheels = objects.wrap<Wheels>(await session.service('Wheels'));
});

describe('what is posted as the latest', () => {
  it('goes at once while the way is free', async () => {
    for (const speed of [1, 2, 3]) {
      wheels.move.postLatest(speed);
      await settled();
    }
    expect(done).toEqual([1, 2, 3]);
  });

  it('is replaced by the next one of its method while the way is not free', async () => {
    buffered = 100;
    wheels.move.post(0); // now the transport has said to wait
    await settled();
    for (const speed of [1, 2, 3]) {
      wheels.move.postLatest(speed);
      wheels.turn.postLatest(speed);
      await settled();
    }
    expect(done).toEqual([0]);
    buffered = 0;
    drain();
    await settled();
    expect(done).toEqual([0, 3, 'turn 3']);
  });

  it('never comes after what was sent later to the same object', async () => {
    wheels.move.postLatest(5);
    const stopped = wheels.stop();
    await stopped;
    await settled();
    expect(done).toEqual(['stop']);
    buffered = 100;
    wheels.move.post(0);
    await settled();
    wheels.move.postLatest(7);
    wheels.stop.post();
    buffered = 0;
    drain();
    await door.clock.advance(100);
    expect(done).toEqual(['stop', 0, 'stop']);
  });

  it('is lost with the link, and not kept for the next', async () => {
    buffered = 100;
    wheels.move.post(0);
    await settled();
    wheels.move.postLatest(1);
    buffered = 0;
    cut();
    wheels.move.postLatest(2);
    await door.clock.advance(5000);
    expect(done).toEqual([0]);
    wheels.move.postLatest(3);
    await settled();
    expect(done).toEqual([0, 3]);
  });

  it('goes the reliable way when an object is in it', async () => {
    buffered = 100;
    wheels.move.post(0);
    await settled();
    wheels.take.postLatest({ hello: () => 'you' });
    await settled();
    expect(done).toEqual([0, 'taken']);
  });
});

it('an object of this process takes it as any other post', async () => {
  const service = await door.bus.service('Wheels');
  const options: PostOptions = { lane: 'lossy' };
  const stop = [...service.metaObject.methods.values()].find(({ name }) => name === 'stop');
  service.post(stop?.uid ?? -1, { signature: '()', bytes: new Uint8Array(0), objects: [] }, options);
  await settled();
  expect(done).toEqual(['stop']);
});
