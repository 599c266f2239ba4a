// Builds the console's service worker into the root of the console's build, with the list of files that it keeps. Tooling.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import type { Plugin } from 'vite';

/** Files below it have a hash of their content in their name. */
const HASHED = 'assets/';
const LONGEST_REVISION = 16;

interface ShellFile {
  readonly path: string;
  readonly revision?: string;
}

/** @param consoleFolder the sources of the console, with `service-worker/sw.ts` and `public/` */
export function consoleWorker(consoleFolder: string): Plugin {
  return {
    name: 'qiway-console-worker',
    apply: 'build',
    generateBundle: {
      // After index.html is there.
      order: 'post',
      async handler(_options, bundle) {
        const files = new Map<string, ShellFile>();
        const add = (name: string, content: string | Uint8Array): void => {
          files.set(
            name,
            name.startsWith(HASHED) ? { path: `/${name}` } : { path: `/${name}`, revision: hash(content) },
          );
        };
        for (const file of Object.values(bundle))
          if (!file.fileName.endsWith('.map')) add(file.fileName, file.type === 'chunk' ? file.code : file.source);
        const fixed = join(consoleFolder, 'public');
        for (const name of readdirSync(fixed)) add(name, readFileSync(join(fixed, name)));
        const listed = [...files.values()].sort((a, b) => a.path.localeCompare(b.path, 'en'));
        const shell = { version: hash(JSON.stringify(listed)), files: listed };
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: await bundled(consoleFolder, shell) });
      },
    },
  };
}

function hash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, LONGEST_REVISION);
}

/** One file without imports: a browser loads nothing else before it may install. */
async function bundled(consoleFolder: string, shell: object): Promise<string> {
  const build = await rolldown({
    input: join(consoleFolder, 'service-worker/sw.ts'),
    platform: 'browser',
    transform: { define: { QIWAY_SHELL: JSON.stringify(shell) } },
  });
  const { output } = await build.generate({ format: 'iife', minify: true, codeSplitting: false });
  await build.close();
  return output[0].code;
}
