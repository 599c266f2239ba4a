// The SDK as somebody has it who installed it: packed, and unpacked into node_modules of a folder for apps. A fixture, no tests.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, copyCheckout, makeScratchFolder } from '../support/checkout-copy.ts';
import { runProgram } from '../support/run-program.ts';

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

async function succeed(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Packs a copy of the checkout. Nothing is fetched: the package has no dependencies, and React is linked. */
export async function installSdk(): Promise<InstalledSdk> {
  const folder = makeScratchFolder('apps');
  const copy = join(folder, 'checkout');
  const sdk = join(folder, 'node_modules/@qiway/sdk');
  mkdirSync(copy);
  mkdirSync(sdk, { recursive: true });
  copyCheckout(copy);
  const said = await succeed('npm', ['pack', '--json', '--pack-destination', folder], join(copy, 'sdk'));
  const [tarball] = /[\w.-]+\.tgz/.exec(said) ?? [];
  if (tarball === undefined) throw new Error(`npm pack named no tarball: ${said}`);
  await succeed('tar', ['-xzf', tarball, '-C', sdk, '--strip-components=1'], folder);
  const files = (await succeed('tar', ['-tzf', tarball], folder)).trim().split('\n');
  for (const name of ['react', 'react-dom', '@types/react', 'csstype']) {
    mkdirSync(join(folder, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(checkout, 'node_modules', name), join(folder, 'node_modules', name));
  }
  rmSync(copy, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const writeApp = (name: string, sources: Readonly<Record<string, string>>): string => {
    const app = join(folder, name);
    mkdirSync(app);
    for (const [file, text] of Object.entries(sources)) writeFileSync(join(app, file), text);
    return app;
  };
  return { folder, sdk, files, writeApp, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
