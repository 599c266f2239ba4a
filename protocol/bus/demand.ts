// How a subscriber wants events that come faster than they can be taken. Layer 2; plain data.
import { QiwayError } from '../errors.ts';
import { encodeValue } from '../wire/value.ts';

export interface Demand {
  /** `every`: all, and a gap with the number of those that were left out. `latest`: only the newest, when there is room. */
  readonly policy: 'every' | 'latest';
  /** Events a second at most, the newest of each time; 0: as they come. */
  readonly maxHz: number;
}

/** Without a word. */
export const EVERY: Demand = { policy: 'every', maxHz: 0 };

/** Above this, clocks cannot tell one event from the next. */
const MAX_HZ = 1000;

/** @throws `invalid-argument` */
export function demandOf(policy: string, maxHz: number): Demand {
  if (policy !== 'every' && policy !== 'latest')
    throw new QiwayError('invalid-argument', `The policy of a subscription is "every" or "latest", not "${policy}".`, {
      data: { expected: '"every" or "latest"', path: 'policy' },
    });
  if (!(maxHz >= 0))
    throw new QiwayError('invalid-argument', 'maxHz is a number of events a second; 0: as they come.', {
      data: { expected: 'a number, not negative', path: 'maxHz' },
    });
  const isUnlimited = maxHz === 0 || maxHz > MAX_HZ;
  return policy === 'every' && isUnlimited ? EVERY : { policy, maxHz: isUnlimited ? 0 : maxHz };
}

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
