// What the agent is to the outside: HTTP and WebSocket at one address, the sessions behind them, what they may do.
// Knows the agent's bus; where the robot's own bus is, it is told.
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, deflate, type ZlibOptions } from 'node:zlib';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import type { QiwayError } from '@qiway/protocol/errors';
import { createDoor } from '@qiway/protocol/http-door/door';
import { Budget } from '@qiway/protocol/session/budget';
import type { Told } from '@qiway/protocol/session/control';
import { DEFAULT_LINK_LIMITS } from '@qiway/protocol/session/link';
import { SessionHost } from '@qiway/protocol/session/session-host';
import type { AgentConfig } from './config.ts';
import { createGuard, type Guard } from './door/guard.ts';
import { createHttpServer, type HttpLimits } from './door/http.ts';
import { openLinkDoor } from './door/link-door.ts';
import { type Counts, createCounts } from './door/metrics.ts';
import { createOwnHosts } from './door/own-hosts.ts';
import { createPageHosts } from './door/page-hosts.ts';
import { SessionTable } from './door/session-table.ts';
import { LINK_LIMITS, type LinkLimits } from './door/websocket.ts';
import type { Identity } from './identity/identity.ts';
import type { Journal } from './journal/journal.ts';
import { onceMembers } from './journal/once-members.ts';
import type { Logger } from './logger.ts';
import { createSafety, type Safety } from './safety/safety.ts';
import { describedMembers } from './session/described-members.ts';
import { flowMembers } from './session/flow-members.ts';
import { createSessionObject } from './session/session-object.ts';
import type { ServedTls } from './tls/served-tls.ts';
import { agentVersion } from './version.ts';

export interface OutsideOptions {
  readonly bus: EmbeddedBus;
  readonly identity: Identity;
  readonly journal: Journal;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly httpLimits: Partial<HttpLimits> | undefined;
  readonly linkLimits: Partial<LinkLimits> | undefined;
  /** What each session is told of the robot, beside the classes of calls. */
  readonly told: () => Told;
  /** Names of this machine on the local network, and of its certificate. */
  readonly localNames: () => readonly string[];
  readonly tls: ServedTls | undefined;
}

export interface Outside {
  /** Does not listen yet. */
  readonly server: Server;
  readonly host: SessionHost;
  /** Of sessions by any door. */
  readonly table: SessionTable;
  readonly guard: Guard;
  readonly safety: Safety;
  readonly counts: Counts;
  /** What may wait for all sessions together. */
  readonly budget: Budget;
  /** It never listened. */
  giveUp(): void;
  /** Ends all sessions at once; resolves when nobody is connected any more. */
  close(reason: QiwayError): Promise<void>;
}

/** Each is told once; whoever invents names and origins does not fill the log. */
const MAX_TOLD_REFUSALS = 50;
/** How long clients have to take the goodbye before their sockets are cut. */
const CLOSE_GRACE_MS = 500;
/** One message of the largest size, and as much beside as a session on a weak radio needs. */
const SESSION_LIMITS = { maxMessageBytes: DEFAULT_LINK_LIMITS.maxMessageBytes, maxQueuedBytes: 160 * 1024 * 1024 };
/** Quick rather than small: pictures of cameras, many a second. For what is filtered and noisy it is better than to search. */
const PICTURE_DEFLATE: ZlibOptions = { level: 1, strategy: constants.Z_RLE };
const deflateAll: (bytes: Uint8Array, options: ZlibOptions) => Promise<Uint8Array> = promisify(deflate);
/** In the state directory. */
const PAGE_HOSTS_FILE = 'page-hosts';

