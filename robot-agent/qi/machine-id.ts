// The id of this machine: the same for all its qi programs, libqi's and ours. A libqi program takes only endpoints of
// loopback for a service with its own machine's id, and never those for one with another's.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';

/** Where Linux systems keep a random id made at installation (machine-id(5)). */
const ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
/** libqi 4 with systemd makes its id of the system's in this namespace, by name (RFC 9562, version 5). */
const LIBQI_NAMESPACE = 'dd96971d091244c2a4078e79a8297b89';

/**
 * A uuid, stable across restarts: the one that libqi keeps in its file if there is one, else made of the system's as
 * libqi with systemd makes it. The system's own id is not told, as machine-id(5) asks.
 */
export function machineId(idFiles: readonly string[] = ID_FILES, libqiFile: string = libqiIdFile()): string {
  const kept = firstWord(libqiFile);
  if (kept !== '') return kept;
  const hash = createHash('sha1').update(Buffer.from(LIBQI_NAMESPACE, 'hex')).update(systemId(idFiles)).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** Where libqi without systemd keeps the id of the machine, per user; it makes one when it first needs it. */
function libqiIdFile(): string {
  const chosen = process.env['QI_WRITABLE_PATH'] ?? '';
  return join(chosen === '' ? join(homedir(), '.config') : join(chosen, 'config'), 'qimessaging', 'machine_id');
}

function systemId(idFiles: readonly string[]): string {
  for (const file of idFiles) {
    const id = firstWord(file);
    if (id !== '') return id;
  }
  return `host ${hostname()}`;
}

/** Empty when there is no such file. */
function firstWord(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().split(/\s/)[0] ?? '';
  } catch {
    return '';
  }
}
