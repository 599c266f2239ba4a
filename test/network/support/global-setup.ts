// Around the tests of the network: says in one line why they are skipped, if they are, and clears what killed runs left,
// before them and after.
import type { TestProject } from 'vitest/node';
import { removeStaleNamespaces, whyImpossible } from './namespaces.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty: the tests can run. */
    readonly whyNoNetwork: string;
  }
}

export function setup({ provide }: TestProject): void {
  const reason = whyImpossible() ?? '';
  provide('whyNoNetwork', reason);
  if (reason === '') removeStaleNamespaces();
  else process.stderr.write(`The tests of the network (test/network) are skipped: ${reason}\n`);
}

export function teardown(): void {
  if (whyImpossible() === undefined) removeStaleNamespaces();
}
