// `npm run build`: the published packages into their dist folders, the demo into web-demo/dist. Tooling.
// Names of packages as arguments build only those.

import { join } from 'node:path';
import { build as buildDemo } from 'vite';
import { buildPackage } from './build-package.ts';
import { root } from './checks.ts';
import { publishedPackages } from './published-packages.ts';

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);

for (const published of publishedPackages.filter(({ folder }) => isWanted(folder))) {
  await buildPackage(published);
  process.stdout.write(`built ${published.folder}/dist\n`);
}
if (isWanted('web-demo')) {
  await buildDemo({ configFile: join(root, 'vite.config.ts'), root: join(root, 'web-demo'), logLevel: 'warn' });
  process.stdout.write('built web-demo/dist\n');
}
