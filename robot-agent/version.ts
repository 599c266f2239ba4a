// The version of this package, as its manifest says: beside the sources in a checkout, above dist when published.
import { readFileSync } from 'node:fs';

export function agentVersion(): string {
  for (const place of ['./package.json', '../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === '@qiway/robot-agent' && manifest.version !== undefined) return manifest.version;
    } catch {
      // Not there: the other place.
    }
  }
  return '0.0.0';
}
