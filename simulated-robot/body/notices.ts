// A list of listeners for one kind of news inside the robot. Knows no bus.

/** Tells everybody who listens. */
export interface Notices<T> {
  /** Returns how to stop listening. */
  listen(listener: (news: T) => void): () => void;
  tell(news: T): void;
}

export function createNotices<T>(): Notices<T> {
  const listeners = new Set<(news: T) => void>();
  return {
    listen(listener) {
      const own = (news: T): void => listener(news);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    tell(news) {
      for (const listener of [...listeners]) listener(news);
    },
  };
}

/** Something that takes time: it ends once, well or not. */
export interface Task<T> {
  readonly done: Promise<T>;
  /** Ends it now if it has not ended; `done` then tells what that means for it. */
  cancel(): void;
}
