// What the documentation says of files, codes and its own size. Tooling test.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';

const read = (path: string): string => readFileSync(join(checkout, path), 'utf8');
const below = (folder: string): string[] => readdirSync(join(checkout, folder)).map((name) => `${folder}/${name}`);
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'sdk/README.md',
  'robot-agent/README.md',
  ...[...below('docs'), ...below('docs/decisions')].filter((path) => path.endsWith('.md')),
];

/** Targets of links that are files of the repository. */
function linksWithin(page: string): string[] {
  const prose = read(page).replaceAll(/```.*?```|`[^`\n]*`/gs, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^(https?:|#)/.test(target)).map((target) => target.split('#')[0] ?? '');
}

describe('the documentation', () => {
  it.each(pages)('%s links to what is there', (page) => {
    const missing = linksWithin(page).filter((path) => !existsSync(join(checkout, dirname(page), path)));
    expect(missing).toEqual([]);
  });

  it('of a published package links to nothing that is not published', () => {
    expect(['sdk/README.md', 'robot-agent/README.md'].flatMap(linksWithin)).toEqual([]);
  });

  it('names files, folders and tests that exist', () => {
    const named = ['docs/architecture.md', 'docs/tour.md', 'CONTRIBUTING.md'].flatMap((page) =>
      [...read(page).matchAll(/`((?:protocol|sdk|robot-agent|test|docs|scripts)\/[\w./-]*)`/g)].map(
        ([, path = '']) => path,
      ),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(join(checkout, path)))).toEqual([]);
  });

  it('tells of every error code, and of none that there is not', () => {
    const [, declared = ''] = /interface ErrorData \{\n(.*?)\n\}/s.exec(read('protocol/errors.ts')) ?? [];
    const codes = [...declared.matchAll(/^ {2}'?([a-z-]+)'?: /gm)].map(([, code]) => code);
    const documented = [...read('docs/errors.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(20);
    expect(documented.toSorted()).toEqual(codes.toSorted());
  });

  it('keeps the readme at 150 lines, and decisions at 40', () => {
    const longer = (path: string, lines: number): boolean => read(path).split('\n').length - 1 > lines;
    expect(longer('README.md', 150)).toBe(false);
    expect(below('docs/decisions').filter((path) => longer(path, 40))).toEqual([]);
  });

  it('has an entry for the version that the packages have', () => {
    for (const name of ['sdk', 'robot-agent']) {
      const { version } = JSON.parse(read(`${name}/package.json`)) as { readonly version: string };
      expect(read('CHANGELOG.md')).toContain(`## ${version}\n`);
    }
  });
});
