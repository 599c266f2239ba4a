// How a subscriber wants events that come faster than they can be taken. Layer 2; plain data.
import { QiwayError } from '../errors.ts';

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
