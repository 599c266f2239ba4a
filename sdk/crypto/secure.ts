// The handshake and who we are in it, put together for where the SDK runs: Node, a page of a secure origin, any other page.
// A chunk of its own, loaded while the first WebSocket opens; of the three kinds of cryptography one is loaded.
import type { Crypto, IdentityKey } from '@qiway/protocol/secure/crypto';
import { type Credentials, idOf, makeProof } from '@qiway/protocol/secure/identity';
import { type Initiated, type InitiateOptions, initiate, isStaticKeyUnknown } from '@qiway/protocol/secure/initiate';
import { walk } from '@qiway/protocol/secure/later';
import type { NodeCryptoModule } from '@qiway/protocol/secure/node-crypto';
import type { Transport } from '@qiway/protocol/session/transport';
import { systemClock } from '@qiway/protocol/transport/system-clock';

export type DialSecurity = Pick<InitiateOptions, 'robot' | 'hello' | 'wantsSeal' | 'clock' | 'timeoutMs'>;

export interface Secure {
  /** This client, as agents know it. */
  readonly clientId: string;
  /** See protocol/secure/initiate.ts. */
  initiate(transport: Transport, options: DialSecurity): Promise<Initiated>;
  /** Was the handshake refused only because the robot's static key is another by now? */
  isStaticKeyUnknown(error: unknown): boolean;
}

/** What there is of a platform; by default the one we run on. */
export interface Platform {
  /** As Node has it, so that no bundler sees an import. */
  readonly getBuiltinModule?: ((name: 'node:crypto') => unknown) | undefined;
  readonly subtle?: SubtleCrypto | undefined;
  readonly hasDatabase: boolean;
}

/** Rejects when a chunk cannot be loaded. */
export async function openSecure(platform: Platform = thisPlatform()): Promise<Secure> {
  const { crypto, kept } = await chooseCrypto(platform);
  const identity = kept ?? (await crypto.makeIdentity());
  const keys: Credentials = { identity, staticKey: await crypto.makeAgreementKey() };
  // Signed once for all handshakes.
  const credentials: Credentials = { ...keys, proof: await walk(makeProof(keys)) };
  return {
    clientId: await idOf(crypto, identity.publicKey),
    initiate: (transport, options) => initiate(transport, { ...options, ...credentials, crypto }),
    isStaticKeyUnknown,
  };
}

interface Chosen {
  readonly crypto: Crypto;
  /** The identity that outlives the page. */
  readonly kept: IdentityKey | undefined;
}

async function chooseCrypto({ getBuiltinModule, subtle, hasDatabase }: Platform): Promise<Chosen> {
  const node = getBuiltinModule?.('node:crypto');
  if (node !== undefined) {
    const { nodeCrypto } = await import('@qiway/protocol/secure/node-crypto');
    return { crypto: nodeCrypto(node as NodeCryptoModule), kept: undefined };
  }
  if (subtle !== undefined) {
    const { wholeWebCrypto } = await import('./web-crypto.ts');
    const crypto = await wholeWebCrypto(subtle);
    if (crypto !== undefined) return { crypto, kept: hasDatabase ? await readIdentity(subtle) : undefined };
  }
  const { nobleCrypto } = await import('./noble-crypto.ts');
  return { crypto: nobleCrypto, kept: undefined };
}

async function readIdentity(subtle: SubtleCrypto): Promise<IdentityKey | undefined> {
  const { keptIdentity } = await import('./client-identity.ts');
  return keptIdentity({ subtle, clock: systemClock });
}

function thisPlatform(): Platform {
  const { process, indexedDB } = globalThis as {
    readonly process?: { readonly getBuiltinModule?: Platform['getBuiltinModule'] };
    readonly indexedDB?: unknown;
  };
  return {
    getBuiltinModule: process?.getBuiltinModule,
    subtle: globalThis.crypto?.subtle as SubtleCrypto | undefined,
    hasDatabase: indexedDB !== undefined,
  };
}
