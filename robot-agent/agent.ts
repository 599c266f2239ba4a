// The agent put together: the robot's bus inside, one HTTP and WebSocket address outside, sessions between.
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@qiway/protocol/clock';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { QiwayError } from '@qiway/protocol/errors';
import { createDoor } from '@qiway/protocol/http-door/door';
import { type ServerSession, serveSession } from '@qiway/protocol/session/server-session';
import { formatAddress, isWildcard, type ListenAddress } from './address.ts';
import type { AgentConfig } from './config.ts';
import { createGuard } from './door/guard.ts';
import { createHttpServer, type HttpLimits } from './door/http.ts';
import { createCounts, type Held } from './door/metrics.ts';
import { createOwnHosts, outsideAddress } from './door/own-hosts.ts';
import { acceptWebSockets, LINK_LIMITS, type LinkLimits } from './door/websocket.ts';
import { downAwareBus } from './down-aware-bus.ts';
import type { Logger } from './logger.ts';
import { machineId } from './qi/index.ts';
import { joinRobotBus, listenRobotBus, type RobotBus, type RobotBusOptions } from './robot-bus.ts';
import { agentVersion } from './version.ts';

export interface AgentParts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly httpLimits?: Partial<HttpLimits>;
  readonly linkLimits?: Partial<LinkLimits>;
}

export interface Agent {
  /** Where it listens, with the token in the fragment. */
  readonly url: string;
  /** The same without the token. */
  readonly origin: string;
  /** What sessions and the HTTP door see: services can be hosted on it from within the process. */
  readonly bus: EmbeddedBus;
  /** Where the service directory is: the one joined, or the agent's own. */
  readonly busUrl: string;
  /** Ends sessions, gives back the ports, leaves the bus. Idempotent. */
  close(): Promise<void>;
}

/** Each is told once; whoever invents names and origins does not fill the log. */
const MAX_TOLD_REFUSALS = 50;
/** How long clients have to take the goodbye before their sockets are cut. */
const CLOSE_GRACE_MS = 500;

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
  const sessions = new Set<ServerSession>();
  const outer = new EmbeddedBus({ machineId: machineId(), processId: process.pid, sessionId: randomUUID() });
  // Set before anybody can ask: the server listens last.
  let robotBus: RobotBus | undefined;
  const busState = (): 'up' | 'down' => robotBus?.state() ?? 'down';
  const ownHosts = createOwnHosts(clock);
  const guard = createGuard({
    token: config.token,
    allowedHosts: [...config.allowHosts, config.listen.host.toLowerCase()],
    allowedOrigins: config.allowOrigins,
    ownHosts,
    onRefused: onceEach(MAX_TOLD_REFUSALS, (reason) => logger.warn('a request was refused', { reason })),
  });
  const door = createDoor(downAwareBus(outer, busState), {
    clock,
    version,
    newEpoch: () => randomBytes(6).toString('hex'),
    onCall: () => counts.httpCalls++,
  });
  const server = createHttpServer({
    guard,
    door,
    counts,
    web: config.web,
    readings: () => ({ version, isBusUp: busState() === 'up', sessions: sessions.size, held: heldBy(sessions) }),
    ...(parts.httpLimits === undefined ? {} : { limits: parts.httpLimits }),
  });
  const limits: LinkLimits = { ...LINK_LIMITS, ...parts.linkLimits };
  const epoch = randomUUID();
  const webSockets = acceptWebSockets(server, {
    guard,
    counts,
    limits,
    sessions: () => sessions.size,
    accept: (transport, { address, known }) => {
      serveSession(transport, {
        bus: outer,
        clock,
        random: (count) => randomBytes(count),
        // After all sockets that are readable now: their messages share a batch.
        schedule: (flush) => setImmediate(flush),
        isTokenRight: (token) => guard.isToken(token),
        agent: { name: 'qiway-agent', version },
        epoch,
        robotBus: busState,
        onOpen: (session) => {
          if (sessions.size >= limits.maxSessions) {
            throw new QiwayError('limit-exceeded', 'The agent has as many sessions as it takes.', {
              data: { limit: 'maxSessions', maximum: limits.maxSessions },
            });
          }
          known();
          sessions.add(session);
          counts.sessionsStarted++;
          logger.info('session began', { session: session.id, client: session.client, address });
        },
        onClose: (session, error) => {
          sessions.delete(session);
          logger.info('session ended', { session: session.id, reason: error?.message });
        },
      });
    },
  });
  const tell: RobotBusOptions['onState'] = (state, reason) => {
    if (state === 'up') logger.info('the robot bus is up', { url: robotBus?.url });
    else logger.warn('the robot bus is down; trying to reach it', { url: robotBus?.url, reason });
    for (const session of sessions) session.tellRobotBus(state, reason);
  };
  const busOptions: RobotBusOptions = { outer, logger, clock, onState: tell };
  let address: ListenAddress;
  try {
    robotBus =
      config.bus === undefined
        ? await listenRobotBus(config.busListen, busOptions)
        : await joinRobotBus(config.bus, busOptions);
    address = await listen(server, config.listen);
  } catch (error) {
    door.close();
    await robotBus?.close();
    await outer.close();
    throw error;
  }
  const origin = `http://${formatAddress(address)}`;
  logger.info('the agent listens', { url: origin });

  const shutDown = async (bus: RobotBus): Promise<void> => {
    logger.info('the agent is closing');
    const closed = once(server, 'close');
    server.close();
    const reason = new QiwayError('closed', 'The agent is closing.');
    for (const session of sessions) session.close(reason);
    door.close();
    server.closeIdleConnections();
    const stopTimer = clock.after(CLOSE_GRACE_MS, () => {
      webSockets.terminate();
      server.closeAllConnections();
    });
    await closed;
    stopTimer();
    await bus.close();
    await outer.close();
    logger.info('the agent is closed');
  };
  let closing: Promise<void> | undefined;
  return {
    url: `${origin}/#token=${encodeURIComponent(config.token)}`,
    origin,
    bus: outer,
    busUrl: robotBus.url,
    close: () => (closing ??= shutDown(robotBus)),
  };
}

function heldBy(sessions: ReadonlySet<ServerSession>): Held {
  let held: Held = { calls: 0, subscriptions: 0, objects: 0, queuedBytes: 0 };
  for (const { counts } of sessions) {
    held = {
      calls: held.calls + counts.incomingCalls,
      subscriptions: held.subscriptions + counts.subscriptions,
      objects: held.objects + counts.servedObjects,
      queuedBytes: held.queuedBytes + counts.queuedBytes,
    };
  }
  return held;
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
