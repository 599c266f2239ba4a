// What a tab says to the owner of its link, and hears: the control way of docs/browser.md, spoken with comlink. Types, and what
// both ends make of them.
import { type ErrorRecord, type QiwayError, reviveError } from '@qiway/protocol/errors';
import type { Loss, SessionState } from '@qiway/protocol/session/client-session';
import type { Told } from '@qiway/protocol/session/control';
import type { AgentUrl } from '../dial/agent-url.ts';
import type { LinkFacts, RobotSession } from '../dial/dial.ts';
import type { TabQueuePorts } from '../offline/owned-queue.ts';

/** Raised with every change of what is said here: an owner of another app version is not understood. */
export const OWNER_PROTOCOL = 2;

export interface OwnerGreeting {
  readonly protocol: number;
  /** The Web Lock that its owner holds as long as it lives; absent where there are none. */
  readonly lock?: string;
}

export interface OwnerRequest {
  readonly agent: AgentUrl;
  readonly token: string;
  readonly timeoutMs: number;
  readonly offline?: boolean | undefined;
}

/** Errors do not keep their codes over a port. */
export type Outcome<T> = { readonly value: T } | { readonly error: ErrorRecord };

/** The state of the owner's session at a moment. */
export interface Snapshot {
  /** More than that of each before it, at this owner: snapshots come over two ports. */
  readonly number: number;
  readonly state: SessionState;
  readonly sessionId: string;
  readonly robotId: string;
  readonly agent: RobotSession['agent'];
  readonly link?: LinkFacts;
  readonly told: Told;
  readonly rttMs?: number;
  readonly hasResumed: boolean;
  readonly reason?: ErrorRecord;
  readonly loss?: Omit<Loss, 'reason'> & { readonly reason: ErrorRecord };
}

/** Names a robot that the owner has, for one tab. */
export type RobotKey = string;

/** Of one tab. All but `hello` and `open` want a key that `open` gave. Who leaves hears nothing more: no answer either. */
export interface OwnerPort {
  hello(tab: OwnerGreeting): Promise<OwnerGreeting>;
  /** Has the owner join, or make, the session. Changes are told by a {@link Snapshot} over `news`, until `close` or `leave`. */
  open(
    request: OwnerRequest,
    news: Pick<MessagePort, 'postMessage'>,
  ): Promise<Outcome<{ readonly key: RobotKey; readonly snapshot: Snapshot }>>;
  /** Takes over the port of an attachment; its first messages may come at once. */
  attach(key: RobotKey, port: MessagePort): Snapshot | undefined;
  /** Takes over the ports over which this tab uses the robot's offline queue. */
  queue(key: RobotKey, ports: TabQueuePorts): void;
  /** Takes over the port of a tab that may lead a way to the robot: sdk/leader/leader-port.ts. */
  lead(key: RobotKey, port: MessagePort): void;
  /** Something happened after which the link may be dead. */
  probe(key: RobotKey): void;
  /** Takes over the port of a request that the gateway has for whatever robot is there. */
  answer(port: MessagePort): void;
  /** Nobody wants it any more in this tab: what it held is given back in order. */
  close(key: RobotKey): void;
  /** The page goes, or is put aside: everything that it held ends. */
  leave(): void;
}

export function takeOutcome<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw reviveError(outcome.error);
  return outcome.value;
}

export function snapshotOf(session: RobotSession, number: number): Snapshot {
  const { link, rttMs, reason, loss, hasResumed, told, agent, sessionId, robotId, sessionState } = session;
  return {
    number,
    state: sessionState,
    sessionId,
    robotId,
    agent,
    told,
    hasResumed,
    ...(link !== undefined && {
      link: {
        transport: { route: link.transport.route },
        address: link.address,
        isSealed: link.isSealed,
        robot: { id: link.robot.id },
      },
    }),
    ...(rttMs !== undefined && { rttMs }),
    ...(reason !== undefined && { reason: recordOf(reason) }),
    ...(loss !== undefined && { loss: { ...loss, reason: recordOf(loss.reason) } }),
  };
}

export function recordOf(error: QiwayError): ErrorRecord {
  const { name, code, message, data, maybeExecuted } = error;
  return { name, code, message, data, maybeExecuted };
}
