// What a qi program understands beyond the oldest protocol, and what two of them agree on. Pure.
import type { PeerAgreement } from '@qiway/protocol/bus/peer';
import { createMetaObjectCache, Dynamic } from '@qiway/protocol/wire/value';

/** The keys of libqi 4; absent means false, unknown ones are ignored. */
export interface Capabilities {
  /** Calls are accepted on a socket that this side opened. */
  readonly ClientServerSocket: boolean;
  readonly MessageFlags: boolean;
  /** Objects are written with a metaobject cache. */
  readonly MetaObjectCache: boolean;
  /** Objects are written with their uid. */
  readonly ObjectPtrUID: boolean;
  readonly RelativeEndpointURI: boolean;
  readonly RemoteCancelableCalls: boolean;
}

/** As libqi 4.0.5 announces them: the cache is understood, but off unless asked for. */
export const OWN_CAPABILITIES: Capabilities = {
  ClientServerSocket: true,
  MessageFlags: true,
  MetaObjectCache: false,
  ObjectPtrUID: true,
  RelativeEndpointURI: true,
  RemoteCancelableCalls: true,
};

const NAMES = Object.keys(OWN_CAPABILITIES) as readonly (keyof Capabilities)[];

/** Ready to be encoded as `{sm}`. */
export function capabilityEntries(capabilities: Capabilities): Record<string, Dynamic> {
  return Object.fromEntries(NAMES.map((name) => [name, new Dynamic('b', capabilities[name])]));
}

/** What both sides announced. `remote` is a decoded `{sm}`, whatever it holds. */
export function agreeOn(own: Capabilities, remote: Readonly<Record<string, unknown>>): Capabilities {
  const both = NAMES.map((name) => [name, own[name] && (remote[name] === true || remote[name] === 1)]);
  return Object.fromEntries(both) as Capabilities;
}

/** What the agreement means for the messages of one socket. */
export function peerAgreement(agreed: Capabilities): PeerAgreement {
  const hasUid = agreed.ObjectPtrUID;
  const encoding = agreed.MetaObjectCache ? { hasUid, cache: createMetaObjectCache() } : { hasUid };
  return {
    incoming: encoding,
    outgoing: encoding,
    canCancel: agreed.RemoteCancelableCalls,
    hasFlags: agreed.MessageFlags,
    tellsLosses: false,
  };
}
