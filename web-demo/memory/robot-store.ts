// Robots that this browser knows, in the IndexedDB of the origin. Layer: memory; knows nothing of what is in them.
import { type DBSchema, openDB } from 'idb';
import { type KnownRobot, MAX_ROBOTS } from './known-robot.ts';

export interface RobotStore {
  /** The one seen last first. */
  readAll(): Promise<readonly KnownRobot[]>;
  write(robot: KnownRobot): Promise<void>;
  remove(id: string): Promise<void>;
}

interface Schema extends DBSchema {
  robots: { key: string; value: KnownRobot; indexes: { seen: number } };
}

/** What an older or newer console wrote is not read: it is a memory, and is made anew with the next link. */
const FORMAT = 1;

/** @throws (rejects) where IndexedDB is refused */
export async function openRobotStore(): Promise<RobotStore> {
  const database = await openDB<Schema>('qiway-console', FORMAT, {
    upgrade: (opened) => {
      for (const name of [...opened.objectStoreNames]) opened.deleteObjectStore(name);
      opened.createObjectStore('robots', { keyPath: 'id' }).createIndex('seen', 'seenAtMs');
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  return {
    readAll: async () => (await database.getAllFromIndex('robots', 'seen')).reverse(),
    write: async (robot) => {
      const transaction = database.transaction('robots', 'readwrite');
      await transaction.store.put(robot);
      const bySeen = await transaction.store.index('seen').getAllKeys();
      for (const id of bySeen.slice(0, Math.max(0, bySeen.length - MAX_ROBOTS))) await transaction.store.delete(id);
      await transaction.done;
    },
    remove: (id) => database.delete('robots', id),
  };
}
