// Both sides of the agent that speak qi messaging: the robot's bus inside, and the doors for programs outside. Knows their
// options, and puts a name to the one that is wrong.
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { isQiwayError } from '@qiway/protocol/errors';
import type { AgentConfig, TlsFiles } from './config.ts';
import { openQiDoor, type QiDoorOptions } from './door/qi-door.ts';
import { named } from './failed-start.ts';
import type { Logger } from './logger.ts';
import type { Outside } from './outside.ts';
import { type BusListenerHandle, fileAuthenticator, fileUsers, type TlsServerOptions } from './qi/index.ts';
import { joinRobotBus, listenRobotBus, type RobotBus, type RobotBusOptions } from './robot-bus.ts';

export interface QiSidesOptions {
  readonly bus: EmbeddedBus;
  readonly outside: Outside;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The robot's bus came or went. */
  readonly onState: RobotBusOptions['onState'];
}

/** Joins the robot's bus, or serves one. @throws `listen-failed`, `config-invalid` */
export async function openRobotBus(config: AgentConfig, options: QiSidesOptions): Promise<RobotBus> {
  const { busCredentials, busFingerprints = [] } = config;
  const { paths: _paths, ...tlsFiles } = config.tls ?? {};
  const tls = readServerTls(tlsFiles);
  const { bus, logger, clock, onState } = options;
  const busOptions: RobotBusOptions = {
    outer: bus,
    logger,
    clock,
    onState,
    ...(tls === undefined ? {} : { tls }),
    join: {
      tls: { ...tlsFiles, ...(busFingerprints.length === 0 ? {} : { fingerprints: busFingerprints }) },
      ...(tls === undefined ? {} : { listenTls: tls }),
      ...(busCredentials === undefined ? {} : { authenticator: fileAuthenticator(busCredentials) }),
    },
    hasCredentials: busCredentials !== undefined,
  };
  return config.bus === undefined
    ? await listenRobotBus(config.busListen, busOptions).catch(toOption('--bus-listen'))
    : await joinRobotBus(config.bus, busOptions);
}

/** For programs outside; a failure closes those that were opened. @throws `listen-failed`, `config-invalid` */
export async function openQiDoors(
  { qiListen = [], qiCredentials, isQiOpen = false, tls: files }: AgentConfig,
  { bus, outside, clock, logger }: QiSidesOptions,
): Promise<readonly BusListenerHandle[]> {
  const { table, guard, counts, safety, budget } = outside;
  const tls = readServerTls(files);
  const door: QiDoorOptions = {
    bus,
    table,
    guard,
    counts,
    clock,
    logger,
    isOpen: isQiOpen,
    callGuard: safety.guardFor(),
    budget,
    ...(qiCredentials === undefined ? {} : { users: fileUsers(qiCredentials) }),
    ...(tls === undefined ? {} : { tls }),
  };
  const doors: BusListenerHandle[] = [];
  try {
    for (const url of qiListen) doors.push(await openQiDoor(url, door).catch(toOption('--qi-listen')));
    return doors;
  } catch (error) {
    await Promise.all(doors.map((opened) => opened.close()));
    throw error;
  }
}

/** A port that cannot be opened is told with its option. */
function toOption(option: string): (error: unknown) => never {
  return (error) => {
    throw isQiwayError(error) && error.code === 'listen-failed' ? named(option, error) : error;
  };
}

/** What ports show; without a key the files are of use to a client only. */
function readServerTls({ cert, key, ca }: TlsFiles = {}): TlsServerOptions | undefined {
  return cert === undefined || key === undefined ? undefined : { cert, key, ...(ca === undefined ? {} : { ca }) };
}
