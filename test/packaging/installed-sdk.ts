// The SDK as somebody has it who installed it: packed, and unpacked into node_modules of a folder for apps. A fixture, no tests.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { packPackages } from '../support/packed-packages.ts';
import { succeed } from '../support/run-program.ts';

export interface InstalledSdk {
  /** With node_modules; apps lie beside it. */
  readonly folder: string;
  /** Of the package in node_modules. */
  readonly sdk: string;
  /** What `npm pack` put into the tarball. */
  readonly files: readonly string[];
  /** An app's folder with these files. */
  writeApp(name: string, files: Readonly<Record<string, string>>): string;
  remove(): void;
}

/** Nothing is fetched: the package has no dependencies, and React is linked. */
export async function installSdk(): Promise<InstalledSdk> {
  const folder = makeScratchFolder('apps');
  const sdk = join(folder, 'node_modules/@qiway/sdk');
  mkdirSync(sdk, { recursive: true });
  const packed = await packPackages();
  await succeed('tar', ['-xzf', packed.sdk, '-C', sdk, '--strip-components=1']);
  const files = (await succeed('tar', ['-tzf', packed.sdk])).trim().split('\n');
  for (const name of ['react', 'react-dom', '@types/react', 'csstype']) {
    mkdirSync(join(folder, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(checkout, 'node_modules', name), join(folder, 'node_modules', name));
  }
  packed.remove();
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const writeApp = (name: string, sources: Readonly<Record<string, string>>): string => {
    const app = join(folder, name);
    mkdirSync(app);
    for (const [file, text] of Object.entries(sources)) writeFileSync(join(app, file), text);
    return app;
  };
  return { folder, sdk, files, writeApp, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
