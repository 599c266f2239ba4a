// The lockfile serves every platform and every registry. Tooling test.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};

describe('package-lock.json', () => {
  it('names no registry', () => {
    const addresses = Object.values(packages).filter(({ resolved }) => resolved?.includes('://'));
    expect(addresses).toEqual([]);
  });

  // npm leaves them out when it could not reach them; then `npm ci` refuses the lockfile.
  it('holds the optional packages of all platforms', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );
    expect(missing).toEqual([]);
  });
});
