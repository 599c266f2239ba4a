// Knowledge of robots as long as a program runs: for Node.
import { KNOWLEDGE_LIMITS, type KnowledgeLimits, type KnowledgeStore, type KnownRecord } from './knowledge-store.ts';

export function memoryKnowledge(limits: KnowledgeLimits = KNOWLEDGE_LIMITS): KnowledgeStore {
  const robots = new Map<string, KnownRecord>();
  /** The oldest first. */
  const metaObjects = new Map<string, Uint8Array>();
  let total = 0;
  const keyOf = (robot: string, name: string): string => `${robot} ${name}`;
  const drop = (key: string): void => {
    total -= metaObjects.get(key)?.length ?? 0;
    metaObjects.delete(key);
  };
  return {
    robot: async (id) => robots.get(id),
    robotAt: async (link) => [...robots.values()].findLast((robot) => robot.link === link)?.id,
    putRobot: async (record) => {
      robots.delete(record.id);
      robots.set(record.id, record);
      for (const id of robots.keys()) if (robots.size > limits.maxRobots) robots.delete(id);
    },
    metaObject: async (robot, name) => metaObjects.get(keyOf(robot, name)),
    putMetaObject: async ({ robot, name, bytes }) => {
      const key = keyOf(robot, name);
      drop(key);
      if (bytes.length > limits.maxMetaObjectBytes) return;
      metaObjects.set(key, bytes);
      total += bytes.length;
      for (const oldest of metaObjects.keys()) {
        if (total <= limits.maxBytes && metaObjects.size <= limits.maxMetaObjects) break;
        drop(oldest);
      }
    },
  };
}
