// Builds the console when its sources are newer than what was built. Tooling.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { root } from './checks.ts';

/** The folder of the built console, up to date. */
export async function ensureDemo(): Promise<string> {
  const dist = join(root, 'web-demo/dist');
  const built = changedAt(join(dist, 'index.html'));
  const sources = ['web-demo', 'sdk', 'protocol'].map((folder) => newest(join(root, folder)));
  if (built === undefined || sources.some((at) => at > built)) {
    process.stderr.write('building the console\n');
    await build({ configFile: join(root, 'vite.config.ts'), root: join(root, 'web-demo'), logLevel: 'error' });
  }
  return dist;
}

function changedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function newest(folder: string): number {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || /(^|[/\\])(dist|node_modules)([/\\]|$)/.test(entry.parentPath)) continue;
    latest = Math.max(latest, changedAt(join(entry.parentPath, entry.name)) ?? 0);
  }
  return latest;
}
