// An agent that takes nothing any more: what a client serves to it is bounded, and nobody on the client's side is thrown at.
import { expect, test } from 'vitest';
import { createObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import type { Transport } from '../../protocol/session/transport.ts';
import { callMethod, failureOf } from '../contract/calls.ts';
import { memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

/** A transport that can be stopped up: what is sent from then on stays in it. */
function stoppable(transport: Transport): { readonly transport: Transport; stop(): void } {
  let isStopped = false;
  let kept = 0;
  const send: Transport['send'] = (message, rest) => {
    if (!isStopped) return transport.send(message, rest);
    for (const part of [message, ...(rest ?? [])]) kept += part.length;
    return false;
  };
  const stopped: Transport = {
    route: transport.route,
    get bufferedBytes() {
      return kept;
    },
    send,
    close: (code, reason) => transport.close(code, reason),
    listen: (listener) => transport.listen(listener),
  };
  const stop = (): void => {
    isStopped = true;
  };
  return { transport: stopped, stop };
}

async function hostingClient() {
  const door = memoryDoor();
  let stop = (): void => {};
  door.onDial = (transport) => {
    const stopped = stoppable(transport);
    stop = stopped.stop;
    return stopped.transport;
  };
  const session = await door.open({ limits: { maxMessageBytes: 10_000_000, maxQueuedBytes: 1_000_000 } });
  const loud = createObject({ said: signal('(r)'), fetch: method('()', 'r', () => new Uint8Array(60_000)) });
  await session.host('Loud', loud);
  const service = await door.bus.service('Loud');
  return { door, session, stop: () => stop(), loud, service };
}

test('answers and events that it does not take are left out, and what waits stays within bounds', async () => {
  const { door, session, stop, loud, service } = await hostingClient();
  const uid = [...service.metaObject.signals.values()].find(({ name }) => name === 'said')?.uid ?? 0;
  await service.subscribe(uid, { event: () => {}, gone: () => {} }).ready;
  stop();
  const calls = Array.from({ length: 40 }, () => failureOf(callMethod(service, 'fetch')));
  for (let count = 0; count < 400; count += 1) loud.emit('said', new Uint8Array(60_000));
  await settled();
  expect(session.state).toBe('up');
  expect(session.counts.queuedBytes).toBeLessThan(17_500_000);
  door.serverSessions[0]?.close();
  await Promise.all(calls);
});

test('a call that it does not take fails, and the link stays', async () => {
  const { session, stop, door } = await hostingClient();
  await door.bus.host('Sink', createObject({ take: method('(r)', 'v', () => {}) }));
  const sink = await session.service('Sink');
  stop();
  const calls = Array.from({ length: 40 }, () => failureOf(callMethod(sink, 'take', new Uint8Array(60_000))));
  await settled();
  expect(session.state).toBe('up');
  expect((await calls.at(-1))?.code).toBe('limit-exceeded');
  await session.close();
  await Promise.all(calls);
});
