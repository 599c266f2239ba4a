// The seam between a robot and whoever owns the link to it: this page today, a worker shared by all tabs another day.
import type { Clock } from '@qiway/protocol/clock';
import type { ClientSession } from '@qiway/protocol/session/client-session';

/** The part of a session that a robot uses. */
export type RobotSession = Pick<
  ClientSession,
  | 'sessionId'
  | 'agent'
  | 'route'
  | 'rttMs'
  | 'robotBus'
  | 'state'
  | 'closed'
  | 'services'
  | 'service'
  | 'host'
  | 'listen'
  | 'listenSession'
  | 'close'
  | 'own'
  | 'setBeat'
>;

export interface DialRequest {
  /** The WebSocket's address. */
  readonly url: string;
  readonly token: string;
  readonly clock: Clock;
  /** For everything until the session stands. */
  readonly timeoutMs: number;
}

/** Gives an open session. @throws `dial-failed`, `unauthorized`, `protocol-mismatch`, `timeout` */
export type Dial = (request: DialRequest) => Promise<RobotSession>;
