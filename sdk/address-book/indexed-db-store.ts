// Records of robots in the browser's IndexedDB, shared by all tabs of an origin. Loaded when a book is first opened; knows
// nothing of what the records say.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { BookStore } from './address-book.ts';
import type { RobotRecord } from './robot-record.ts';

interface Schema extends DBSchema {
  robots: { key: string; value: RobotRecord };
}

const DATABASE = 'qiway-robots';
const VERSION = 1;
/** The page of a fleet knows dozens; those that were used longest ago are forgotten. */
const MAX_ROBOTS = 64;

/** Opens the database with the first use, and again when the browser closed it. Rejects where IndexedDB is refused. */
export function indexedDbStore(): BookStore {
  let opened: Promise<IDBPDatabase<Schema>> | undefined;
  const database = (): Promise<IDBPDatabase<Schema>> => {
    const forget = (): void => {
      opened = undefined;
    };
    opened ??= openDB<Schema>(DATABASE, VERSION, {
      upgrade: (created) => void created.createObjectStore('robots', { keyPath: 'id' }),
      // A newer SDK in another tab waits for this one.
      blocking: (_current, _blocked, event) => {
        forget();
        (event.target as IDBDatabase).close();
      },
      terminated: forget,
    });
    opened.catch(forget);
    return opened;
  };
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
