// Where an agent keeps what outlives it: identity, token, journal. Decides the place, makes it, knows nothing of its contents.
import { mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { QiwayError } from '@qiway/protocol/errors';
import type { AgentConfig } from '../config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The directory that the configuration means: `state`; else one for each address in `$XDG_STATE_HOME/qiway-agent` or
 * `~/.local/state/qiway-agent`; undefined with port 0, since the next start would be at another address.
 */
export function stateDirectory(
  { state, listen }: Pick<AgentConfig, 'state' | 'listen'>,
  environment: Environment = process.env,
): string | undefined {
  if (state !== undefined) return state;
  if (listen.port === 0) return undefined;
  const base = environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  return join(base, 'qiway-agent', `${listen.host.replace(/[^\w.-]/g, '_')}_${listen.port}`);
}

/**
 * Makes it, for this user alone, if it is not there.
 * @throws `config-invalid` when everybody may replace what lies in it; an error of the system when it cannot be made
 */
export function makeStateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { mode } = statSync(path);
  if (process.platform === 'win32' || (mode & 0o002) === 0) return;
  throw new QiwayError(
    'config-invalid',
    `--state ${path}: every user of this computer may change files there, so nothing secret can be kept in it; run chmod 700 ${path}, or name another directory.`,
    { data: { key: 'state' } },
  );
}
