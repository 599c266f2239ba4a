// One question for all services at once: their ids, and hashes of their metaobjects, so that what is known need not be
// fetched. The agent answers it at the session object. Layer 4.
import { NO_OBJECTS } from '../bus/bus.ts';
import { callObject } from '../bus/call.ts';
import { makeMetaObject } from '../bus/metaobject.ts';
import type { Peer } from '../bus/peer.ts';
import { PeerObject } from '../bus/peer-object.ts';
import { decodeValue } from '../wire/value.ts';
import type { TimeLimit } from '../within.ts';

/** The member of the session object has this id, so that it can be asked before anything is known of that object. */
export const DESCRIBE_SERVICES = 10_001;
/** Service id, name, uid of the object, hash of the metaobject's bytes; empty where the agent has not seen it yet. */
export const DESCRIBED_SIGNATURE = '[(Isrr)<DescribedService,serviceId,name,objectUid,hash>]';

export interface DescribedService {
  readonly serviceId: number;
  readonly name: string;
  readonly objectUid: Uint8Array;
  /** `hashMetaObject`; empty: not known. */
  readonly hash: Uint8Array;
}

/** The session object, as far as it is asked here. */
const ASKED = makeMetaObject({
  methods: new Map([
    [
      DESCRIBE_SERVICES,
      {
        uid: DESCRIBE_SERVICES,
        name: 'describeServices',
        parametersSignature: '()',
        returnSignature: DESCRIBED_SIGNATURE,
        description: '',
        parameters: [],
        returnDescription: '',
      },
    ],
  ]),
  signals: new Map(),
  properties: new Map(),
  description: '',
});

/** By name. Undefined: the other side does not tell. Never rejects. */
export async function describeServices(
  peer: Peer,
  limit: TimeLimit,
): Promise<ReadonlyMap<string, DescribedService> | undefined> {
  const asked = new PeerObject(peer, { service: 0, object: 1, metaObject: ASKED, uid: new Uint8Array(20) });
  try {
    const payload = { signature: '()', bytes: new Uint8Array(0), objects: NO_OBJECTS };
    const { signature, bytes } = await callObject(asked, { action: DESCRIBE_SERVICES, payload }, limit);
    const told = decodeValue(signature, bytes) as DescribedService[];
    return new Map(told.map((each) => [each.name, each]));
  } catch {
    return undefined; // an agent that does not know the question, or a link that is lost
  }
}
