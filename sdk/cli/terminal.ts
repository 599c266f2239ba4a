// What the command line needs of its surroundings: the seam that tests use in place of a process. Command line.
import type { connect } from '../index.ts';

export interface Terminal {
  out(text: string | Uint8Array): void;
  error(text: string): void;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly interrupted: AbortSignal;
  writeFile(path: string, content: string | Uint8Array): Promise<void>;
}

export interface Surroundings {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly connect: typeof connect;
}

/** JSON for people, or on one line for programs. */
export function jsonText(value: unknown, isCompact: boolean): string {
  return `${JSON.stringify(value, null, isCompact ? 0 : 2)}\n`;
}
