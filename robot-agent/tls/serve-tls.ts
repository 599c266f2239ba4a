// What `--tls` says, read: which certificate the agent shows at its HTTP port. Pure.
import { join } from 'node:path';

export type ServeTls =
  /** PEM files of somebody else's making; `ca`: the authority that vouches for it, for devices that do not know it. */
  | { readonly kind: 'files'; readonly cert: string; readonly key: string; readonly ca?: string }
  /** An authority of the robot's own makes them. */
  | { readonly kind: 'self' };

/** What the sentence of a refusal asks for. */
export const TLS_FORMS = 'must be self, cert=FILE,key=FILE[,ca=FILE] or dir=DIR (with fullchain.pem and privkey.pem)';

/** Undefined if it is none of the forms. */
export function readServeTls(text: string): ServeTls | undefined {
  if (text === 'self') return { kind: 'self' };
  const parts = new Map<string, string>();
  for (const part of text.split(',')) {
    const [name = '', ...rest] = part.split('=');
    const value = rest.join('=');
    if (value === '' || parts.has(name)) return undefined;
    parts.set(name, value);
  }
  const names = [...parts.keys()].toSorted().join();
  // As certbot and its like lay them out: https://eff-certbot.readthedocs.io, "Where are my certificates?".
  const directory = parts.get('dir');
  if (names === 'dir' && directory !== undefined)
    return { kind: 'files', cert: join(directory, 'fullchain.pem'), key: join(directory, 'privkey.pem') };
  const [cert, key, ca] = ['cert', 'key', 'ca'].map((name) => parts.get(name));
  if (cert === undefined || key === undefined || (names !== 'cert,key' && names !== 'ca,cert,key')) return undefined;
  return { kind: 'files', cert, key, ...(ca === undefined ? {} : { ca }) };
}
