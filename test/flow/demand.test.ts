// What subscribers ask for, and what serves several of them.
import { demandOf, EVERY } from '@qiway/protocol/bus/demand';
import { encodeSetFlow, isSameDemand, SET_FLOW_SIGNATURE, strongestOf } from '@qiway/protocol/bus/set-flow';
import { decodeValue } from '@qiway/protocol/wire/value';
import { describe, expect, it } from 'vitest';

describe('demands', () => {
  it('are refused by name when they are none', () => {
    expect(() => demandOf('some', 0)).toThrow(/\[invalid-argument\] .*"every" or "latest", not "some"/);
    expect(() => demandOf('every', -1)).toThrow(/\[invalid-argument\] maxHz/);
    expect(() => demandOf('every', Number.NaN)).toThrow(/\[invalid-argument\] maxHz/);
  });

  it('without a limit are one and the same', () => {
    expect(demandOf('every', 0)).toBe(EVERY);
    expect(demandOf('every', 5000)).toBe(EVERY);
    expect(demandOf('latest', Number.POSITIVE_INFINITY)).toEqual({ policy: 'latest', maxHz: 0 });
  });

  it.each([
    [[], EVERY],
    [[{}], EVERY],
    [[{ demand: demandOf('latest', 0) }], { policy: 'latest', maxHz: 0 }],
    [[{ demand: demandOf('latest', 5) }, { demand: demandOf('latest', 20) }], { policy: 'latest', maxHz: 20 }],
    [[{ demand: demandOf('latest', 5) }, { demand: demandOf('latest', 0) }], { policy: 'latest', maxHz: 0 }],
    [[{ demand: demandOf('latest', 30) }, { demand: demandOf('every', 5) }], { policy: 'every', maxHz: 30 }],
    [[{ demand: demandOf('latest', 0) }, { demand: demandOf('every', 5) }], EVERY],
    [[{ demand: demandOf('latest', 5) }, {}], EVERY],
  ])('of %j together are %j', (subscribers, expected) => {
    expect(strongestOf(subscribers)).toEqual(expected);
    expect(isSameDemand(strongestOf(subscribers), expected as typeof EVERY)).toBe(true);
  });

  it('travel as the arguments of setFlow', () => {
    const bytes = encodeSetFlow({ service: 7, object: 1, signal: 104 }, { policy: 'latest', maxHz: 12.5 });
    expect(decodeValue(SET_FLOW_SIGNATURE, bytes)).toEqual([7, 1, 104, 'latest', 12.5]);
  });
});
