// The machine's id must be that of libqi's programs on it, or they find no endpoint of services hosted here.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { machineId } from '../../robot-agent/qi/machine-id.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'machine-id-'));
  folders.push(folder);
  writeFileSync(join(folder, 'id'), content);
  return join(folder, 'id');
}

const SYSTEM = '0123456789abcdef0123456789abcdef\n';

test('is what libqi keeps in its file', () => {
  const own = file('b86f9e43-2266-4b6b-b802-14aef3238fad');
  expect(machineId([file(SYSTEM)], own)).toBe('b86f9e43-2266-4b6b-b802-14aef3238fad');
});

test('is else made of the system’s id as libqi with systemd makes it, whose file is empty or missing', () => {
  // uuid5(namespace dd96971d-0912-44c2-a407-8e79a8297b89, the 32 digits).
  const expected = '83ac8615-f356-53d8-b2ac-2f6eb72e38c4';
  expect(machineId([file(SYSTEM)], '/no/such/file')).toBe(expected);
  expect(machineId([file(SYSTEM)], file(''))).toBe(expected);
});
