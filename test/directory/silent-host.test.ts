// A program that registered a service and then says nothing: those who ask for it are not left waiting, and hear why.
import { expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { serveBus } from '../../protocol/directory/serve-bus.ts';
import { peerPair } from '../support/peer-pair.ts';
import { virtualClock } from '../support/virtual-clock.ts';

test.each([
  [false, 'unsupported', 'ClientServerSocket'],
  [true, 'timeout', 'No answer'],
] as const)('takes calls on its own socket: %s', async (takesCalls, code, sentence) => {
  const clock = virtualClock();
  const bus = new EmbeddedBus({ machineId: 'm', processId: 1, sessionId: 's' });
  const { server } = peerPair({
    services: (id) => bus.objectOf(id),
    // Never there: what is asked waits for it.
    clientServices: () => new Promise<BusObject>(() => {}),
  });
  serveBus(bus, { peer: server, clock, place: 'inside', hasRelativeEndpoints: true, takesCalls });
  const caller = bus.callerOf(server);
  const serviceId = bus.registerSource('Shy', () => caller?.fetch(serviceId) ?? Promise.reject(new Error()), {
    owner: server,
  });
  bus.registry.ready(serviceId);
  const asked = expect(bus.service('Shy')).rejects.toMatchObject({ code, message: expect.stringContaining(sentence) });
  await clock.advance(10_000);
  await asked;
});
