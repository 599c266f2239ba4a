// The implementations of the Crypto seam, with what only tests need of them: keys from given secrets.
import * as node from 'node:crypto';
import type { AgreementKey, Crypto, IdentityKey } from '@qiway/protocol/secure/crypto';
import type { Later } from '@qiway/protocol/secure/later';
import { nodeCrypto } from '@qiway/protocol/secure/node-crypto';

export interface TestedCrypto {
  readonly name: string;
  readonly crypto: Crypto;
  agreementKey(secret: Uint8Array): Later<AgreementKey>;
  identity(secret: Uint8Array): Later<IdentityKey>;
}

const onNode = nodeCrypto(node);

export const cryptos: readonly TestedCrypto[] = [
  { name: 'node:crypto', crypto: onNode, agreementKey: onNode.agreementKey, identity: onNode.identity },
];

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
