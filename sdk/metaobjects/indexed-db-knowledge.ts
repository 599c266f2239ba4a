// Knowledge of robots in the browser's IndexedDB, shared by all tabs of an origin and their workers. Loaded when it is first
// used; knows nothing of what the records say.
import type { DBSchema } from 'idb';
import { reopenedDatabase } from '../reopened-database.ts';
import {
  KNOWLEDGE_LIMITS,
  type KnowledgeLimits,
  type KnowledgeStore,
  type KnownMetaObject,
  type KnownRecord,
} from './knowledge-store.ts';

interface Schema extends DBSchema {
  robots: { key: string; value: KnownRecord; indexes: { changed: number } };
  metaobjects: { key: [string, string]; value: KnownMetaObject; indexes: { age: number } };
  /** Bytes of all metaobjects together, under the key `bytes`. */
  totals: { key: string; value: number };
}

/** Rejects where IndexedDB is refused. */
export function indexedDbKnowledge(limits: KnowledgeLimits = KNOWLEDGE_LIMITS): KnowledgeStore {
  const database = reopenedDatabase<Schema>({
    name: 'qiway-knowledge',
    version: 1,
    create: (created) => {
      created.createObjectStore('robots', { keyPath: 'id' }).createIndex('changed', 'changedMs');
      created.createObjectStore('metaobjects', { keyPath: ['robot', 'name'] }).createIndex('age', 'nowMs');
      created.createObjectStore('totals');
    },
  });
  return {
    robot: async (id) => (await database()).get('robots', id),
    robotAt: async (link) => {
      const newestLast = await (await database()).getAllFromIndex('robots', 'changed');
      return newestLast.findLast((robot) => robot.link === link)?.id;
    },
    putRobot: async (record) => {
      const transaction = (await database()).transaction('robots', 'readwrite');
      await transaction.store.put(record);
      let over = (await transaction.store.count()) - limits.maxRobots;
      for (let at = await transaction.store.index('changed').openCursor(); at !== null && over > 0; over -= 1) {
        await at.delete();
        at = await at.continue();
      }
      await transaction.done;
    },
    metaObject: async (robot, name) => (await (await database()).get('metaobjects', [robot, name]))?.bytes,
    putMetaObject: async (metaObject) => {
      const { robot, name, bytes } = metaObject;
      const transaction = (await database()).transaction(['metaobjects', 'totals'], 'readwrite');
      const metaObjects = transaction.objectStore('metaobjects');
      const totals = transaction.objectStore('totals');
      let total = (await totals.get('bytes')) ?? 0;
      total -= (await metaObjects.get([robot, name]))?.bytes.length ?? 0;
      await metaObjects.delete([robot, name]);
      if (bytes.length <= limits.maxMetaObjectBytes) {
        await metaObjects.put(metaObject);
        total += bytes.length;
      }
      let over = (await metaObjects.count()) - limits.maxMetaObjects;
      let at = await metaObjects.index('age').openCursor();
      while (at !== null && (over > 0 || total > limits.maxBytes)) {
        total -= at.value.bytes.length;
        over -= 1;
        await at.delete();
        at = await at.continue();
      }
      await totals.put(total, 'bytes');
      await transaction.done;
    },
  };
}
