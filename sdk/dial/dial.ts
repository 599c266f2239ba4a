// The seam between a robot and whoever owns the link to it: this page today, a worker shared by all tabs another day.
import type { Clock } from '@qiway/protocol/clock';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import type { AgentUrl } from './agent-url.ts';

/** The part of a session that a robot uses. */
export type RobotSession = Pick<
  ClientSession,
  | 'sessionId'
  | 'agent'
  | 'link'
  | 'told'
  | 'probe'
  | 'rttMs'
  | 'sessionState'
  | 'reason'
  | 'loss'
  | 'hasResumed'
  | 'classes'
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

export interface SessionRequest {
  /** Where the agent is, and which robot it must be; the token is that of the request. */
  readonly agent: AgentUrl;
  readonly token: string;
  readonly clock: Clock;
  /** For each link, until the session goes on over it. */
  readonly timeoutMs: number;
}

/** Gives an open session. @throws `dial-failed`, `robot-identity-mismatch`, `unauthorized`, `protocol-mismatch`, `timeout` */
export type OpenRobotSession = (request: SessionRequest) => Promise<RobotSession>;
