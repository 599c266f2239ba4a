// Who this agent is: its identity, the key of its handshakes and its token, from the files that an earlier start made, else new.
import { join } from 'node:path';
import { isQiwayError } from '@qiway/protocol/errors';
import { KEY_BYTES } from '@qiway/protocol/secure/crypto';
import { type Credentials, idOf, makeProof } from '@qiway/protocol/secure/identity';
import { walk } from '@qiway/protocol/secure/later';
import type { NodeCrypto } from '@qiway/protocol/secure/node-crypto';
import type { AgentConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import { keepSecret, unusable } from './kept-secret.ts';
import { nodeCrypto } from './node-crypto.ts';
import { makeStateDirectory, stateDirectory } from './state-directory.ts';

export interface Identity extends Required<Credentials> {
  readonly crypto: NodeCrypto;
  /** Names the robot for clients, wherever it is: see docs/link-protocol.md, section 2. */
  readonly robotId: string;
  readonly token: string;
  /** Where it is kept, and other things may be; undefined: nowhere. */
  readonly directory: string | undefined;
}

interface Secrets {
  readonly identity: Uint8Array;
  readonly staticKey: Uint8Array;
}

const KEYS_FILE = 'identity.json';
const TOKEN_FILE = 'token';

/**
 * Where nothing can be kept, the agent is somebody else at each start, and says so.
 * @throws `config-invalid` when files are there that cannot be used: a robot does not become another in silence
 */
export async function openIdentity(config: AgentConfig, logger: Logger): Promise<Identity> {
  const crypto = nodeCrypto;
  const directory = stateDirectory(config);
  const keep = (name: string, fresh: string): { readonly text: string; readonly isKept: boolean } => {
    try {
      if (directory === undefined) return { text: fresh, isKept: false };
      makeStateDirectory(directory);
      return { text: keepSecret(join(directory, name), () => fresh), isKept: true };
    } catch (error) {
      if (isQiwayError(error)) throw error;
      logger.warn('the state cannot be kept: the robot has a new identity and token at each start', {
        directory,
        reason: error instanceof Error ? error.message : String(error),
      });
      return { text: fresh, isKept: false };
    }
  };
  const keys = keep(KEYS_FILE, freshKeys(crypto));
  const secrets = readKeys(keys.text, join(directory ?? '', KEYS_FILE));
  const identity = crypto.identity(secrets.identity);
  const staticKey = crypto.agreementKey(secrets.staticKey);
  return {
    crypto,
    identity,
    staticKey,
    proof: await walk(makeProof({ identity, staticKey })),
    robotId: await idOf(crypto, identity.publicKey),
    token:
      config.isTokenMade === true && keys.isKept
        ? readToken(keep(TOKEN_FILE, config.token).text, directory)
        : config.token,
    directory: keys.isKept ? directory : undefined,
  };
}

function freshKeys(crypto: NodeCrypto): string {
  const secret = (): string => Buffer.from(crypto.random(KEY_BYTES)).toString('base64url');
  return `${JSON.stringify({ identity: secret(), staticKey: secret() }, undefined, 2)}\n`;
}

function readKeys(text: string, path: string): Secrets {
  try {
    const kept = JSON.parse(text) as Record<string, unknown>;
    return { identity: readKey(kept['identity']), staticKey: readKey(kept['staticKey']) };
  } catch {
    throw unusable(
      path,
      'does not hold the two keys of a robot; put back a copy, or delete it: the robot then gets a new id, and clients need the new URL',
    );
  }
}

function readKey(value: unknown): Uint8Array {
  const bytes = Buffer.from(String(value), 'base64url');
  if (typeof value !== 'string' || bytes.length !== KEY_BYTES) throw new Error('no key');
  return new Uint8Array(bytes);
}

function readToken(text: string, directory = ''): string {
  const token = text.trim();
  // As --token: see config.ts.
  if (/^[\w.~+/-]+=*$/.test(token)) return token;
  throw unusable(join(directory, TOKEN_FILE), 'does not hold a token; delete it, and the next start makes a new one');
}
