// Records of robots in the browser's IndexedDB, shared by all tabs of an origin. Loaded when a book is first opened; knows
// nothing of what the records say.
import type { DBSchema } from 'idb';
import { reopenedDatabase } from '../reopened-database.ts';
import type { BookStore } from './address-book.ts';
import type { RobotRecord } from './robot-record.ts';

interface Schema extends DBSchema {
  robots: { key: string; value: RobotRecord };
}

/** The page of a fleet knows dozens; those that were used longest ago are forgotten. */
const MAX_ROBOTS = 64;

/** Rejects where IndexedDB is refused. */
export function indexedDbStore(): BookStore {
  const database = reopenedDatabase<Schema>({
    name: 'qiway-robots',
    version: 1,
    create: (created) => void created.createObjectStore('robots', { keyPath: 'id' }),
  });
  return {
    read: async (id) => (await database()).get('robots', id),
    update: async (id, change) => {
      const transaction = (await database()).transaction('robots', 'readwrite');
      await transaction.store.put(change(await transaction.store.get(id)));
      if ((await transaction.store.count()) > MAX_ROBOTS) {
        const all = await transaction.store.getAll();
        const oldest = all.sort((a, b) => a.changedMs - b.changedMs).slice(0, all.length - MAX_ROBOTS);
        for (const record of oldest) await transaction.store.delete(record.id);
      }
      await transaction.done;
    },
  };
}
