// The children's side of processes.ts: answers what the test asks over the channel of the fork.

interface Question {
  readonly id: number;
  readonly name: string;
  readonly detail: unknown;
}

/** Ends the process with the test, and on `disconnect`. */
export function answerQuestions(answers: Readonly<Record<string, (detail: never) => unknown>>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async ({ id, name, detail }: Question) => {
    try {
      process.send?.({ id, answer: await answers[name]?.(detail as never) });
    } catch (error) {
      process.send?.({ id, failure: String(error) });
    }
  });
  process.send?.({ id: 0, answer: 'ready' });
}

/** Bytes in use once everything that can be collected is. */
export function bytesInUse(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
