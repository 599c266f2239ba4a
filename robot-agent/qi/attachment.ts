// One time of being on the bus: the socket to the directory, its client, the sockets to other hosts. Ends as a whole.
import { type BusClient, joinDirectory } from '@qiway/protocol/directory/bus-client';
import { explainError } from '@qiway/protocol/directory/explain-error';
import { QiwayError } from '@qiway/protocol/errors';
import type { Authenticator } from './authentication.ts';
import type { Capabilities } from './capabilities.ts';
import { dial } from './dial.ts';
import { formatEndpoint, plainAddress, type QiAddress } from './endpoints.ts';
import { HostSockets } from './host-sockets.ts';
import { openPeer, type PeerSocket, type PeerSocketOptions } from './peer-socket.ts';
import type { TlsClient } from './tls-client.ts';

export interface AttachOptions extends Omit<PeerSocketOptions, 'services' | 'scheme'> {
  readonly address: QiAddress;
  /** Towards the directory, and towards hosts of services. */
  readonly tls: TlsClient;
  readonly authenticator?: Authenticator;
  readonly capabilities?: Capabilities;
  /** Default: the directory's when it was reached by loopback, for then it is the same machine; else this machine's own. */
  readonly machineId: string | undefined;
  readonly ownMachineId: () => string;
  readonly sessionId: string;
  /** Gives up an attachment that is not complete yet. */
  readonly abort: AbortSignal;
  /** Where this process listens. */
  readonly endpoints: () => readonly string[];
  /** A service left the bus: those who came in by our own port must hear of it. */
  readonly onServiceRemoved: (serviceId: number, error: QiwayError) => void;
}

export interface Attachment {
  readonly client: BusClient;
  /** This machine's address on the way to the directory: where the robot's programs can reach it. */
  readonly localAddress: string;
  /** Settles when the directory's socket is closed. */
  readonly closed: Promise<QiwayError>;
  /** Takes this side's services off the bus and closes all sockets. */
  close(error: QiwayError): Promise<void>;
}

/** @throws `dial-failed`, `unauthorized`, `protocol-mismatch`, `timeout`, `link-lost` */
export async function attach(options: AttachOptions): Promise<Attachment> {
  const { address, clock, timeoutMs, abort, tls } = options;
  const { scheme } = address;
  const dialling = dial(address, { clock, timeoutMs, tls });
  const stopDialling = (): void => dialling.stop();
  abort.addEventListener('abort', stopDialling, { once: true });
  // The signal outlives many attempts.
  const { socket } = await dialling.opened.finally(() => abort.removeEventListener('abort', stopDialling));
  const localAddress = plainAddress(socket.localAddress ?? '127.0.0.1');
  const drop = (): void => {
    socket.destroy();
  };
  abort.addEventListener('abort', drop, { once: true });
  if (abort.aborted) drop();
  socket.once('close', () => abort.removeEventListener('abort', drop));
  let client: BusClient | undefined;
  const directory = await openPeer(socket, {
    ...options,
    scheme,
    isDirectory: true,
    services: (serviceId) => client?.ownService(serviceId),
  });
  const machine = (): string =>
    options.machineId ??
    (directory.isRemoteLoopback && client !== undefined ? client.machineId : options.ownMachineId());
  const hosts = new HostSockets({ ...options, machineId: machine, prefersTls: scheme !== 'tcp' });
  try {
    client = await joinDirectory({
      explain: explainError,
      peer: directory.peer,
      clock,
      timeoutMs,
      identity: {
        get machineId() {
          return machine();
        },
        processId: process.pid,
        sessionId: options.sessionId,
        endpoints: options.endpoints,
      },
      reach: (info) => hosts.reach(info),
      onServiceRemoved: (serviceId, error) => {
        hosts.endService(serviceId, error);
        options.onServiceRemoved(serviceId, error);
      },
    });
  } catch (error) {
    directory.close(new QiwayError('closed', 'The directory did not answer as one.', { cause: error }));
    throw error;
  }
  abort.removeEventListener('abort', drop);
  const { machineId } = client;
  hosts.add(directory, machineId, ['qi:ServiceDirectory', formatEndpoint(address), directory.remoteEndpoint]);
  const lost = new QiwayError('bus-down', 'The service directory went away.', {
    data: { url: formatEndpoint(address) },
  });
  client.listen({
    serviceRemoved: ({ name }) => hosts.forgetName(name),
    // A directory may take itself off its bus and leave the socket open.
    stateChanged: (_state, reason) => directory.close(reason ?? lost),
  });
  if (client.state !== 'up') directory.close(lost);
  directory.closed.then((reason) => hosts.close(reason));
  return {
    client,
    localAddress,
    closed: directory.closed,
    close: (error) => end({ client: client as BusClient, directory, hosts }, error),
  };
}

async function end(
  {
    client,
    directory,
    hosts,
  }: { readonly client: BusClient; readonly directory: PeerSocket; readonly hosts: HostSockets },
  error: QiwayError,
): Promise<void> {
  await client.close();
  hosts.close(error);
  directory.close(error);
  await directory.closed;
}
