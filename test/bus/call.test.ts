// One call as a promise: what its time-out says.
import { expect, test } from 'vitest';
import { NO_OBJECTS } from '../../protocol/bus/bus.ts';
import { callObject } from '../../protocol/bus/call.ts';
import { createObject, method } from '../../protocol/objects/hosted-object.ts';
import { failureOf, methodOf } from '../contract/calls.ts';
import { virtualClock } from '../support/virtual-clock.ts';

test('what is left of a longer time is told in whole milliseconds', async () => {
  const clock = virtualClock();
  const object = createObject({ wait: method('()', 'v', () => new Promise(() => {})) });
  const payload = { signature: '()', bytes: new Uint8Array(0), objects: NO_OBJECTS };
  const request = { action: methodOf(object, 'wait').uid, payload };
  const outcome = failureOf(callObject(object, request, { clock, timeoutMs: 9961.569316000001 }));
  await clock.advance(10_000);
  expect(await outcome).toMatchObject({ message: '[timeout] No answer within 9962 ms.', data: { timeoutMs: 9962 } });
});
