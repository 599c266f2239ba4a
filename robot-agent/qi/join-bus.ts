// Joins a robot's bus: puts the pieces of the TCP side together.
import { randomUUID } from 'node:crypto';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { isLoopback } from '../address.ts';
import type { Logger } from '../logger.ts';
import { attach } from './attachment.ts';
import type { AuthenticationProvider, Authenticator } from './authentication.ts';
import type { Capabilities } from './capabilities.ts';
import { formatEndpoint, parseEndpoint, type Scheme } from './endpoints.ts';
import type { ListInterfaces } from './interfaces.ts';
import { type JoinedBus, TcpBus } from './joined-bus.ts';
import { listenAt, type QiListener } from './listener.ts';
import { machineId as ownMachineId } from './machine-id.ts';
import { SocketWatch } from './socket-watch.ts';
import { TlsClient } from './tls-client.ts';
import { checkServerTls, type TlsClientOptions, type TlsServerOptions } from './tls-options.ts';
import { updateEndpoints } from './update-endpoints.ts';

export interface JoinBusOptions {
  /**
   * Where services hosted here are offered, opened at the first `host`. Default: any free port of the address that faces
   * the directory, so that the robot's programs reach it, and nobody on other networks; of a directory on this machine
   * loopback. `tcp://0.0.0.0:0` for all networks.
   */
  readonly listen?: readonly string[];
  /** Whom to believe behind tcps:// and tcpsm://, the directory and hosts of services, and what to show them. */
  readonly tls?: TlsClientOptions;
  /** What the own port shows and asks for; with it the default port beside a tcps or tcpsm directory speaks as that. */
  readonly listenTls?: TlsServerOptions;
  /** The addresses of this machine; for tests. */
  readonly interfaces?: ListInterfaces;
  /** Default: the directory's when it is reached by loopback, else one made from this machine's own id. */
  readonly machineId?: string;
  /** What this side proves itself with, to the directory and to hosts of services. Default: nothing. */
  readonly authenticator?: Authenticator;
  /** Who may come in by the own port. Default: everybody who reaches it, as with libqi. */
  readonly authenticate?: AuthenticationProvider;
  readonly capabilities?: Capabilities;
  readonly clock?: Clock;
  /** For opening a socket, for a handshake, and for an answer of the directory. Default 10 s. */
  readonly timeoutMs?: number;
  /** Resolves at once, `down`, and goes on trying for ever, now and whenever the directory is lost. Default false. */
  readonly keepTrying?: boolean;
  /** With `keepTrying`: the directory was tried and not joined; it is tried again. Hears each failure. */
  readonly onAttemptFailed?: (reason: QiwayError) => void;
  readonly logger?: Logger;
}

const TIMEOUT_MS = 10_000;

/**
 * Joins the bus whose service directory is at `url`, such as `tcp://192.168.1.2:9559`.
 * @throws `invalid-argument` for a URL that is none, `config-invalid` for a TLS set-up that cannot work; `bus-down` when
 * nothing answers there, and `unauthorized`, `protocol-mismatch`, `timeout` for what answers wrongly (not with `keepTrying`)
 */
export async function joinBus(url: string, options: JoinBusOptions = {}): Promise<JoinedBus> {
  const {
    listen,
    tls = {},
    listenTls,
    interfaces,
    clock = systemClock,
    timeoutMs = TIMEOUT_MS,
    keepTrying = false,
    onAttemptFailed,
    logger,
    machineId,
    authenticate,
    ...rest
  } = options;
  const address = parseEndpoint(url);
  const client = new TlsClient(tls, address.scheme, new Date());
  const portScheme = listenTls === undefined ? 'tcp' : address.scheme;
  const schemes = listen?.map((each) => parseEndpoint(each, 'listen').scheme) ?? [portScheme];
  for (const scheme of schemes) checkServerTls(scheme, listenTls, new Date());
  const sessionId = randomUUID();
  const watch = new SocketWatch(clock);
  const bus = new TcpBus({
    url,
    keepTrying,
    onAttemptFailed,
    logger,
    after: (delayMs, run) => clock.after(delayMs, run),
    updateEndpoints: (bus, service) => updateEndpoints(bus, service, { clock, timeoutMs }),
    attach: (hooks) =>
      attach({
        ...rest,
        ...hooks,
        isKept: keepTrying,
        address,
        tls: client,
        clock,
        timeoutMs,
        machineId,
        ownMachineId,
        sessionId,
        watch,
      }),
    listen: ({ services, localAddress, onEndpoints }) =>
      listenAtAll(listen ?? [facing(localAddress, portScheme)], (one) =>
        listenAt(one, {
          ...rest,
          ...(authenticate === undefined ? {} : { provider: authenticate }),
          ...(logger === undefined ? {} : { logger }),
          ...(listenTls === undefined ? {} : { tls: listenTls }),
          ...(interfaces === undefined ? {} : { interfaces }),
          clock,
          timeoutMs,
          services,
          onEndpoints,
        }),
      ),
  });
  const began = bus.begin();
  if (keepTrying) {
    // Only what was attempted already may be waited for: the state says how it went.
    began.catch(() => {});
    return bus;
  }
  try {
    await began;
  } catch (thrown) {
    throw explain(asQiwayError(thrown), url);
  }
  return bus;
}

function facing(localAddress: string, scheme: Scheme): string {
  return formatEndpoint({ scheme, host: isLoopback(localAddress) ? '127.0.0.1' : localAddress, port: 0 });
}

/** All or none. */
async function listenAtAll(
  urls: readonly string[],
  listen: (url: string) => Promise<QiListener>,
): Promise<readonly QiListener[]> {
  const open: QiListener[] = [];
  try {
    for (const url of urls) open.push(await listen(url));
    return open;
  } catch (error) {
    await Promise.all(
      open.map((one) => one.close(new QiwayError('closed', 'Another address could not be listened at.'))),
    );
    throw error;
  }
}

function explain(error: QiwayError, url: string): QiwayError {
  if (error.code !== 'dial-failed' && error.code !== 'link-lost') return error;
  return new QiwayError(
    'bus-down',
    `There is no qi service directory at ${url}: ${sentenceOf(error)} Check that the robot is on, that the address is right, and that its port can be reached from here.`,
    { data: { url }, cause: error },
  );
}
