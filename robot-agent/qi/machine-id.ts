// The id of this machine: the same for all its processes, since the choice of endpoints depends on it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where Linux systems keep a random id made at installation (machine-id(5)). */
const ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/** A uuid, stable across restarts. The system's own id is not told: it is hashed, as machine-id(5) asks. */
export function machineId(idFiles: readonly string[] = ID_FILES): string {
  const hash = createHash('sha256')
    .update(`qiway machine ${systemId(idFiles)}`)
    .digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80; // version 8: made of whatever its maker likes (RFC 9562)
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function systemId(idFiles: readonly string[]): string {
  for (const file of idFiles) {
    try {
      const id = readFileSync(file, 'utf8').trim();
      if (id !== '') return id;
    } catch {
      // Not on this system: the next one.
    }
  }
  return `host ${hostname()}`;
}
