// Which messages do something at the robot, so that they must not run at a moment that nobody chose. Layer 5.
import { StandardAction } from '../bus/metaobject.ts';
import { DIRECTORY_ID } from '../directory/registry.ts';
import { type MessageHeader, MessageType } from '../wire/message.ts';

/** Actions below are those of every object: metaobject, registrations, properties, statistics. */
const FIRST_OWN_ACTION = 100;

/**
 * Calls and posts to what services offer, and writing a property. Asking, registering, releasing, and what goes to the
 * directory or to the session object is safe at any time.
 */
export function isActing({ type, service, action }: MessageHeader): boolean {
  if (type !== MessageType.call && type !== MessageType.post) return false;
  if (service <= DIRECTORY_ID) return false;
  return action >= FIRST_OWN_ACTION || action === StandardAction.setProperty;
}
