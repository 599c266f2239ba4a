// An object hosted on a bus and the remote object of a page for it, over a session in memory.
import type { QiwayError } from '@qiway/protocol/errors';
import { createObject, type HostedObject, type Members } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects, type RemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { RemoteObject } from '@qiway/protocol/objects/remote-types';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { type MemoryDoor, memoryDoor } from './memory-session.ts';

export interface RemoteThing<T> {
  readonly door: MemoryDoor;
  readonly session: ClientSession;
  readonly hosted: HostedObject;
  readonly objects: RemoteObjects;
  readonly service: RemoteObject<T>;
  readonly reported: unknown[];
}

/** Hosts `members` as the service `Thing`, and reaches it over a session. */
export async function serve<T>(members: Members): Promise<RemoteThing<T>> {
  const door = memoryDoor();
  const hosted = createObject(members);
  await door.bus.host('Thing', hosted);
  const session = await door.open();
  const reported: unknown[] = [];
  const objects = createRemoteObjects({ clock: door.clock, report: (error) => reported.push(error) });
  const service = objects.wrap<T>(await session.service('Thing'));
  return { door, session, hosted, objects, service, reported };
}

/** What a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<QiwayError> {
  try {
    await promise;
  } catch (error) {
    return error as QiwayError;
  }
  throw new Error('it did not reject');
}

/** Registrations at the agent; the session itself has two, at the directory. */
export function registrations(door: MemoryDoor): number | undefined {
  return door.serverSessions[0]?.counts.subscriptions;
}
