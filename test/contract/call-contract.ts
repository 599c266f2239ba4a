// The part of the bus contract about calls: values, failures, cancelling, posts, bulk.
import { describe, expect, test } from 'vitest';
import { EMPTY_BYTES, NO_OBJECTS } from '../../protocol/bus/bus.ts';
import { asDynamic, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { callMethod, failureOf, methodOf, signalOf, start, startCall, watch } from './calls.ts';
import type { ContractState } from './contract-state.ts';

const MEBIBYTE = 1_048_576;
/** Method id that no object of the tests has. */
const NO_SUCH_ACTION = 9999;

export function callContract(get: () => ContractState): void {
  describe('calls', () => {
    test.each([
      ['echoBool', true],
      ['echoInt64', -5_000_000_000n],
      ['echoUInt64', 18_446_744_073_709_551_615n],
      ['echoDouble', Math.PI],
      ['echoString', 'héllo'],
      ['echoRaw', new Uint8Array([0, 1, 255])],
      ['echoListInt', [1, -2, 3]],
      ['echoMapStringInt', { a: 1, b: 2 }],
      ['echoPair', [4, 'four']],
      ['echoPoint', { x: 1, y: -2, name: 'pt' }],
      ['echoDynamic', ['a', 1.5]],
      ['echoOptionalInt', null],
    ])('%s gives back what it got', async (name, value) => {
      expect(await callMethod(get().remote, name, value)).toEqual(value);
    });

    test('a method without result answers', async () => {
      expect(await callMethod(get().remote, 'doNothing')).toBeUndefined();
    });

    test('a method of any arguments takes a tuple of them', async () => {
      const { remote } = get();
      const { uid } = methodOf(remote, 'countArguments');
      const payload = asDynamic(encodePayload('(isd)', [1, 'b', 3], plainObjects));
      expect(await start(remote, { action: uid, payload }).outcome).toBe(3);
    });

    test('arguments sent as a dynamic are converted by the callee', async () => {
      const { remote } = get();
      const { uid } = methodOf(remote, 'echoInt32');
      const payload = asDynamic(encodePayload('(d)', [7], plainObjects));
      expect(await start(remote, { action: uid, payload }).outcome).toBe(7);
      const unfit = asDynamic(encodePayload('(s)', ['abc'], plainObjects));
      const error = await failureOf(start(remote, { action: uid, payload: unfit }).outcome);
      expect(error.message).toContain('conversion failure from String to Int32');
    });

    test('the result comes in the signature asked for', async () => {
      const { remote } = get();
      const { uid } = methodOf(remote, 'echoInt32');
      const ask = (returnSignature: string) =>
        start(remote, { action: uid, payload: encodePayload('(i)', [7], plainObjects), returnSignature }).outcome;
      expect(await ask('[d]').catch((error: Error) => error.message)).toContain(
        'will not be able to convert return type',
      );
      expect(await ask('d')).toBe(7);
    });

    test.each(['fail', 'failFuture'])('what a method says when it fails arrives unchanged (%s)', async (name) => {
      const error = await failureOf(callMethod(get().remote, name, 'my message: ü'));
      expect(error.code).toBe('call-failed');
      expect(error.data).toEqual({ text: 'my message: ü' });
      expect(error.maybeExecuted).toBe(false);
    });

    test('a call of an action that is none fails', async () => {
      const payload = { signature: '()', bytes: EMPTY_BYTES, objects: NO_OBJECTS };
      const error = await failureOf(start(get().remote, { action: NO_SUCH_ACTION, payload }).outcome);
      expect(error.message).toContain('No such method');
    });

    test('a payload that is too short fails the call and nothing else', async () => {
      const { remote } = get();
      const payload = { signature: '(i)', bytes: new Uint8Array([1]), objects: NO_OBJECTS };
      await failureOf(start(remote, { action: methodOf(remote, 'echoInt32').uid, payload }).outcome);
      expect(await callMethod(remote, 'echoInt32', 3)).toBe(3);
    });

    test('cancelling asks the callee, who stops', async () => {
      const { remote, echo } = get();
      const { outcome, handle } = startCall(remote, 'slow', 60_000);
      await callMethod(remote, 'doNothing');
      expect(echo.slowCalls()).toBe(1);
      handle.cancel();
      handle.cancel();
      expect((await failureOf(outcome)).code).toBe('canceled');
    });

    test('a callee that cannot stop answers as usual', async () => {
      const { outcome, handle } = startCall(get().remote, 'slowUncancellable', 5);
      handle.cancel();
      expect(await outcome).toBe(2);
      handle.cancel();
    });

    test('a cancelled call that was never begun by the callee has one outcome', async () => {
      const { outcome, handle } = startCall(get().remote, 'echoInt32', 3);
      handle.cancel();
      expect(await outcome).toBe(3);
    });

    test('a posted method runs, a posted signal is emitted, a failing post is silent', async () => {
      const { remote, echo } = get();
      const heard = watch(remote, 'onEcho');
      await heard.ready;
      remote.post(methodOf(remote, 'doNothingWith').uid, encodePayload('(i)', [5], plainObjects));
      remote.post(methodOf(remote, 'failVoid').uid, encodePayload('()', [], plainObjects));
      remote.post(NO_SUCH_ACTION, encodePayload('()', [], plainObjects));
      remote.post(signalOf(remote, 'onEcho'), encodePayload('(s)', ['posted'], plainObjects));
      expect(await heard.events.count(1)).toEqual([['posted']]);
      await callMethod(remote, 'doNothing');
      expect(echo.noted).toEqual([5]);
    });

    test('many calls in flight get each its own answer', async () => {
      const { remote } = get();
      const numbers = Array.from({ length: 2000 }, (_, index) => index);
      expect(await Promise.all(numbers.map((number) => callMethod(remote, 'echoInt32', number)))).toEqual(numbers);
    });

    test('a call under way does not hold up another', async () => {
      const { remote } = get();
      const { outcome, handle } = startCall(remote, 'slow', 60_000);
      expect(await callMethod(remote, 'echoInt32', 1)).toBe(1);
      handle.cancel();
      await failureOf(outcome);
    });

    test('a mebibyte passes, both ways', async () => {
      const { remote } = get();
      const bytes = Uint8Array.from({ length: MEBIBYTE }, (_, index) => index * 7);
      expect(await callMethod(remote, 'sinkRaw', bytes)).toBe(MEBIBYTE);
      const back = (await callMethod(remote, 'echoRaw', bytes)) as Uint8Array;
      expect(Buffer.compare(back, bytes)).toBe(0);
    });
  });
}
