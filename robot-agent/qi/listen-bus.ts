// Serves an embedded bus as a service directory over TCP, so that programs made with libqi can join it.
import { DEFAULT_LIMITS } from '@qiway/protocol/bus/peer-options';
import type { ServingGuard } from '@qiway/protocol/bus/serving-side';
import type { Clock } from '@qiway/protocol/clock';
import type { DirectoryCaller } from '@qiway/protocol/directory/directory-object';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { DIRECTORY_ID } from '@qiway/protocol/directory/registry';
import { serveBus } from '@qiway/protocol/directory/serve-bus';
import { QiwayError } from '@qiway/protocol/errors';
import type { Budget } from '@qiway/protocol/session/budget';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import type { Logger } from '../logger.ts';
import type { AuthenticationProvider } from './authentication.ts';
import type { Capabilities } from './capabilities.ts';
import type { ListInterfaces } from './interfaces.ts';
import { type ListenerOptions, listenAt } from './listener.ts';
import type { PeerSocket } from './peer-socket.ts';
import type { TlsServerOptions } from './tls-options.ts';

export interface ListenBusOptions {
  /** Who is let in. Default: everybody who reaches the port, as on a robot. */
  readonly authenticate?: AuthenticationProvider;
  readonly capabilities?: Capabilities;
  /** What a tcps:// or tcpsm:// port shows and asks for. */
  readonly tls?: TlsServerOptions;
  readonly clock?: Clock;
  /** Time for a client to authenticate. */
  readonly timeoutMs?: number;
  readonly logger?: Logger;
  /** Bytes that may wait for one client. */
  readonly maxQueuedBytes?: number;
  /** What may wait for many together. */
  readonly budget?: Budget;
  /** Sockets at once. Default 4096. */
  readonly maxSockets?: number;
  /** Sockets of one address that have not authenticated yet. Default 128. */
  readonly maxWaitingPerAddress?: number;
  /** The addresses of this machine; for tests. */
  readonly interfaces?: ListInterfaces;
  /**
   * Whose programs come in. `inside` (default): those of the robot's own bus, which may change any service; the URL is
   * announced as an endpoint of the bus. `outside`: clients of a door. They are told that every service is at this URL.
   */
  readonly place?: DirectoryCaller['place'];
  /** What programs may not use at the moment. */
  readonly guard?: ServingGuard;
  /** A program may come in; it has not called anything yet. What is thrown refuses it, with that sentence. */
  readonly onOpen?: ListenerOptions['onOpen'];
  /** Once after `onOpen`, also when that threw. */
  readonly onClosed?: ListenerOptions['onClosed'];
  readonly onRefused?: (reason: QiwayError) => void;
}

export interface BusListenerHandle {
  /** The URL asked for, with the real port. */
  readonly url: string;
  /** Where programs are told to come: one per address of this machine when listening on all, as they are now. */
  readonly endpoints: readonly string[];
  /** Programs that are in. */
  readonly socketCount: number;
  /** Closes the port and all its sockets; what their programs registered leaves the bus. Idempotent. */
  close(): Promise<void>;
}

/** Long enough for a robot that is busy starting. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Offers `bus` at `url`, and announces that URL as an endpoint of its services.
 * @throws `invalid-argument` for the URL, `config-invalid` for the TLS set-up, `listen-failed`
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
    // One program, not the agent of many: it may ask as much at once as one page may.
    ...(isInside ? {} : { limits: { maxIncomingCalls: DEFAULT_LIMITS.maxIncomingCalls } }),
    onOpen: (peerSocket, data) => {
      onOpen?.(peerSocket, data);
      const { peer, agreed } = peerSocket;
      const { RelativeEndpointURI: hasRelativeEndpoints, ClientServerSocket: takesCalls } = agreed;
      const caller = { peer, clock, place, hasRelativeEndpoints, takesCalls };
      ends.set(peerSocket, serveBus(bus, isInside ? caller : { ...caller, endpoints: () => listener.endpoints }));
    },
    onClosed: (peerSocket, reason) => {
      ends.get(peerSocket)?.();
      ends.delete(peerSocket);
      onClosed?.(peerSocket, reason);
    },
    onEndpoints: () => announce(listener.endpoints),
  });
  /** What of the bus's endpoints is this listener's. */
  let told: readonly string[] = [];
  const announce = (endpoints: readonly string[]): void => {
    if (!isInside || !isOpen) return;
    bus.setEndpoints([...new Set([...announced(bus).filter((endpoint) => !told.includes(endpoint)), ...endpoints])]);
    told = endpoints;
  };
  let isOpen = true;
  announce(listener.endpoints);
  const close = async (): Promise<void> => {
    announce([]);
    isOpen = false;
    await listener.close(new QiwayError('closed', 'The service directory ended.'));
  };
  return {
    url: listener.url,
    get endpoints() {
      return listener.endpoints;
    },
    get socketCount() {
      return listener.peers.size;
    },
    close,
  };
}

function announced(bus: EmbeddedBus): readonly string[] {
  return bus.registry.byId(DIRECTORY_ID)?.info.endpoints ?? [];
}
