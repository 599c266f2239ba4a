// Serves an embedded bus to one peer: a session's link or a qi socket. Layer 4.
// What the peer registered leaves the bus with it.

import type { Peer } from '../bus/peer.ts';
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import type { DirectoryCaller } from './directory-object.ts';
import type { EmbeddedBus } from './embedded-bus.ts';
import { fetchObject } from './fetch-object.ts';

export interface ServeOptions {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly hasRelativeEndpoints: boolean;
  readonly place: DirectoryCaller['place'];
  readonly takesCalls?: boolean;
  readonly endpoints?: () => readonly string[];
}

/** Time for the host of a service to tell its metaobject. */
const FETCH_TIMEOUT_MS = 10_000;

/**
 * The caller has made `peer` with `services: (id) => bus.objectOf(id)`. Returns how to end: to be called when the peer
 * is closed.
 */
export function serveBus(bus: EmbeddedBus, options: ServeOptions): () => void {
  const { peer, clock } = options;
  bus.introduce({
    ...options,
    fetch: async (serviceId) => {
      const uid = bus.registry.byId(serviceId)?.info.objectUid;
      try {
        return await fetchObject(peer, serviceId, {
          clock,
          timeoutMs: FETCH_TIMEOUT_MS,
          ...(uid === undefined ? {} : { uid }),
        });
      } catch (error) {
        // Asked all the same: small programs announce nothing, and answer.
        throw options.takesCalls === false && asQiwayError(error).code === 'timeout' ? takesNoCalls(error) : error;
      }
    },
  });
  const stopListening = bus.listen({
    serviceRemoved: ({ name, serviceId }) => {
      const gone = new QiwayError('service-gone', `Service ${name} left the bus.`, { data: { service: name } });
      peer.stopServing(serviceId, gone);
      // If it was this peer's: those who hold its objects here hear of it.
      peer.endService(serviceId, gone);
    },
  });
  return () => {
    stopListening();
    bus.registry.unregisterAllOf(peer);
  };
}

function takesNoCalls(cause: unknown): QiwayError {
  return new QiwayError(
    'unsupported',
    'The program that offers this takes no calls on the socket to its directory (capability ClientServerSocket), so it cannot be called from here.',
    { data: { what: 'ClientServerSocket' }, cause },
  );
}
