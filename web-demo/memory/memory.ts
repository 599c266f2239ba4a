// Which robots this browser knows, and what it last saw of them. Layer: memory; no DOM. A store that fails costs what it would
// have remembered, and nothing else.
import { type ReadonlySignal, signal } from '@preact/signals';
import { findRobot, type KnownRobot, withRobot } from './known-robot.ts';
import type { RobotStore } from './robot-store.ts';

export interface Memory {
  /** The one seen last first. */
  readonly robots: ReadonlySignal<readonly KnownRobot[]>;
  /** The robot that an agent's URL means. */
  find(url: string): KnownRobot | undefined;
  keep(robot: KnownRobot): void;
  /** Resolves when nothing of it is left. */
  forget(id: string): Promise<void>;
}

export interface MemoryOptions {
  readonly openStore: () => Promise<RobotStore>;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** The page opens without a memory rather than later. */
const OPEN_MS = 1000;

/** Resolves when what was remembered is there, or the store takes too long. Never rejects. */
export async function openMemory({ openStore, after }: MemoryOptions): Promise<Memory> {
  const robots = signal<readonly KnownRobot[]>([]);
  const forgotten = new Set<string>();
  const opening = openStore();
  /** One after the other: what is forgotten is not written again by an earlier wish. */
  let writing: Promise<unknown> = Promise.resolve();
  const use = (work: (store: RobotStore) => Promise<void>): Promise<unknown> => {
    writing = writing.then(() => opening).then(work);
    writing = writing.catch(() => undefined);
    return writing;
  };
  const read = opening
    .then((store) => store.readAll())
    .then((stored) => {
      const known = robots.peek();
      const others = stored.filter(({ id }) => !forgotten.has(id) && known.every((one) => one.id !== id));
      robots.value = [...known, ...others];
    })
    .catch(() => undefined);
  let stopWaiting = (): void => undefined;
  const late = new Promise<void>((resolve) => {
    stopWaiting = after(OPEN_MS, resolve);
  });
  await Promise.race([read, late]);
  stopWaiting();
  return {
    robots,
    find: (url) => findRobot(robots.peek(), url),
    keep(robot) {
      forgotten.delete(robot.id);
      robots.value = withRobot(robots.peek(), robot);
      void use((store) => store.write(robot));
    },
    async forget(id) {
      forgotten.add(id);
      robots.value = robots.peek().filter((robot) => robot.id !== id);
      await use((store) => store.remove(id));
    },
  };
}
