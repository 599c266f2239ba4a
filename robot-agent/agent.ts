// The agent put together: the robot's bus inside, one HTTP and WebSocket address outside, sessions between.
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@qiway/protocol/clock';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { QiwayError } from '@qiway/protocol/errors';
import { formatAddress, type ListenAddress } from './address.ts';
import { type AgentAddresses, openAddresses } from './addresses/addresses.ts';
import { printedUrl } from './addresses/printed-url.ts';
import type { AgentConfig } from './config.ts';
import type { HttpLimits } from './door/http.ts';
import type { LinkLimits } from './door/websocket.ts';
import { inWordsOfOptions } from './failed-start.ts';
import { openIdentity } from './identity/identity.ts';
import { openJournal } from './journal/journal.ts';
import { listen } from './listen.ts';
import type { Logger } from './logger.ts';
import { openOutside } from './outside.ts';
import { type BusListenerHandle, machineId } from './qi/index.ts';
import { openQiDoors, openRobotBus, type QiSidesOptions } from './qi-sides.ts';
import type { RobotBus } from './robot-bus.ts';
import { openAgentTls, secureOrigin } from './tls/agent-tls.ts';
import { trustText } from './tls/trust-text.ts';

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
  /** For the terminal: how devices learn to trust this agent's certificate; empty if they need not. */
  readonly trustText: string;
  /** Where qi programs from outside come in, with real ports. */
  readonly qiUrls: readonly string[];
  /** Ends sessions, gives back the ports, leaves the bus. Idempotent. */
  close(): Promise<void>;
}

/** In the state directory. */
const JOURNAL_FILE = 'journal.sqlite';

/**
 * Starts the agent; resolves once it listens. A bus to join that is not there is waited for in the background.
 * @throws `listen-failed` when a port is taken or an address is not ours; `config-invalid`
 */
export async function startAgent(config: AgentConfig, parts: AgentParts): Promise<Agent> {
  const { logger, clock, httpLimits, linkLimits } = parts;
  if (config.web !== undefined && !isDirectory(config.web)) {
    throw new QiwayError('config-invalid', `--web ${config.web} is not a directory.`, { data: { key: 'web' } });
  }
  const identity = await openIdentity(config, logger);
  const { robotId, token, directory } = identity;
  let addresses: AgentAddresses | undefined;
  const tls = await openAgentTls(config, { identity, clock, logger, localNames: () => addresses?.localNames ?? [] });
  const journal = openJournal({
    clock,
    logger,
    ...(directory === undefined ? {} : { path: join(directory, JOURNAL_FILE) }),
  });
  const bus = new EmbeddedBus({ machineId: machineId(), processId: process.pid, sessionId: randomUUID() });
  // Set before anybody can ask: the server listens last.
  let robotBus: RobotBus | undefined;
  let busReason: string | undefined;
  const outside = openOutside(config, {
    bus,
    identity,
    journal,
    logger,
    clock,
    httpLimits,
    linkLimits,
    told: () => ({
      bus: robotBus?.state() ?? 'down',
      ...(busReason === undefined ? {} : { busReason }),
      ...(addresses === undefined ? {} : { addresses: addresses.urls }),
    }),
    localNames: () => [...(addresses?.localNames ?? []), ...(tls?.domains ?? [])],
    tls,
  });
  const onState: QiSidesOptions['onState'] = (state, reason) => {
    if (state === 'up') logger.info('the robot bus is up', { url: robotBus?.url });
    else logger.warn('the robot bus is down; trying to reach it', { url: robotBus?.url, reason });
    busReason = state === 'up' ? undefined : reason;
    outside.host.tell({ bus: state, ...(busReason === undefined ? {} : { busReason }) });
  };
  const qiSides: QiSidesOptions = { bus, outside, clock, logger, onState };
  let qiDoors: readonly BusListenerHandle[] = [];
  let address: ListenAddress;
  try {
    robotBus = await openRobotBus(config, qiSides);
    qiDoors = await openQiDoors(config, qiSides);
    address = await listen(outside.server, config.listen);
  } catch (error) {
    outside.giveUp();
    await Promise.all(qiDoors.map((door) => door.close()));
    await robotBus?.close();
    await bus.close();
    journal.close();
    throw inWordsOfOptions(error, config);
  }
  const plainOrigin = `http://${formatAddress(address)}`;
  const origin = tls === undefined ? plainOrigin : secureOrigin(tls, { address, logger });
  addresses = openAddresses({
    listen: { host: config.listen.host, port: address.port },
    qiUrls: qiDoors.map(({ url }) => url),
    robotId,
    name: config.name,
    isAnnounced: config.isAnnounced,
    clock,
    logger,
    tls,
    onChange: () => {
      const tell = (): void => outside.host.tell({ addresses: addresses?.urls ?? [] });
      // Nobody is sent to an address that the certificate does not stand for yet.
      if (tls === undefined) tell();
      else void tls.follow().then(tell);
    },
  });
  logger.info('the agent listens', { url: origin });

  const shutDown = async (inside: RobotBus): Promise<void> => {
    logger.info('the agent is closing');
    const outsideClosed = outside.close(new QiwayError('closed', 'The agent is closing.'));
    const silenced = addresses?.close();
    const qiDoorsClosed = Promise.all(qiDoors.map((door) => door.close()));
    await outsideClosed;
    await qiDoorsClosed;
    await inside.close();
    await bus.close();
    await silenced;
    journal.close();
    logger.info('the agent is closed');
  };
  let closing: Promise<void> | undefined;
  return {
    url: printedUrl({ origin, token, robotId }),
    robotId,
    origin,
    trustText: trustText(plainOrigin, tls?.authorityFingerprint),
    bus,
    busUrl: robotBus.url,
    qiUrls: qiDoors.map((door) => door.url),
    close: () => (closing ??= shutDown(robotBus)),
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
