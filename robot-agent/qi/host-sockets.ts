// The way to the hosts of services: one socket per host, found by the endpoints it is known under. Client side.
import type { ServiceInfo } from '@qiway/protocol/bus/bus';
import type { Peer } from '@qiway/protocol/bus/peer';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { Authenticator } from './authentication.ts';
import { type Dialled, dialFirst } from './dial.ts';
import { candidates } from './endpoints.ts';
import { openPeer, type PeerSocket, type PeerSocketOptions } from './peer-socket.ts';
import type { TlsClient } from './tls-client.ts';

export interface HostSocketsOptions extends Omit<PeerSocketOptions, 'services' | 'scheme'> {
  readonly tls: TlsClient;
  /** The directory is spoken to over TLS: then hosts are as well, where they can. */
  readonly prefersTls: boolean;
  readonly authenticator?: Authenticator;
  /** The id of this machine; it may be known only after the directory was asked. */
  readonly machineId: () => string;
}

export class HostSockets {
  readonly #options: HostSocketsOptions;
  /** By machine and endpoint, absolute or relative; open ones and ones being opened. */
  readonly #known = new Map<string, Promise<PeerSocket>>();
  readonly #open = new Set<PeerSocket>();
  #closedWith: QiwayError | undefined;

  constructor(options: HostSocketsOptions) {
    this.#options = options;
  }

  /** A socket that is there already: the directory's, under its machine and the addresses it was reached by. */
  add(peerSocket: PeerSocket, machineId: string, endpoints: readonly string[]): void {
    this.#remember(Promise.resolve(peerSocket), machineId, endpoints);
  }

  /** The host of a service. @throws `endpoint-unreachable`, `unauthorized`, `timeout` */
  async reach(info: ServiceInfo): Promise<Peer> {
    const { machineId } = info;
    for (const endpoint of info.endpoints) {
      const known = this.#known.get(key(machineId, endpoint));
      if (known !== undefined) return (await known).peer;
    }
    const opening = this.#dial(info);
    this.#remember(opening, machineId, info.endpoints);
    return (await opening).peer;
  }

  /** A service left the bus: nothing of it is reachable any more. */
  endService(serviceId: number, error: QiwayError): void {
    for (const { peer } of this.#open) peer.endService(serviceId, error);
  }

  /** The name may be another host's from now on. */
  forgetName(name: string): void {
    for (const each of [...this.#known.keys()]) if (each.endsWith(` qi:${name}`)) this.#known.delete(each);
  }

  /** Closes every socket opened here; no new one is opened. */
  close(error: QiwayError): void {
    this.#closedWith = error;
    for (const peerSocket of [...this.#open]) peerSocket.close(error);
    this.#known.clear();
  }

  async #dial(info: ServiceInfo): Promise<PeerSocket> {
    const { clock, timeoutMs, machineId, tls, prefersTls } = this.#options;
    let dialled: Dialled;
    try {
      const addresses = candidates(info, machineId(), { schemes: tls.schemes, prefersTls });
      dialled = await dialFirst(addresses, { clock, timeoutMs, tls });
    } catch (error) {
      throw notReached(info, asQiwayError(error));
    }
    const { socket, scheme } = dialled;
    if (this.#closedWith !== undefined) {
      socket.destroy();
      throw this.#closedWith;
    }
    const opened = await openPeer(socket, {
      ...this.#options,
      scheme,
      // Services are called on the sockets of their hosts, and there only objects given as arguments are ours.
      services: () => undefined,
    }).catch((error: unknown) => {
      throw this.#closedWith ?? notReached(info, asQiwayError(error));
    });
    this.#open.add(opened);
    opened.closed.then(() => this.#open.delete(opened));
    const closedWith = this.#closedWith ?? opened.peer.closedWith;
    if (closedWith !== undefined) {
      opened.close(closedWith);
      throw closedWith;
    }
    return opened;
  }

  #remember(opening: Promise<PeerSocket>, machineId: string, endpoints: readonly string[]): void {
    const keys = endpoints.map((endpoint) => key(machineId, endpoint));
    for (const each of keys) this.#known.set(each, opening);
    const drop = (): void => {
      for (const each of keys) if (this.#known.get(each) === opening) this.#known.delete(each);
    };
    opening.then((peerSocket) => {
      const reached = key(machineId, peerSocket.remoteEndpoint);
      this.#known.set(reached, opening);
      keys.push(reached);
      peerSocket.closed.then(drop);
    }, drop);
  }
}

/** A host that closes in the handshake is not reached: `link-lost` is a client's own link. */
function notReached({ name, endpoints }: ServiceInfo, reason: QiwayError): QiwayError {
  const sentence = `Service ${name} cannot be reached: ${sentenceOf(reason)}`;
  const { code, data } = reason;
  const absolute = endpoints.filter((endpoint) => !endpoint.startsWith('qi:'));
  return code === 'link-lost'
    ? new QiwayError('endpoint-unreachable', sentence, { data: { endpoints: absolute }, cause: reason })
    : new QiwayError(code, sentence, { data, cause: reason });
}

function key(machineId: string, endpoint: string): string {
  return `${machineId} ${endpoint}`;
}
