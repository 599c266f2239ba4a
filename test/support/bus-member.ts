// A program on an embedded bus, without sockets or links: everything goes through one pair of peers.
import { type BusClient, type HostIdentity, joinDirectory } from '../../protocol/directory/bus-client.ts';
import type { DirectoryCaller } from '../../protocol/directory/directory-object.ts';
import type { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { explainError } from '../../protocol/directory/explain-error.ts';
import { serveBus } from '../../protocol/directory/serve-bus.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { type PeerPair, peerPair } from './peer-pair.ts';

export interface Member {
  readonly client: BusClient;
  readonly pair: PeerPair;
  /** Ends without a word. */
  leave(): void;
}

/** What a program says of itself. */
export const MEMBER_IDENTITY: HostIdentity = {
  machineId: 'machine of the client',
  processId: 2,
  sessionId: 'client',
  endpoints: () => ['tcp://10.0.0.1:1'],
};

/** Joins, from outside unless told otherwise. */
export async function joinAsMember(
  bus: EmbeddedBus,
  changes: Partial<Pick<DirectoryCaller, 'place' | 'endpoints'>> = {},
): Promise<Member> {
  let client: BusClient | undefined;
  const pair = peerPair({
    services: (id) => bus.objectOf(id),
    clientServices: (id) => client?.ownService(id),
    errors: 'record',
  });
  const caller = { peer: pair.server, clock: systemClock, hasRelativeEndpoints: true, place: 'outside' } as const;
  const end = serveBus(bus, { ...caller, ...changes });
  client = await joinDirectory({
    peer: pair.client,
    clock: systemClock,
    timeoutMs: 10_000,
    identity: MEMBER_IDENTITY,
    explain: explainError,
  });
  const leave = (): void => {
    pair.cut();
    end();
  };
  // Whoever owns the peer closes it with the bus.
  client.listen({ stateChanged: (state) => state === 'closed' && leave() });
  return { client, pair, leave };
}
