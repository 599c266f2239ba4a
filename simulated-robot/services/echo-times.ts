// The part of QiwayEcho that takes time: slow calls, ticks, bursts.
import { type Members, method } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import { untilDone, within } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const MAX_TICKS = 1_000_000;
const MAX_BURST = 100_000;
const MAX_WAIT_MS = 600_000;
/** Series of ticks that may run at once. */
const MAX_SERIES = 16;

export function echoTimes({ clock }: Surroundings, emit: (signal: string, ...args: unknown[]) => void): Members {
  const running = new Set<() => void>();
  const slow = async (milliseconds: number, call: CallContext): Promise<number> => {
    within('milliseconds', milliseconds, { min: 0, max: MAX_WAIT_MS });
    const startedAt = clock.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = clock.after(milliseconds, resolve);
    const cancel = (): void => {
      stop();
      resolve();
    };
    await untilDone({ done: promise, cancel }, call);
    return Math.round(clock.now() - startedAt);
  };
  const startTicks = (count: number, intervalMs: number): void => {
    within('count', count, { min: 1, max: MAX_TICKS });
    within('intervalMs', intervalMs, { min: 1, max: MAX_WAIT_MS });
    if (running.size >= MAX_SERIES)
      throw new Error(`${MAX_SERIES} series of ticks are running; call stopTicks() first.`);
    let sent = 0;
    let stop = (): void => undefined;
    const end = (): void => {
      stop();
      running.delete(end);
    };
    const startedAt = clock.now();
    const next = (): void => {
      emit('tick', sent);
      sent += 1;
      if (sent === count) return end();
      // Against the start, so that lateness does not add up.
      stop = clock.after(Math.max(0, startedAt + (sent + 1) * intervalMs - clock.now()), next);
    };
    running.add(end);
    stop = clock.after(intervalMs, next);
  };
  const stopTicks = (): void => {
    for (const end of [...running]) end();
  };
  return {
    slow: method('(I)', 'I', slow, {
      description: 'Returns after a while; can be cancelled.',
      parameters: [{ name: 'milliseconds', description: `Up to ${MAX_WAIT_MS}` }],
      returnDescription: 'Milliseconds that it took',
    }),
    startTicks: method('(II)', 'v', startTicks, {
      description: 'Emits the signal tick a number of times, counting from 0.',
      parameters: [
        { name: 'count', description: `1 to ${MAX_TICKS}` },
        { name: 'intervalMs', description: 'Milliseconds between ticks, from 1' },
      ],
    }),
    stopTicks: method('()', 'v', stopTicks, { description: 'Stops all ticks.' }),
    burst: method(
      '(I)',
      'v',
      (count: number) => {
        within('count', count, { min: 1, max: MAX_BURST });
        for (let index = 0; index < count; index++) emit('tick', index);
      },
      {
        description: 'Emits the signal tick many times at once, counting from 0.',
        parameters: [{ name: 'count', description: `1 to ${MAX_BURST}` }],
      },
    ),
    say: method('(sm)', 'v', (topic: string, value: unknown) => emit('said', topic, value), {
      description: 'Emits the signal said with these values.',
      parameters: ['topic', 'value'],
    }),
  };
}
