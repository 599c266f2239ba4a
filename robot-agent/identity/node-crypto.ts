// The cryptography of the agent: that of Node.
import * as node from 'node:crypto';
import { type NodeCrypto, nodeCrypto as onNode } from '@qiway/protocol/secure/node-crypto';

export const nodeCrypto: NodeCrypto = onNode(node);