export function openOutside(config: AgentConfig, options: OutsideOptions): Outside {
  const { bus, identity, journal, clock, logger, told, tls } = options;
  const counts = createCounts();
  const version = agentVersion();
  const guard = openGuard(config, options);
  const { classes, takeOver } = config;
  const safety = createSafety({
    bus,
    clock,
    logger,
    counts,
    ...(classes === undefined ? {} : { classes }),
    ...(takeOver === undefined ? {} : { takeOver }),
  });
  const door = createDoor(bus, {
    clock,
    version,
    newEpoch: () => randomBytes(6).toString('hex'),
    onCall: () => counts.httpCalls++,
    classOf: (service, member) => safety.rules.classOf(service, member),
    deflate: (bytes) => deflateAll(bytes, PICTURE_DEFLATE),
    refuse: (service, member) => safety.refuse(service, member),
  });
  const limits: LinkLimits = { ...LINK_LIMITS, ...options.linkLimits };
  const table = new SessionTable({ maxSessions: limits.maxSessions, logger, counts });
  const server = createHttpServer({
    guard,
    door,
    counts,
    web: config.web,
    readings: () => ({
      version,
      isBusUp: told().bus === 'up',
      sessions: table.sizes,
      detachedSessions: table.detached,
      held: table.held(),
      journal: journal.counts,
    }),
    ...(options.httpLimits === undefined ? {} : { limits: options.httpLimits }),
    ...(tls === undefined ? {} : { beside: (request) => tls.answer(request), hasTls: true }),
  });
  tls?.secure(server);
  const budget = new Budget();
  const host = openSessionHost(config, { ...options, version, counts, guard, safety, table, budget });
  const isFull = (): boolean => table.isFull && !host.canMakeRoom;
  const { isSealed = false } = config;
  const webSockets = openLinkDoor(server, { host, identity, guard, counts, limits, clock, logger, isFull, isSealed });
  return {
    server,
    host,
    table,
    guard,
    safety,
    counts,
    budget,
    giveUp: () => {
      tls?.close();
      door.close();
    },
    close: async (reason) => {
      const closed = once(server, 'close');
      server.close();
      tls?.close();
      host.close(reason);
      table.closeAll(reason);
      door.close();
      server.closeIdleConnections();
      const stopTimer = clock.after(CLOSE_GRACE_MS, () => {
        webSockets.terminate();
        server.closeAllConnections();
      });
      await closed;
      stopTimer();
    },
  };
}

function openGuard(config: AgentConfig, { identity, clock, logger, localNames }: OutsideOptions): Guard {
  const { token, directory } = identity;
  return createGuard({
    token,
    allowedHosts: [...config.allowHosts, config.listen.host.toLowerCase()],
    allowedOrigins: config.allowOrigins,
    ownHosts: createOwnHosts(clock, localNames),
    pageHosts: createPageHosts({
      path: directory && join(directory, PAGE_HOSTS_FILE),
      onFailed: (reason) => logger.warn('pages cannot follow the robot over a restart', { reason }),
    }),
    onRefused: onceEach(MAX_TOLD_REFUSALS, (reason) => logger.warn('a request was refused', { reason })),
  });
}

interface HostParts extends OutsideOptions {
  readonly version: string;
  readonly counts: Counts;
  readonly guard: Guard;
  readonly safety: Safety;
  readonly table: SessionTable;
  readonly budget: Budget;
}

function openSessionHost({ heartbeatMs, keepSessionMs }: AgentConfig, parts: HostParts): SessionHost {
  const { bus, clock, journal, told, version, counts, guard, safety, table, budget } = parts;
  const membersThatDescribe = describedMembers(bus, clock);
  return new SessionHost({
    bus,
    clock,
    random: (count) => randomBytes(count),
    // After all sockets that are readable now: their messages share a batch.
    schedule: (flush) => setImmediate(flush),
    isTokenRight: (shown) => guard.isToken(shown),
    agent: { name: 'qiway-agent', version },
    epoch: randomUUID(),
    told: () => ({ ...told(), classes: safety.told }),
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
        membersThatDescribe,
        () => onceMembers(session, { journal, bus, clock, classes: safety.rules, guard: safety.guardFor(session) }),
      ]),
    onOpen: (session, { address }) => table.admitLink(session, address),
  });
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
