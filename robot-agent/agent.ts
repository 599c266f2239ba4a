// The agent put together: the robot's bus inside, one HTTP and WebSocket address outside, sessions between.
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '@qiway/protocol/clock';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { isQiwayError, QiwayError } from '@qiway/protocol/errors';
import { createDoor } from '@qiway/protocol/http-door/door';
import { Budget } from '@qiway/protocol/session/budget';
import { DEFAULT_LINK_LIMITS } from '@qiway/protocol/session/link';
import { SessionHost } from '@qiway/protocol/session/session-host';
import { formatAddress, isWildcard, type ListenAddress } from './address.ts';
import { type AgentAddresses, openAddresses } from './addresses/addresses.ts';
import { printedUrl } from './addresses/printed-url.ts';
import type { AgentConfig, TlsFiles } from './config.ts';
import { createGuard } from './door/guard.ts';
import { createHttpServer, type HttpLimits } from './door/http.ts';
import { openLinkDoor } from './door/link-door.ts';
import { createCounts } from './door/metrics.ts';
import { createOwnHosts, outsideAddress } from './door/own-hosts.ts';
import { createPageHosts } from './door/page-hosts.ts';
import { openQiDoor } from './door/qi-door.ts';
import { SessionTable } from './door/session-table.ts';
import { LINK_LIMITS, type LinkLimits } from './door/websocket.ts';
import { inWordsOfOptions, named } from './failed-start.ts';
import { openIdentity } from './identity/identity.ts';
import { openJournal } from './journal/journal.ts';
import { onceMembers } from './journal/once-members.ts';
import type { Logger } from './logger.ts';
import { type BusListenerHandle, fileAuthenticator, fileUsers, machineId, type TlsServerOptions } from './qi/index.ts';
import { joinRobotBus, listenRobotBus, type RobotBus, type RobotBusOptions } from './robot-bus.ts';
import { createSafety } from './safety/safety.ts';
import { flowMembers } from './session/flow-members.ts';
import { createSessionObject } from './session/session-object.ts';
import { agentVersion } from './version.ts';

export interface AgentParts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly httpLimits?: Partial<HttpLimits>;
  readonly linkLimits?: Partial<LinkLimits>;
}

export interface Agent {
  /** Where it listens, with the token and the robot's id in the fragment. */
  readonly url: string;
  /** Of the robot's identity. */
  readonly robotId: string;
  /** The same without the token. */
  readonly origin: string;
  /** What sessions and the HTTP door see: services can be hosted on it from within the process. */
  readonly bus: EmbeddedBus;
  /** Where the service directory is: the one joined, or the agent's own. */
  readonly busUrl: string;
  /** Where qi programs from outside come in, with real ports. */
  readonly qiUrls: readonly string[];
  /** Ends sessions, gives back the ports, leaves the bus. Idempotent. */
  close(): Promise<void>;
}

/** Each is told once; whoever invents names and origins does not fill the log. */
const MAX_TOLD_REFUSALS = 50;
/** How long clients have to take the goodbye before their sockets are cut. */
const CLOSE_GRACE_MS = 500;
/** One message of the largest size, and as much beside as a session on a weak radio needs. */
const SESSION_LIMITS = { maxMessageBytes: DEFAULT_LINK_LIMITS.maxMessageBytes, maxQueuedBytes: 160 * 1024 * 1024 };
/** In the state directory. */
const JOURNAL_FILE = 'journal.sqlite';
const PAGE_HOSTS_FILE = 'page-hosts';

/**
 * Starts the agent; resolves once it listens. A bus to join that is not there is waited for in the background.
 * @throws `listen-failed` when a port is taken or an address is not ours; `config-invalid`
 */
