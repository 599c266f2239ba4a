// The seam between a robot and whoever owns the link to it: this page, or a worker that all tabs share.
import type { Clock } from '@qiway/protocol/clock';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import type { QueueOpener } from '../offline/robot-queue.ts';
import type { MissingAbility } from '../page-abilities.ts';
import type { AgentUrl } from './agent-url.ts';

/** What is shown of a link. */
export interface LinkFacts {
  readonly transport: { readonly route: 'direct' | 'webrtc' | 'relay' };
  /** Host and port. */
  readonly address: string;
  readonly isSealed: boolean;
  readonly robot: { readonly id: string };
}

/** The part of a session that a robot uses. */
export interface RobotSession
  extends Pick<
    ClientSession,
    | 'sessionId'
    | 'robotId'
    | 'agent'
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
  > {
  /** What the last link is, or was. */
  readonly link: LinkFacts | undefined;
  /** The agent's, without token: for people. */
  readonly url?: string;
  /** Who owns the link. Default: this program. */
  readonly owner?: 'worker';
  /** What this page cannot have. Default: nothing. */
  readonly missing?: readonly MissingAbility[];
  /** Opens the queue that the owner keeps. Absent: this program keeps its own. */
  readonly openQueue?: QueueOpener;
}

export interface SessionRequest {
  /** Where the agent is, and which robot it must be; the token is that of the request. */
  readonly agent: AgentUrl;
  readonly token: string;
  readonly clock: Clock;
  /** For each link, until the session goes on over it. */
  readonly timeoutMs: number;
  /** Where the robot is known from before, the session begins without a link. */
  readonly offline?: boolean | undefined;
}

/** What `connect` was asked for. */
export interface ConnectRequest extends Omit<SessionRequest, 'agent' | 'token'> {
  /** As it was given; not read yet. */
  readonly url: string;
  /** In place of that of the URL. */
  readonly token: string | undefined;
}

/** As {@link OpenRobotSession}; `invalid-argument` too. */
export type DialRobot = (request: ConnectRequest) => Promise<RobotSession>;

/** Gives an open session. @throws `dial-failed`, `robot-identity-mismatch`, `unauthorized`, `protocol-mismatch`, `timeout` */
export type OpenRobotSession = (request: SessionRequest) => Promise<RobotSession>;
