// A tab that asks and does not read: what waits for it is bounded, and the session that it shares goes on.
import { expect, it } from 'vitest';
import { settled } from '../support/virtual-clock.ts';
import { tabLab } from './tab-lab.ts';

const MEBIBYTE = 1_048_576;

it('what waits for a tab that does not read is bounded, and nobody else is held up', async () => {
  const { session, tab, agent } = await tabLab();
  let isReading = true;
  let keptBytes = 0;
  const deaf = tab((transport) => ({
    get route() {
      return transport.route;
    },
    get bufferedBytes() {
      return keptBytes;
    },
    send: (part, rest = []) => {
      if (isReading) return transport.send(part, rest);
      keptBytes += [part, ...rest].reduce((sum, { length }) => sum + length, 0);
      return false;
    },
    close: (code, reason) => transport.close(code, reason),
    listen: (listener) => transport.listen(listener),
  }));
  const good = tab();
  const [motion, others] = [await deaf.service('ALMotion'), await good.service('ALMotion')];
  isReading = false;
  for (let index = 0; index < 24; index += 1) motion['picture']?.(8 * MEBIBYTE).catch(() => {});
  await settled();
  await agent.clock.advance(5000);
  expect(keptBytes).toBeLessThan(176 * MEBIBYTE);
  expect(await others['picture']?.(8)).toHaveLength(8);
  expect(session.sessionState).toBe('online');
  expect(session.counts.pendingCalls).toBe(0);
});