export async function startAgent(config: AgentConfig, parts: AgentParts): Promise<Agent> {
  const { logger, clock } = parts;
  if (config.web !== undefined && !isDirectory(config.web)) {
    throw new QiwayError('config-invalid', `--web ${config.web} is not a directory.`, { data: { key: 'web' } });
  }
  const counts = createCounts();
  const version = agentVersion();
  const identity = await openIdentity(config, logger);
  const { robotId, token, directory } = identity;
  const journal = openJournal({
    clock,
    logger,
    ...(directory === undefined ? {} : { path: join(directory, JOURNAL_FILE) }),
  });
  const outer = new EmbeddedBus({ machineId: machineId(), processId: process.pid, sessionId: randomUUID() });
  // Set before anybody can ask: the server listens last.
  let robotBus: RobotBus | undefined;
  let addresses: AgentAddresses | undefined;
  let busReason: string | undefined;
  const busState = (): 'up' | 'down' => robotBus?.state() ?? 'down';
  const ownHosts = createOwnHosts(clock, () => addresses?.localNames ?? []);
  const guard = createGuard({
    token,
    allowedHosts: [...config.allowHosts, config.listen.host.toLowerCase()],
    allowedOrigins: config.allowOrigins,
    ownHosts,
    pageHosts: createPageHosts({
      path: directory && join(directory, PAGE_HOSTS_FILE),
      onFailed: (reason) => logger.warn('pages cannot follow the robot over a restart', { reason }),
    }),
    onRefused: onceEach(MAX_TOLD_REFUSALS, (reason) => logger.warn('a request was refused', { reason })),
  });
  const { classes, takeOver, heartbeatMs, keepSessionMs, isSealed = false } = config;
  const safety = createSafety({
    bus: outer,
    clock,
    logger,
    counts,
    ...(classes === undefined ? {} : { classes }),
    ...(takeOver === undefined ? {} : { takeOver }),
  });
  const door = createDoor(outer, {
    clock,
    version,
    newEpoch: () => randomBytes(6).toString('hex'),
    onCall: () => counts.httpCalls++,
    refuse: (service, member) => safety.refuse(service, member),
  });
  const server = createHttpServer({
    guard,
    door,
    counts,
    web: config.web,
    readings: () => ({
      version,
      isBusUp: busState() === 'up',
      sessions: table.sizes,
      detachedSessions: table.detached,
      held: table.held(),
      journal: journal.counts,
    }),
    ...(parts.httpLimits === undefined ? {} : { limits: parts.httpLimits }),
  });
  const budget = new Budget();
  const limits: LinkLimits = { ...LINK_LIMITS, ...parts.linkLimits };
  const table = new SessionTable({ maxSessions: limits.maxSessions, logger, counts });
  const host = new SessionHost({
    bus: outer,
    clock,
    random: (count) => randomBytes(count),
    // After all sockets that are readable now: their messages share a batch.
    schedule: (flush) => setImmediate(flush),
    isTokenRight: (shown) => guard.isToken(shown),
    agent: { name: 'qiway-agent', version },
    epoch: randomUUID(),
    told: () => ({
      bus: busState(),
      ...(busReason === undefined ? {} : { busReason }),
      ...(addresses === undefined ? {} : { addresses: addresses.urls }),
      classes: safety.told,
    }),
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(keepSessionMs === undefined ? {} : { keepMs: keepSessionMs }),
    guard: (session) => safety.guardFor(session),
    limits: SESSION_LIMITS,
    isFull: () => table.isFull,
    budget,
    eventCounts: counts,
    ownObject: (session) =>
      createSessionObject(session, [
        (_, emit) => safety.membersFor(session, emit),
        () => flowMembers(session),
        () =>
          onceMembers(session, { journal, bus: outer, clock, classes: safety.rules, guard: safety.guardFor(session) }),
      ]),
    onOpen: (session, { address }) => table.admitLink(session, address),
  });
  const webSockets = openLinkDoor(server, {
    host,
    identity,
    guard,
    counts,
    limits,
    clock,
    logger,
    isFull: () => table.isFull && !host.canMakeRoom,
    isSealed,
  });
  const tell: RobotBusOptions['onState'] = (state, reason) => {
    if (state === 'up') logger.info('the robot bus is up', { url: robotBus?.url });
    else logger.warn('the robot bus is down; trying to reach it', { url: robotBus?.url, reason });
    busReason = state === 'up' ? undefined : reason;
    host.tell({ bus: state, ...(busReason === undefined ? {} : { busReason }) });
  };
  const { busCredentials, busFingerprints = [], qiCredentials, isQiOpen = false } = config;
  const qiDoors: BusListenerHandle[] = [];
  let address: ListenAddress;
  try {
    const { paths: _paths, ...tlsFiles } = config.tls ?? {};
    const serverTls = readServerTls(tlsFiles);
    const tls = serverTls === undefined ? {} : { tls: serverTls };
    const busOptions: RobotBusOptions = {
      outer,
      logger,
      clock,
      onState: tell,
      ...tls,
      join: {
        tls: { ...tlsFiles, ...(busFingerprints.length === 0 ? {} : { fingerprints: busFingerprints }) },
        ...(serverTls === undefined ? {} : { listenTls: serverTls }),
        ...(busCredentials === undefined ? {} : { authenticator: fileAuthenticator(busCredentials) }),
      },
      hasCredentials: busCredentials !== undefined,
    };
    robotBus =
      config.bus === undefined
        ? await listenRobotBus(config.busListen, busOptions).catch(toOption('--bus-listen'))
        : await joinRobotBus(config.bus, busOptions);
    const users = qiCredentials === undefined ? {} : { users: fileUsers(qiCredentials) };
    const callGuard = safety.guardFor();
    const qiDoor = {
      bus: outer,
      table,
      guard,
      counts,
      clock,
      logger,
      isOpen: isQiOpen,
      callGuard,
      budget,
      ...users,
      ...tls,
    };
    for (const url of config.qiListen ?? []) qiDoors.push(await openQiDoor(url, qiDoor).catch(toOption('--qi-listen')));
    address = await listen(server, config.listen);
  } catch (error) {
    door.close();
    await Promise.all(qiDoors.map((qiDoor) => qiDoor.close()));
    await robotBus?.close();
    await outer.close();
    journal.close();
    throw inWordsOfOptions(error, config);
  }
  const origin = `http://${formatAddress(address)}`;
  addresses = openAddresses({
    listen: { host: config.listen.host, port: address.port },
    qiUrls: qiDoors.map(({ url }) => url),
    robotId,
    name: config.name,
    isAnnounced: config.isAnnounced,
    clock,
    logger,
    onChange: (urls) => host.tell({ addresses: urls }),
  });
  logger.info('the agent listens', { url: origin });

  const shutDown = async (bus: RobotBus): Promise<void> => {
    logger.info('the agent is closing');
    const closed = once(server, 'close');
    server.close();
    const reason = new QiwayError('closed', 'The agent is closing.');
    host.close(reason);
    table.closeAll(reason);
    const silenced = addresses?.close();
    door.close();
    const qiDoorsClosed = Promise.all(qiDoors.map((qiDoor) => qiDoor.close()));
    server.closeIdleConnections();
    const stopTimer = clock.after(CLOSE_GRACE_MS, () => {
      webSockets.terminate();
      server.closeAllConnections();
    });
    await closed;
    stopTimer();
    await qiDoorsClosed;
    await bus.close();
    await outer.close();
    await silenced;
    journal.close();
    logger.info('the agent is closed');
  };
  let closing: Promise<void> | undefined;
  return {
    url: printedUrl({ origin, token, robotId }),
    robotId,
    origin,
    bus: outer,
    busUrl: robotBus.url,
    qiUrls: qiDoors.map((qiDoor) => qiDoor.url),
    close: () => (closing ??= shutDown(robotBus)),
  };
}

