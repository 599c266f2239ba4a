// Declarations for a published package: those that tsc emitted for its entries and all that these import, copied side by
// side, so that nothing in them names the private protocol package. Tooling.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const specifier = /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+|@qiway\/protocol\/[^'"]+)\2/g;

export interface DeclarationPaths {
  /** Where tsc emitted, one folder per project. */
  readonly emitted: string;
  /** Where the copies go, in the same folders. */
  readonly target: string;
}

/** Copies the declarations of `entries` (paths in `emitted`, without `.d.ts`) and of what they import. */
export function copyDeclarations(entries: readonly string[], paths: DeclarationPaths): void {
  const seen = new Set<string>(entries);
  for (const name of seen) {
    const source = readFileSync(join(paths.emitted, `${name}.d.ts`), 'utf8');
    const text = source.replace(specifier, (whole, before: string, quote: string, wanted: string) => {
      const imported = nameOf(wanted, name);
      // An import in an example of a doc comment, of a file that only a reader has.
      if (!existsSync(join(paths.emitted, `${imported}.d.ts`))) return whole;
      seen.add(imported);
      return `${before}${quote}${relativePath(dirname(name), imported)}.js${quote}`;
    });
    const file = join(paths.target, `${name}.d.ts`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  }
}

function nameOf(wanted: string, importer: string): string {
  const plain = wanted.replace(/\.tsx?$/, '');
  return plain.startsWith('@qiway/') ? plain.slice('@qiway/'.length) : join(dirname(importer), plain);
}

function relativePath(from: string, to: string): string {
  const path = relative(from, to);
  return path.startsWith('.') ? path : `./${path}`;
}
