// What a mirrored service holds of the robot's objects, and what it was handed: all of it is given back.
import { expect, test } from 'vitest';
import { type BusObject, NO_OBJECTS, type Payload } from '../../protocol/bus/bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { MirroredService } from '../../robot-agent/mirror/mirrored-service.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const AWAY = new QiwayError('bus-down', 'The bus is down.');
const LEFT = new QiwayError('service-gone', 'It left.');

/** One whose last reference is the test's to give away: released, it is gone. */
const lamp = (): BusObject => createObject({ take: method('(o)', 'v', () => {}), blinked: signal('(i)') });

function mirrored(object: BusObject): MirroredService {
  return new MirroredService(object, { name: 'Lamp', clock: virtualClock(), onLost: () => {} });
}

/** A payload with an object, which is its receiver's to release. */
function payloadWith(object: BusObject): Payload {
  return { signature: '(o)', bytes: new Uint8Array(0), objects: [object] };
}

test('the object on the robot’s bus, when the service is away and when it left', () => {
  const [first, second] = [lamp(), lamp()];
  const service = mirrored(first);
  expect(first.goneWith).toBeUndefined();
  service.leave(AWAY);
  expect(first.goneWith).toBeDefined();
  service.attach(second);
  service.end(LEFT);
  expect(second.goneWith).toBeDefined();
});

test('an object that comes when the service has left already, or is there', () => {
  const [late, more] = [lamp(), lamp()];
  const service = mirrored(lamp());
  service.attach(more);
  expect(more.goneWith).toBeDefined();
  service.end(LEFT);
  service.attach(late);
  expect(late.goneWith).toBeDefined();
});

test('the object when nobody holds the service any more', () => {
  const object = lamp();
  mirrored(object).release();
  expect(object.goneWith).toBeDefined();
});

test('what calls and posts carry while the service is away', () => {
  const service = mirrored(lamp());
  service.leave(AWAY);
  const [called, posted] = [lamp(), lamp()];
  const failures: string[] = [];
  const sink = { reply: () => {}, canceled: () => {}, error: ({ code }: QiwayError) => failures.push(code) };
  service.call({ action: 100, payload: payloadWith(called) }, sink);
  service.post(100, payloadWith(posted));
  expect([called.goneWith, posted.goneWith]).not.toContain(undefined);
  expect(failures).toEqual(['bus-down']);
});

test('what an event of a former object carries; and a subscription that was closed', async () => {
  let emit: (payload: Payload) => void = () => {};
  let isOpen = true;
  const former: BusObject = Object.assign(Object.create(lamp()) as BusObject, {
    release: () => {},
    onGone: () => () => {},
    subscribe: (_signal: number, sink: { event(payload: Payload): void }) => {
      emit = (payload) => sink.event(payload);
      return {
        ready: Promise.resolve(),
        close: async () => {
          isOpen = false;
        },
      };
    },
  });
  const service = mirrored(former);
  const heard: Payload[] = [];
  const subscription = service.subscribe(100, { event: (payload) => heard.push(payload), gone: () => {} });
  await subscription.ready;
  emit({ signature: '()', bytes: new Uint8Array(0), objects: NO_OBJECTS });
  await subscription.close();
  const carried = lamp();
  emit(payloadWith(carried));
  expect({ heard: heard.length, isOpen, isReleased: carried.goneWith !== undefined }).toEqual({
    heard: 1,
    isOpen: false,
    isReleased: true,
  });
});

test('the uid is that of the object that is there now', () => {
  const [first, second] = [lamp(), lamp()];
  const service = mirrored(first);
  expect(service.uid).toBe(first.uid);
  service.leave(AWAY);
  expect(service.uid).toBe(first.uid);
  service.attach(second);
  expect(service.uid).toBe(second.uid);
});
