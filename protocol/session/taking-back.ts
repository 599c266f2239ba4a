// Calls taken out of an outbox that has no link: what moves the robot, and what was cancelled meanwhile. Layer 5.
import type { Peer } from '../bus/peer.ts';
import { QiwayError, sentenceOf } from '../errors.ts';
import type { ClassTable } from '../member-class.ts';
import { readUint32 } from '../wire/bytes.ts';
import type { FrameHeader } from '../wire/link-frame.ts';
import { MessageType } from '../wire/message.ts';
import type { Outbox } from './outbox.ts';

export interface TakingBack {
  readonly outbox: Outbox;
  readonly peer: Peer;
}

export interface Motion extends TakingBack {
  readonly classes: ClassTable;
  /** Name of a service that is used here. */
  readonly nameOf: (serviceId: number) => string | undefined;
  /** Why there is no link, or another. */
  readonly cause: QiwayError;
  /** Only what was asked for too long ago, and is not among what the other side has. */
  readonly late?: { readonly received: number; readonly nowMs: number } | undefined;
}

/** What moves the robot is too late after so long, ms; as the agent has it. */
const LATE_MS = 500;

/** What moves the robot happens now or never. */
export function withdrawMotion({ outbox, peer, classes, nameOf, cause, late }: Motion): void {
  const isMotion = ({ service, object, action }: Readonly<FrameHeader>): boolean => {
    const name = nameOf(service);
    const member = peer.memberName({ service, object, action });
    return name !== undefined && member !== undefined && classes.classOf(name, member) === 'motion';
  };
  if (late !== undefined) outbox.startAfter(late.received); // forgets what the other side has
  const withdrawn = outbox.withdraw(isMotion, late === undefined ? undefined : late.nowMs - LATE_MS);
  const error = new QiwayError(
    'link-lost',
    `The link broke before the robot confirmed, and what moves it is not sent again: ${sentenceOf(cause)}`,
    { data: { reason: 'motion' }, cause, maybeExecuted: true },
  );
  for (const { type, id } of withdrawn) if (type === MessageType.call) peer.failCall(id, error);
}

/** A call that is cancelled without a link: nobody would answer it. @param cancel the payload of the cancel */
export function takeBack(cancel: Uint8Array, { outbox, peer }: TakingBack): void {
  if (cancel.length < 4) return;
  const asked = readUint32(cancel, 0);
  const neverSent = outbox.neverSent();
  for (const { id } of outbox.withdraw(({ type, id }) => type === MessageType.call && id === asked)) {
    const maybeExecuted = !neverSent.has(id);
    peer.failCall(id, new QiwayError('canceled', 'The call was cancelled without a link.', { maybeExecuted }));
  }
}
