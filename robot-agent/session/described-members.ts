// The session object's member that describes all services at once: who has kept a metaobject sees by its hash whether it is
// still the one.
import type { BusObject } from '@qiway/protocol/bus/bus';
import type { MetaObject } from '@qiway/protocol/bus/metaobject';
import type { Clock } from '@qiway/protocol/clock';
import {
  DESCRIBE_SERVICES,
  DESCRIBED_SIGNATURE,
  type DescribedService,
} from '@qiway/protocol/directory/describe-services';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { type Members, method } from '@qiway/protocol/objects/hosted-object';
import { hashMetaObject } from '@qiway/protocol/wire/metaobject-hash';
import { within } from '@qiway/protocol/within';

const NO_HASH = new Uint8Array(0);
/** For hosts to tell metaobjects that nobody asked for yet, ms: a client waits for the answer before it is online. */
const LOAD_MS = 150;

/** Of all sessions: each metaobject is hashed once. */
export function describedMembers(bus: EmbeddedBus, clock: Clock): () => Members {
  const hashes = new WeakMap<MetaObject, Uint8Array>();
  const hashOf = ({ metaObject }: BusObject): Uint8Array => {
    const hash = hashes.get(metaObject) ?? hashMetaObject(metaObject.bytes);
    hashes.set(metaObject, hash);
    return hash;
  };
  const describe = async (): Promise<DescribedService[]> => {
    const loaded = new Map<number, BusObject>();
    const infos = bus.registry.list();
    const loading = infos.map(async ({ serviceId }) => {
      const object = await bus.objectOf(serviceId);
      if (object !== undefined) loaded.set(serviceId, object);
    });
    // One that cannot be reached is told without a hash.
    await within(Promise.allSettled(loading), { clock, timeoutMs: LOAD_MS }, 'Hosts did not answer').catch(() => {});
    // Those that left meanwhile are told of, too; their ids are not given again.
    return infos.map(({ serviceId, name, objectUid }) => {
      const object = loaded.get(serviceId);
      return { serviceId, name, objectUid, hash: object === undefined ? NO_HASH : hashOf(object) };
    });
  };
  const description = 'Ids of all services, and hashes of their metaobjects.';
  return () => ({
    describeServices: { ...method('()', DESCRIBED_SIGNATURE, describe, { description }), uid: DESCRIBE_SERVICES },
  });
}
