// Calls that wait, in the browser's IndexedDB, shared by all tabs of an origin. Knows nothing of what they are.
import type { DBSchema } from 'idb';
import { reopenedDatabase } from '../reopened-database.ts';
import type { QueueStore, StoredCall } from './queue-types.ts';

interface Schema extends DBSchema {
  calls: { key: number; value: Omit<StoredCall, 'order'> & { order?: number }; indexes: { robot: string } };
  leases: { key: string; value: { readonly owner: string; readonly untilMs: number } };
}

/** Rejects where IndexedDB is refused. */
export function indexedDbQueue(): QueueStore {
  const database = reopenedDatabase<Schema>({
    name: 'qiway-queue',
    version: 1,
    create: (created) => {
      created.createObjectStore('calls', { keyPath: 'order', autoIncrement: true }).createIndex('robot', 'robot');
      created.createObjectStore('leases');
    },
  });
  return {
    load: async (robot) => (await (await database()).getAllFromIndex('calls', 'robot', robot)) as StoredCall[],
    add: async (call) => (await database()).add('calls', call, undefined),
    update: async (call) => {
      const transaction = (await database()).transaction('calls', 'readwrite');
      // One that was removed meanwhile stays so.
      if ((await transaction.store.getKey(call.order)) !== undefined) await transaction.store.put(call);
      await transaction.done;
    },
    remove: async (order) => (await database()).delete('calls', order),
    takeLease: async (name, { owner, nowMs, untilMs }) => {
      const transaction = (await database()).transaction('leases', 'readwrite');
      const held = await transaction.store.get(name);
      const isFree = held === undefined || held.owner === owner || held.untilMs <= nowMs;
      if (isFree) await transaction.store.put({ owner, untilMs }, name);
      await transaction.done;
      return isFree;
    },
    dropLease: async (name, owner) => {
      const transaction = (await database()).transaction('leases', 'readwrite');
      if ((await transaction.store.get(name))?.owner === owner) await transaction.store.delete(name);
      await transaction.done;
    },
  };
}
