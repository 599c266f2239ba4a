// What a side asks of the other for all its subscribers to one signal, and how it says it. Layer 2; plain data.
import { encodeValue } from '../wire/value.ts';
import { type Demand, EVERY } from './demand.ts';

/** What serves all of them: every one if somebody wants every one, as often as the most eager wants. */
export function strongestOf(subscribers: Iterable<{ readonly demand?: Demand }>): Demand {
  let policy: Demand['policy'] | undefined;
  let maxHz = 0;
  let isUnlimited = false;
  for (const { demand = EVERY } of subscribers) {
    policy = policy === 'every' ? policy : demand.policy;
    if (demand.maxHz === 0) isUnlimited = true;
    else maxHz = Math.max(maxHz, demand.maxHz);
    if (policy === 'every' && isUnlimited) return EVERY;
  }
  return policy === undefined ? EVERY : { policy, maxHz: isUnlimited ? 0 : maxHz };
}

export function isSameDemand(one: Demand, other: Demand): boolean {
  return one.policy === other.policy && one.maxHz === other.maxHz;
}

/**
 * The member `setFlow` of the session object has this id, so that it can be posted before anything is known of that object:
 * in order with the registration that follows. Beyond the ids that members are numbered with.
 */
export const SET_FLOW = 10_000;
/** service, object, signal, policy, maxHz */
export const SET_FLOW_SIGNATURE = '(IIIsd)';

/** The arguments of `setFlow`. */
export function encodeSetFlow(
  address: { readonly service: number; readonly object: number; readonly signal: number },
  { policy, maxHz }: Demand,
): Uint8Array {
  return encodeValue(SET_FLOW_SIGNATURE, [address.service, address.object, address.signal, policy, maxHz]);
}
