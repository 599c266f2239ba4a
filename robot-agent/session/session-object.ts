// The session object: what a client asks of the agent for its own session. Put together of the members of those who do it.
import { createObject, type HostedObject, type Members } from '@qiway/protocol/objects/hosted-object';
import type { ServerSession } from '@qiway/protocol/session/server-session';

/** Gives an object its members for one session; `emit` sends a signal of that object. */
export type MembersFor = (session: ServerSession, emit: (signal: string, ...args: unknown[]) => void) => Members;

/** Served at service 0 of each link of the session; see docs/link-protocol.md section 7. */
export function createSessionObject(session: ServerSession, groups: readonly MembersFor[]): HostedObject {
  const emit = (signal: string, ...args: unknown[]): void => object.emit(signal, ...args);
  const members = Object.assign({}, ...groups.map((group) => group(session, emit))) as Members;
  const object = createObject(members, {
    description: 'What a client asks of the agent for its session.',
    uid: new Uint8Array(20),
  });
  return object;
}
