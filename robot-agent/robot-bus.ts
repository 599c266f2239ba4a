// The robot's bus as the agent has it: the directory of another process that is joined, or the agent's own directory.
// Either way its services are on the agent's outer bus.
import type { BusState } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { type QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { Logger } from './logger.ts';
import { type Mirror, mirrorBus } from './mirror/mirror.ts';
import { type JoinBusOptions, joinBus, listenBus, type TlsServerOptions } from './qi/index.ts';

export interface RobotBus {
  /** Where it is. */
  readonly url: string;
  readonly state: () => 'up' | 'down';
  close(): Promise<void>;
}

export interface RobotBusOptions {
  readonly outer: EmbeddedBus;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onState: (state: 'up' | 'down', reason: string | undefined) => void;
  /** Of the directory joined, and of the hosts behind it. */
  readonly join?: Pick<JoinBusOptions, 'tls' | 'listenTls' | 'authenticator'>;
  /** Whether the agent has something to show to it. */
  readonly hasCredentials?: boolean;
  /** Of the own directory. */
  readonly tls?: TlsServerOptions;
}

/** How long a start waits for a directory that is there but not yet joined; after that it is waited for in the background. */
const FIRST_TRY_MS = 1500;

/**
 * Joins the directory at `url`, or waits for it; never rejects because it is not there.
 * @throws `invalid-argument` for a URL that is none, `config-invalid` for certificates that do not do
 */
export async function joinRobotBus(url: string, options: RobotBusOptions): Promise<RobotBus> {
  const { outer, logger, clock, onState, join, hasCredentials = false } = options;
  /** Why the directory is not joined; told once, however often it is tried. */
  let why: string | undefined;
  let isWaiting = false;
  const onAttemptFailed = (reason: QiwayError): void => {
    const sentence = whyNotJoined(reason, hasCredentials);
    if (sentence === why) return;
    why = sentence;
    if (isWaiting) logger.warn('the robot bus cannot be joined; it is tried again', { url, reason: sentence });
  };
  const inner = await joinBus(url, { ...join, keepTrying: true, onAttemptFailed, clock, logger });
  const mirror = mirrorBus({ outer, inner, logger, clock });
  const state = (): 'up' | 'down' => mirror.state;
  await becomesUp(mirror, clock);
  if (state() === 'up') logger.info('the robot bus is up', { url });
  else logger.warn('the robot bus is not there yet; waiting for it', { url, reason: why });
  isWaiting = true;
  const stopListening = mirror.listen({
    stateChanged: (changed: BusState, reason) => {
      if (changed === 'up') why = undefined;
      if (changed !== 'closed') onState(changed, reason && sentenceOf(reason));
    },
  });
  const close = async (): Promise<void> => {
    stopListening();
    await mirror.close();
    await inner.close();
  };
  return { url, state, close };
}

/** In the words of the agent's options. */
function whyNotJoined(error: QiwayError, hasCredentials: boolean): string {
  const sentence = sentenceOf(error);
  if (error.code !== 'unauthorized') return sentence;
  if (/pin (this fingerprint|that)\.$/.test(sentence)) return `${sentence} The option is --bus-fingerprint.`;
  if (!/credentials/.test(sentence)) return sentence;
  return `${sentence} ${hasCredentials ? 'They are those of --bus-credentials.' : 'Give some with --bus-credentials FILE.'}`;
}

function becomesUp(bus: Mirror, clock: Clock): Promise<void> {
  if (bus.state === 'up') return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      stopListening();
      stopTimer();
      resolve();
    };
    const stopTimer = clock.after(FIRST_TRY_MS, settle);
    const stopListening = bus.listen({ stateChanged: (changed) => changed === 'up' && settle() });
  });
}

/** Makes the outer bus the directory that programs on the robot join. @throws `listen-failed`, `config-invalid` */
export async function listenRobotBus(url: string, { outer, logger, clock, tls }: RobotBusOptions): Promise<RobotBus> {
  const listening = await listenBus(outer, url, { clock, logger, ...(tls === undefined ? {} : { tls }) });
  logger.info('the agent is the service directory', { url: listening.url });
  return { url: listening.url, state: () => 'up', close: () => listening.close() };
}
