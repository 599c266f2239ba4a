// One attempt at a queued call: what must be stored before anything is sent.
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { expect, test } from 'vitest';
import { callMaker } from '../../sdk/offline/make-call.ts';
import type { StoredCall } from '../../sdk/offline/queue-types.ts';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const CALL: StoredCall = {
  order: 1,
  id: 'key',
  robot: 'robot',
  service: 'Lamp',
  method: 'on::()',
  signature: '()',
  bytes: new Uint8Array(0),
  hasNull: false,
  memberClass: undefined,
  kind: 'queue',
  key: undefined,
  ttlMs: 1_000,
  timeoutMs: 1_000,
  queuedAtMs: 0,
  args: '',
  wasSent: false,
  journal: undefined,
};

test.each(['once', 'idempotent'] as const)(
  'a call of class %s goes out when it is stored that it may',
  async (memberClass) => {
    const made: string[] = [];
    const own = createObject({
      journalId: method('()', 's', () => 'journal'),
      runOnce: method('(sssrs)', '(rs)', (key: string) => {
        made.push(key);
        return [new Uint8Array(0), 'v'];
      }),
    });
    const lamp = createObject({ on: method('()', 'v', () => void made.push('key')) });
    const port = { isReady: true, onChange: () => () => {}, own: async () => own, service: async () => lamp };
    const stored: StoredCall[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const sending = (call: StoredCall): Promise<void> => {
      stored.push(call);
      return promise;
    };
    const outcome = callMaker(port, virtualClock()).make({ ...CALL, memberClass }, sending, undefined);
    await settled();
    expect([stored.map(({ wasSent }) => wasSent), made]).toEqual([[true], []]);
    resolve();
    await outcome;
    expect(made).toEqual(['key']);
  },
);
