// Where the command line writes, and how it hears Ctrl-C. The seam that tests use in place of a real terminal.

export interface Terminal {
  out(text: string | Uint8Array): void;
  error(text: string): void;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly interrupted: AbortSignal;
  writeFile(path: string, content: string | Uint8Array): Promise<void>;
}

/** JSON for people, or on one line for programs. */
export function jsonText(value: unknown, isCompact: boolean): string {
  return `${JSON.stringify(value, null, isCompact ? 0 : 2)}\n`;
}
