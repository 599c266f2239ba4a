// Calls taken out of an outbox that has no link: what moves the robot, and what was cancelled meanwhile. Layer 5.
import type { Peer } from '../bus/peer.ts';
import { QiwayError, sentenceOf } from '../errors.ts';
import type { ClassTable } from '../member-class.ts';
import { readUint32 } from '../wire/bytes.ts';
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
  /** Why there is no link. */
  readonly cause: QiwayError;
}

/** What moves the robot happens now or never. */
export function withdrawMotion({ outbox, peer, classes, nameOf, cause }: Motion): void {
  const withdrawn = outbox.withdraw(({ service, object, action }) => {
    const name = nameOf(service);
    const member = peer.memberName({ service, object, action });
    return name !== undefined && member !== undefined && classes.classOf(name, member) === 'motion';
  });
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
