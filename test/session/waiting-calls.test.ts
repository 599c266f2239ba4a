// Calls for a service that the agent is still fetching: they may be cancelled, and what refuses them says they have not run.
import { expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, method } from '../../protocol/objects/hosted-object.ts';
import { failureOf, startCall } from '../contract/calls.ts';
import { type PeerPairOptions, peerPair } from '../support/peer-pair.ts';
import { settled } from '../support/virtual-clock.ts';

interface Fetched {
  readonly remote: BusObject;
  readonly ran: string[];
  readonly found: () => void;
  readonly failed: (error: QiwayError) => void;
}

function fetched(options: Omit<PeerPairOptions, 'services'> = {}): Fetched {
  const ran: string[] = [];
  const object = createObject({ run: method('(s)', 's', (text: string) => ran.push(text) && text) });
  const { promise, resolve, reject } = Promise.withResolvers<BusObject>();
  let here: BusObject | undefined;
  const pair = peerPair({ ...options, services: () => here ?? promise });
  const found = (): void => {
    here = object;
    resolve(object);
  };
  const remote = pair.client.remoteObject(5, 1, { metaObject: object.metaObject.bytes });
  return { remote, ran, found, failed: reject };
}

test('a call that is cancelled while it waits is never made, and the others are, in order', async () => {
  const { remote, ran, found } = fetched();
  const calls = ['a', 'b', 'c'].map((text) => startCall(remote, 'run', text));
  await settled();
  calls[1]?.handle.cancel();
  expect(await failureOf(calls[1]?.outcome ?? Promise.resolve())).toMatchObject({ code: 'canceled' });
  found();
  expect(await Promise.all([calls[0]?.outcome, calls[2]?.outcome])).toEqual(['a', 'c']);
  expect(ran).toEqual(['a', 'c']);
});

test('its place is free for another', async () => {
  const { remote, ran, found } = fetched({ limits: { maxIncomingCalls: 1 } });
  const first = startCall(remote, 'run', 'first');
  const second = startCall(remote, 'run', 'second');
  expect(await failureOf(second.outcome)).toMatchObject({ code: 'limit-exceeded' });
  first.handle.cancel();
  await failureOf(first.outcome);
  const third = startCall(remote, 'run', 'third');
  await settled();
  found();
  expect(await third.outcome).toBe('third');
  expect(ran).toEqual(['third']);
});

test('when the service is not found, calls that waited have certainly not run, whatever cut the search', async () => {
  const { remote, failed } = fetched({ errors: 'record' });
  const { outcome } = startCall(remote, 'run', 'a');
  await settled();
  failed(new QiwayError('timeout', 'The host did not answer.', { maybeExecuted: true }));
  expect(await failureOf(outcome)).toMatchObject({ code: 'timeout', maybeExecuted: false });
});
