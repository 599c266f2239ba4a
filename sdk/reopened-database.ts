// A database of the browser, shared by all tabs of an origin, as the SDK's stores have it. Knows nothing of what is in it.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';

export interface DatabaseShape<S extends DBSchema> {
  readonly name: string;
  readonly version: number;
  /** Makes what is in it. */
  readonly create: (database: IDBPDatabase<S>) => void;
}

/**
 * Gives the database: opened with the first use, and again when the browser closed it. It goes when a newer SDK in another
 * tab waits for it. Rejects where IndexedDB is refused.
 */
export function reopenedDatabase<S extends DBSchema>(shape: DatabaseShape<S>): () => Promise<IDBPDatabase<S>> {
  const { name, version, create } = shape;
  let opened: Promise<IDBPDatabase<S>> | undefined;
  const forget = (): void => {
    opened = undefined;
  };
  return () => {
    opened ??= openDB<S>(name, version, {
      upgrade: create,
      blocking: (_current, _blocked, event) => {
        forget();
        (event.target as IDBDatabase).close();
      },
      terminated: forget,
    });
    opened.catch(forget);
    return opened;
  };
}
