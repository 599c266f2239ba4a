// Names and addresses under which the agent was reached, so that pages which came from one may follow the robot to another,
// also when it is switched off on the way. Kept in a file if there is one; knows no sockets and no rules.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isLoopback } from '../address.ts';

/** A robot that changes networks every day has this many in two months. */
const MAX_HOSTS = 64;
/** Longer ones than DNS has are none. */
const MAX_NAME_LENGTH = 253;

export interface PageHosts {
  has(name: string): boolean;
  /** The one that came last stays longest. */
  add(name: string): void;
}

export interface PageHostsOptions {
  /** Without it they are forgotten at the end of the program. */
  readonly path?: string | undefined;
  /** Told once that the file cannot be used; they are then kept in memory. */
  readonly onFailed: (reason: string) => void;
}

/** @param options.path a file that this makes, in a directory that is there */
export function createPageHosts({ path, onFailed }: PageHostsOptions): PageHosts {
  let isKept = path !== undefined;
  const attempt = (run: (path: string) => void): void => {
    if (path === undefined || !isKept) return;
    try {
      run(path);
    } catch (error) {
      isKept = false;
      onFailed(error instanceof Error ? error.message : String(error));
    }
  };
  const names = new Set<string>();
  attempt((file) => {
    for (const name of read(file).slice(-MAX_HOSTS)) names.add(name);
  });
  return {
    has: (name) => names.has(name),
    add(name) {
      const isNew = !names.delete(name);
      names.add(name);
      if (!isNew) return;
      for (const oldest of names) {
        if (names.size <= MAX_HOSTS) break;
        names.delete(oldest);
      }
      // A page of this machine is at home wherever the robot is.
      if (!isLoopback(name)) attempt((file) => write(file, [...names]));
    },
  };
}

/** What is no name is left out: whoever may write there may do worse. */
function read(path: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').filter((name) => name.length <= MAX_NAME_LENGTH && /^[0-9a-z:._-]+$/.test(name));
}

function write(path: string, names: readonly string[]): void {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, names.filter((name) => !isLoopback(name)).join('\n'), { mode: 0o600 });
  renameSync(fresh, path);
}
