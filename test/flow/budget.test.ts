// What all sessions of an agent keep together is bounded, and who uses most pays for it.
import type { QiwayError } from '@qiway/protocol/errors';
import { Budget, type Share } from '@qiway/protocol/session/budget';
import { expect, test } from 'vitest';

interface Member {
  bytes: number;
  readonly share: Share;
  readonly ended: QiwayError[];
  /** As the sender of a session does: asks, then keeps. */
  take(more: number): QiwayError | undefined;
}

function member(budget: Budget): Member {
  const ended: QiwayError[] = [];
  const share = budget.open({
    bytes: () => one.bytes,
    end: (error) => {
      ended.push(error);
      share.close();
    },
  });
  const take = (more: number): QiwayError | undefined => {
    const error = share.refuse(more);
    if (error === undefined) one.bytes += more;
    return error;
  };
  const one: Member = { bytes: 0, share, ended, take };
  return one;
}

test('all may keep what there is together', () => {
  const budget = new Budget(1000);
  const [one, other] = [member(budget), member(budget)];
  expect(one.take(600)).toBeUndefined();
  expect(other.take(400)).toBeUndefined();
  expect(budget.bytes).toBe(1000);
});

test('beyond it the largest is ended, not who asks', () => {
  const budget = new Budget(1000);
  const [large, small, asking] = [member(budget), member(budget), member(budget)];
  large.take(600);
  small.take(100);
  asking.take(200);
  expect(asking.take(150)).toBeUndefined();
  expect(large.ended.map(({ code, data }) => ({ code, data }))).toEqual([
    { code: 'limit-exceeded', data: { limit: 'maxBytes', maximum: 1000 } },
  ]);
  expect([small.ended, asking.ended]).toEqual([[], []]);
  expect(budget.bytes).toBe(450);
});

test('who would be the largest with what it asks for is refused itself, and nobody else notices', () => {
  const budget = new Budget(1000);
  const [one, asking] = [member(budget), member(budget)];
  one.take(500);
  asking.take(400);
  expect(asking.take(300)).toMatchObject({ code: 'limit-exceeded' });
  expect(one.ended).toEqual([]);
  expect(budget.bytes).toBe(900);
});

test('several are ended when one is not enough', () => {
  const budget = new Budget(1000);
  const [first, second, third, asking] = [member(budget), member(budget), member(budget), member(budget)];
  first.take(380);
  second.take(370);
  third.take(50);
  asking.take(200);
  expect(asking.take(120)).toBeUndefined();
  expect([first, second, third, asking].map(({ ended }) => ended.length)).toEqual([1, 0, 0, 0]);
  expect(third.take(310)).toBeUndefined();
  expect([first, second, third, asking].map(({ ended }) => ended.length)).toEqual([1, 1, 0, 0]);
  expect(budget.bytes).toBe(680);
});

test('what was given back since it was looked at counts for nobody', () => {
  const budget = new Budget(1000);
  const [one, asking] = [member(budget), member(budget)];
  one.take(900);
  one.bytes = 0;
  expect(asking.take(900)).toBeUndefined();
  expect(one.ended).toEqual([]);
});

test('a session that has ended counts no longer, and asks in vain', () => {
  const budget = new Budget(1000);
  const [one, other] = [member(budget), member(budget)];
  one.take(900);
  one.share.close();
  one.share.close();
  expect(one.share.refuse(5000)).toBeUndefined();
  expect(budget.bytes).toBe(0);
  expect(other.take(1000)).toBeUndefined();
});
