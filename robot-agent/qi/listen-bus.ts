// Serves an embedded bus as a service directory over TCP, so that programs made with libqi can join it.
import type { Clock } from '@qiway/protocol/clock';
import type { DirectoryCaller } from '@qiway/protocol/directory/directory-object';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { DIRECTORY_ID } from '@qiway/protocol/directory/registry';
import { serveBus } from '@qiway/protocol/directory/serve-bus';
import { QiwayError } from '@qiway/protocol/errors';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import type { Logger } from '../logger.ts';
import type { AuthenticationProvider } from './authentication.ts';
import type { Capabilities } from './capabilities.ts';
import { type ListenerOptions, listenAt } from './listener.ts';
import type { PeerSocket } from './peer-socket.ts';

export interface ListenBusOptions {
  /** Who is let in. Default: everybody who reaches the port, as on a robot. */
  readonly authenticate?: AuthenticationProvider;
  readonly capabilities?: Capabilities;
  readonly clock?: Clock;
  /** Time for a client to authenticate. */
  readonly timeoutMs?: number;
  readonly logger?: Logger;
  /** Bytes that may wait for one client. */
  readonly maxQueuedBytes?: number;
  /**
   * Whose programs come in. `inside` (default): those of the robot's own bus, which may change any service; the URL is
   * announced as an endpoint of the bus. `outside`: clients of a door. They are told that every service is at this URL.
   */
  readonly place?: DirectoryCaller['place'];
  /** A program is in; it has not called anything yet. What it throws closes its socket. */
  readonly onOpen?: ListenerOptions['onOpen'];
  /** Once after `onOpen`, also when that threw. */
  readonly onClosed?: ListenerOptions['onClosed'];
  readonly onRefused?: (reason: QiwayError) => void;
}

export interface BusListenerHandle {
  /** The URL asked for, with the real port. */
  readonly url: string;
  /** Programs that are in. */
  readonly socketCount: number;
  /** Closes the port and all its sockets; what their programs registered leaves the bus. Idempotent. */
  close(): Promise<void>;
}

/** Long enough for a robot that is busy starting. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Offers `bus` at `url`, and announces that URL as an endpoint of its services.
 * @throws `invalid-argument`, `unsupported`, `listen-failed`
 */
export async function listenBus(
  bus: EmbeddedBus,
  url: string,
  options: ListenBusOptions = {},
): Promise<BusListenerHandle> {
  const {
    clock = systemClock,
    timeoutMs = HANDSHAKE_TIMEOUT_MS,
    authenticate,
    place = 'inside',
    onOpen,
    onClosed,
    ...rest
  } = options;
  const isInside = place === 'inside';
  const ends = new Map<PeerSocket, () => void>();
  const listener = await listenAt(url, {
    ...rest,
    clock,
    timeoutMs,
    ...(authenticate === undefined ? {} : { provider: authenticate }),
    services: (serviceId) => bus.objectOf(serviceId),
    onOpen: (peerSocket, data) => {
      onOpen?.(peerSocket, data);
      const { peer, agreed } = peerSocket;
      const caller = { peer, clock, place, hasRelativeEndpoints: agreed.RelativeEndpointURI };
      ends.set(peerSocket, serveBus(bus, isInside ? caller : { ...caller, endpoints: () => listener.endpoints }));
    },
    onClosed: (peerSocket, reason) => {
      ends.get(peerSocket)?.();
      ends.delete(peerSocket);
      onClosed?.(peerSocket, reason);
    },
  });
  if (isInside) bus.setEndpoints([...new Set([...announced(bus), ...listener.endpoints])]);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen && isInside)
      bus.setEndpoints(announced(bus).filter((endpoint) => !listener.endpoints.includes(endpoint)));
    isOpen = false;
    await listener.close(new QiwayError('closed', 'The service directory ended.'));
  };
  return {
    url: listener.url,
    get socketCount() {
      return listener.peers.size;
    },
    close,
  };
}

function announced(bus: EmbeddedBus): readonly string[] {
  return bus.registry.byId(DIRECTORY_ID)?.info.endpoints ?? [];
}
