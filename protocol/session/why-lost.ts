// What a client's session says when there is no link, or the agent no longer has the session. Layer 5.
import { QiwayError, sentenceOf } from '../errors.ts';
import type { Loss } from './client-session-types.ts';

/** Refusals that another attempt will not mend. */
const FINAL: ReadonlySet<string> = new Set(['unauthorized', 'forbidden', 'protocol-mismatch']);

export function isFinal({ code }: QiwayError): boolean {
  return FINAL.has(code);
}

/** For a call while there is no link. */
export function notSent(): QiwayError {
  return new QiwayError(
    'offline',
    'There is no link to the robot at the moment, and nothing was sent. It is being made anew; to have a call wait for it, use queue().',
  );
}

/** For what cannot go on in a new session. */
export function sessionGone(cause: QiwayError | undefined): QiwayError {
  return new QiwayError(
    'link-lost',
    'The agent no longer has the session: it was started again, or the link was away for too long.',
    { data: { reason: 'new-session' }, cause },
  );
}

/** For what was under way for too long when the session went over to another link. */
export function movedOver(): QiwayError {
  return new QiwayError('link-lost', 'The session went over to another link, and the old one did not deliver.');
}

/** Why a link was given up on which the session could not go on. */
export function brokenOff(cause: QiwayError): QiwayError {
  return new QiwayError('link-lost', `The session could not go on: ${sentenceOf(cause)}`, {
    data: { reason: 'rejoin' },
    cause,
  });
}

/** The agent does not want the session any more, and did not say why. */
export function endedByAgent(): QiwayError {
  return new QiwayError('link-lost', 'The agent ended the session.', { data: { reason: 'goodbye' } });
}

export function closedHere(): QiwayError {
  return new QiwayError('closed', 'The session was closed here.');
}

/** @param lost.before when the session was left, before there was another */
export function lossOf(
  reason: QiwayError,
  lost: { readonly calls: number; readonly objects: number; readonly before: Loss | undefined },
): Loss {
  const { calls, objects, before } = lost;
  return {
    reason: before?.reason ?? reason,
    calls: calls + (before?.calls ?? 0),
    objects: objects + (before?.objects ?? 0),
  };
}
