// `qiway init DIR`: copies the ready service worker and the ready SharedWorker into an app's folder of files that are served as they
// are. Command line; needs no robot.
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QiwayError } from '@qiway/protocol/errors';
import type { Surroundings } from './terminal.ts';
import { EXIT, type Invocation, UsageError } from './usage.ts';

/** Each a single file that imports nothing, as the package is built. */
const READY_FILES = ['qiway-sw.js', 'qiway-worker.js'] as const;

/** Where they lie: beside this program in an installed package, in `dist` of a checkout that was built. */
const PLACES: readonly string[] = ['../', './', '../dist/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

const NEXT = `In the page:
  import { connect } from '@qiway/sdk';
  import { registerGateway } from '@qiway/sdk/gateway';
  const robot = await connect(url, { worker: '/qiway-worker.js' });
  await registerGateway();                        // then fetch('/robot/services') is the robot
Copy the files again with each new version of the package.
`;

/** The exit code. The folder is made where it is missing. @param places for tests: folders that may hold the files. @throws UsageError; `unsupported` */
export async function init(
  { args: [directory = '.'] }: Pick<Invocation, 'args'>,
  { terminal }: Pick<Surroundings, 'terminal'>,
  places: readonly string[] = PLACES,
): Promise<number> {
  const there = await stat(directory).catch(() => undefined);
  if (there?.isDirectory() === false)
    throw new UsageError(`${directory} is not a folder: give the one whose files your server serves as they are`);
  const contents = await Promise.all(READY_FILES.map((name) => findFile(name, places)));
  if (there === undefined) await makeFolder(directory, terminal);
  for (const [index, name] of READY_FILES.entries()) {
    await terminal.writeFile(join(directory, name), contents[index] as Uint8Array);
    terminal.out(`${join(directory, name)}\n`);
  }
  terminal.out(`\n${NEXT}`);
  return EXIT.ok;
}

/** New projects have none yet; that it is new tells whoever mistyped its name. */
async function makeFolder(path: string, terminal: Surroundings['terminal']): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`${path} cannot be made (${(error as Error).message}): give a folder that you may write to`);
  }
  terminal.out(`${path} is a new folder\n`);
}

async function findFile(name: string, places: readonly string[]): Promise<Uint8Array> {
  for (const place of places) {
    const content = await readFile(join(place, name)).catch(() => undefined);
    if (content !== undefined) return content;
  }
  throw new QiwayError('unsupported', `${name} is not built yet: run "npm run build" in the checkout first.`, {
    data: { what: name },
  });
}
