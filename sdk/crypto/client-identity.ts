// Who this client is, page after page: a key that signs and that nobody can read, in the browser's IndexedDB, one for all tabs
// of an origin. Where none can be kept: undefined, and the client is somebody new with each page.
import type { Clock } from '@qiway/protocol/clock';
import type { IdentityKey } from '@qiway/protocol/secure/crypto';
import { within } from '@qiway/protocol/within';
import { openDB } from 'idb';
import { makeIdentityPair, webIdentity } from './web-crypto.ts';

const DATABASE = 'qiway-identity';
const STORE = 'keys';
const KEY = 'client';
/** A browser that keeps the database from us (private browsing, a worker of WebKit) may not answer at all. */
const PATIENCE_MS = 1000;

export interface ClientIdentityOptions {
  readonly subtle: SubtleCrypto;
  readonly clock: Clock;
}

/** Never rejects. */
export function keptIdentity({ subtle, clock }: ClientIdentityOptions): Promise<IdentityKey | undefined> {
  const limit = { clock, timeoutMs: PATIENCE_MS };
  return within(readOrMake(subtle), limit, 'The database of keys did not open').catch(() => undefined);
}

async function readOrMake(subtle: SubtleCrypto): Promise<IdentityKey> {
  const database = await openDB(DATABASE, 1, { upgrade: (created) => void created.createObjectStore(STORE) });
  try {
    const found: unknown = await database.get(STORE, KEY);
    if (isIdentityPair(found)) return await webIdentity(subtle, found);
    // Made before the transaction begins, which would end while a key is made.
    const fresh = await makeIdentityPair(subtle);
    const transaction = database.transaction(STORE, 'readwrite');
    const first: unknown = await transaction.store.get(KEY);
    // Another tab may have been first: its key is everybody's.
    const pair = isIdentityPair(first) ? first : fresh;
    if (pair === fresh) await transaction.store.put(fresh, KEY);
    await transaction.done;
    return await webIdentity(subtle, pair);
  } finally {
    database.close();
  }
}

/** What an other program of this origin left there is no key of ours. */
function isIdentityPair(value: unknown): value is CryptoKeyPair {
  const pair = value as Partial<CryptoKeyPair> | undefined;
  return pair?.privateKey?.algorithm?.name === 'Ed25519' && pair.privateKey.usages.includes('sign');
}