/** A port that cannot be opened is told with its option. */
function toOption(option: string): (error: unknown) => never {
  return (error) => {
    throw isQiwayError(error) && error.code === 'listen-failed' ? named(option, error) : error;
  };
}

/** Passes on each text the first time, up to `maximum` of them. */
function onceEach(maximum: number, tell: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (told.size >= maximum || told.has(text)) return;
    told.add(text);
    tell(text);
  };
}

/** What ports show; without a key the files are of use to a client only. */
function readServerTls({ cert, key, ca }: TlsFiles = {}): TlsServerOptions | undefined {
  return cert === undefined || key === undefined ? undefined : { cert, key, ...(ca === undefined ? {} : { ca }) };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** @returns the address as clients can reach it. @throws `listen-failed` */
async function listen(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  const address = formatAddress({ host, port });
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as { code?: string };
    const reason =
      code === 'EADDRINUSE'
        ? `port ${port} is in use; choose another with --listen, or port 0 for any free one`
        : code === 'EACCES'
          ? `port ${port} needs rights that this user has not`
          : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
            ? `${host} is not an address of this machine`
            : String(cause);
    throw new QiwayError('listen-failed', `The agent cannot listen on ${address}: ${reason}.`, {
      data: { address },
      cause,
    });
  }
  const { port: given } = server.address() as AddressInfo;
  return { host: isWildcard(host) ? (outsideAddress() ?? '127.0.0.1') : host, port: given };
}
