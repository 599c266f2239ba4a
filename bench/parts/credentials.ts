// Who somebody is in the handshake, made anew; for both ends of the plain one.
import * as node from 'node:crypto';
import type { Credentials } from '@qiway/protocol/secure/identity';
import { type NodeCrypto, nodeCrypto as onNode } from '@qiway/protocol/secure/node-crypto';

export const nodeCrypto: NodeCrypto = onNode(node);

export function newCredentials(): Credentials {
  const secret = (): Uint8Array => nodeCrypto.random(32);
  return { identity: nodeCrypto.identity(secret()), staticKey: nodeCrypto.agreementKey(secret()) };
}
