// The way in: a URL becomes a robot.
import type { Clock } from '@qiway/protocol/clock';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import type { DialRobot } from './dial/dial.ts';
import { dialThrough } from './dial/page-dial.ts';
import type { WorkerChoice } from './owner/worker-choice.ts';
import { createRobot, type LooseServices, type Robot } from './robot.ts';

export interface RobotConnectOptions {
  /** In place of the one in the URL's fragment. */
  readonly token?: string;
  /** Milliseconds until the robot must have answered. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds a call waits for its answer unless told otherwise; 0: for ever. Default 30 s. */
  readonly timeoutMs?: number;
  /** Takes what callbacks of signals and status throw. Default: the console. */
  readonly onError?: (error: unknown) => void;
  /**
   * In browsers a SharedWorker owns the link of all tabs of the origin; where its file cannot be loaded, the page does. The
   * URL of that file (`qiway-worker.js`) where the bundler does not place it itself; false: the page owns its link.
   */
  readonly worker?: WorkerChoice;
  /**
   * Where the robot is known from before (and there is a database, or the program has not ended since), do not wait for it: the
   * robot is given after a second at the latest, `offline`, with the services that are remembered, and dialled on and on. Calls
   * fail with `offline`, or wait in the queue; subscriptions are made when it is there.
   */
  readonly offline?: boolean;
}

/** For those who own the link themselves, and for tests. */
export interface InternalConnectOptions extends RobotConnectOptions {
  readonly dial?: DialRobot;
  readonly clock?: Clock;
}

/** A person waits for it; a robot on a weak network answers within two or three. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects to a robot's agent.
 * @param url what the agent printed: `http://host:port/#token=…&robot=…`; `https`, `ws` and `wss` too; in a page also relative to it
 * @throws `invalid-argument` for what is no such URL; `dial-failed` with what to check; `robot-identity-mismatch`; `unauthorized`; `protocol-mismatch`; `timeout`
 * @example
 * const robot = await connect('http://127.0.0.1:8080/#token=secret');
 * const tts = await robot.service('ALTextToSpeech');
 * await tts['say']?.('hello');
 * await robot.close();
 */
export async function connect<S = LooseServices>(url: string, options: RobotConnectOptions = {}): Promise<Robot<S>> {
  const {
    token,
    connectTimeoutMs = CONNECT_TIMEOUT_MS,
    timeoutMs,
    onError = console.error,
    worker,
    offline,
    dial = dialThrough(worker),
    clock = systemClock,
  } = options as InternalConnectOptions;
  const session = await dial({ url, token, clock, timeoutMs: connectTimeoutMs, offline });
  return createRobot<S>({ session, clock, onError, ...(timeoutMs !== undefined && { timeoutMs }) });
}
