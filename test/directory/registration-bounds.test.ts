// What somebody may register: as much as robots need, and not what everybody else would have to carry.
import { describe, expect, test } from 'vitest';
import type { Peer } from '../../protocol/bus/peer.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { serveBus } from '../../protocol/directory/serve-bus.ts';
import { SERVICE_INFO_SIGNATURE } from '../../protocol/directory/service-info.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { peerPair } from '../support/peer-pair.ts';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const REGISTER = 102;

function caller(place: 'inside' | 'outside') {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const { server, sent } = peerPair({ services: (id) => bus.objectOf(id) });
  serveBus(bus, { peer: server, clock: virtualClock(), place, hasRelativeEndpoints: true });
  return { bus, register: (changes: object) => register(server, changes), sent: sent.server };
}

let nextId = 2;
function register(server: Peer, changes: object): void {
  const info = { name: `Service${nextId}`, serviceId: 0, machineId: '', processId: 1, endpoints: [], sessionId: '' };
  const payload = encodeValue(`(${SERVICE_INFO_SIGNATURE})`, [{ ...info, objectUid: '', ...changes }]);
  const header = { id: nextId++, size: payload.length, version: 0, flags: 0, type: MessageType.call };
  server.receive({ ...header, service: 1, object: 1, action: REGISTER }, payload);
}

describe('a service', () => {
  test.each([
    ['a name', { name: 'x'.repeat(1025) }],
    ['a machine', { machineId: 'x'.repeat(40_000) }],
    ['a session', { sessionId: 'x'.repeat(40_000) }],
    ['a uid', { objectUid: 'x'.repeat(40_000) }],
    ['an endpoint', { endpoints: ['x'.repeat(40_000)] }],
    ['a list of endpoints', { endpoints: Array.from({ length: 257 }, (_, index) => `tcp://127.0.0.1:${index}`) }],
  ])('with %s too long is refused by name', async (_, changes) => {
    const { register: tell, sent, bus } = caller('inside');
    tell(changes);
    await settled();
    expect(sent.at(-1)?.header.type).toBe(MessageType.error);
    expect(decodeValue('m', sent.at(-1)?.payload ?? new Uint8Array(0), { dynamics: 'unwrapped' })).toContain(
      'too long',
    );
    expect(bus.registry.byId(2)).toBeUndefined();
  });
});

describe('services of one program', () => {
  test('outside are 1024 at most; inside they are as many as the directory takes', async () => {
    for (const [place, refused] of [
      ['outside', 1],
      ['inside', 0],
    ] as const) {
      const { register: tell, sent } = caller(place);
      for (let each = 0; each <= 1024; each += 1) tell({});
      await settled();
      expect(sent.filter(({ header: { type } }) => type === MessageType.error)).toHaveLength(refused);
    }
  });
});
