// What a tab has between its session and its owner, and how each of it ends: the line to the worker, the attachment, a leader tab's
// port. With ports and locks as pages have them, and an owner of the test's.
import { once } from 'node:events';
import { QiwayError } from '@qiway/protocol/errors';
import { systemClock as clock } from '@qiway/protocol/transport/system-clock';
import { expose } from 'comlink';
import { describe, expect, test } from 'vitest';
import { OWNER_PROTOCOL, type OwnerGreeting } from '../../sdk/owner/owner-port.ts';
import { openAttachment } from '../../sdk/tab/attachment.ts';
import { leadFor } from '../../sdk/tab/leading.ts';
import type { OwnerFollower } from '../../sdk/tab/owner-followers.ts';
import { type OwnerLine, openOwnerLine } from '../../sdk/tab/owner-line.ts';
import type { RobotLine } from '../../sdk/tab/robot-line.ts';
import { failureOf } from '../contract/calls.ts';

interface Worker {
  /** Its end of the port. */
  readonly port: MessagePort;
  readonly greeted: { lock?: string; left: number; gone: number };
  line(): Promise<OwnerLine>;
}

function worker(greeting: OwnerGreeting = { protocol: OWNER_PROTOCOL }): Worker {
  const { port1, port2 } = new MessageChannel();
  const greeted: Worker['greeted'] = { left: 0, gone: 0 };
  const hello = ({ lock }: { readonly lock?: string }): OwnerGreeting => {
    if (lock !== undefined) greeted.lock = lock;
    return greeting;
  };
  expose({ hello, leave: () => void greeted.left++ }, port1);
  const shared = Object.assign(new EventTarget(), { port: port2 }) as SharedWorker;
  const onGone = (): void => {
    greeted.gone += 1;
  };
  const line = (): Promise<OwnerLine> => openOwnerLine({ worker: shared, clock, onGone });
  return { port: port1, greeted, line };
}

const isFree = (lock: string | undefined): Promise<boolean> =>
  navigator.locks.request(lock ?? '', { ifAvailable: true }, (held) => held !== null);

/** The other end of it is closed. */
function closed(port: MessagePort): Promise<unknown> {
  port.start(); // or it is not told before somebody takes what came before
  return once(port, 'close');
}

describe('the line of a tab that goes', () => {
  test('says so once, closes every port, and lets go of its lock', async () => {
    const { port, greeted, line: open } = worker();
    const line = await open();
    const { port1: news, port2: ours } = new MessageChannel();
    line.ports.push(ours);
    expect(await isFree(greeted.lock)).toBe(false);
    const ends = Promise.all([closed(port), closed(news)]);
    line.end();
    line.end();
    await ends;
    expect(greeted).toMatchObject({ left: 1, gone: 0 });
    await expect.poll(() => isFree(greeted.lock)).toBe(true);
  });
});

describe('an owner', () => {
  test('of another version is none, and is left', async () => {
    const { port, greeted, line } = worker({ protocol: OWNER_PROTOCOL + 1 });
    const end = closed(port);
    expect(await failureOf(line())).toMatchObject({ code: 'unsupported', data: { what: 'SharedWorker' } });
    await end;
    await expect.poll(() => isFree(greeted.lock)).toBe(true);
  });

  test('that closes the port is gone, once', async () => {
    const { port, greeted, line } = worker();
    await line();
    port.close();
    await expect.poll(() => greeted.gone).toBe(1);
    expect(await isFree(greeted.lock)).toBe(true);
  });
});

describe('the lock of an owner', () => {
  async function held(name: string): Promise<() => Promise<void>> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const life = navigator.locks.request(name, () => {
      taken.resolve();
      return promise;
    });
    await taken.promise;
    return async () => {
      resolve();
      await life;
    };
  }

  test('falls: it is gone, although its port is not closed', async () => {
    const lock = 'qiway-owner of this test';
    const fall = await held(lock);
    const { greeted, line } = worker({ protocol: OWNER_PROTOCOL, lock });
    await line();
    expect(greeted.gone).toBe(0);
    await fall();
    await expect.poll(() => greeted.gone).toBe(1);
  });
});

describe('an attachment', () => {
  /** A line whose owner answers so. */
  function answering(attach: (port: MessagePort) => Promise<boolean>): { line: RobotLine; ends: () => number } {
    let ends = 0;
    return { line: { attach, end: () => (ends += 1) } as unknown as RobotLine, ends: () => ends };
  }
  const listener = { clock, onMessage: () => {}, onClosed: () => {} };

  test('that the owner does not take is closed, and the line is over', async () => {
    const offered: MessagePort[] = [];
    const { line, ends } = answering(async (port) => {
      offered.push(port);
      return false;
    });
    const failure = failureOf(openAttachment(line, listener));
    const [port] = offered;
    const end = closed(port as MessagePort);
    expect((await failure).code).toBe('offline');
    await end;
    expect(ends()).toBe(1);
  });

  test('that nobody answers for is closed; whether the line is over it knows itself', async () => {
    const offered: MessagePort[] = [];
    const { line, ends } = answering((port) => {
      offered.push(port);
      return Promise.reject(new QiwayError('timeout', 'No answer.', { data: { timeoutMs: 1 } }));
    });
    const failure = failureOf(openAttachment(line, listener));
    const end = closed(offered[0] as MessagePort);
    expect((await failure).code).toBe('timeout');
    await end;
    expect(ends()).toBe(0);
  });
});

describe('a leader tab', () => {
  function led(): { tell: OwnerFollower; followers: () => number; log: string[]; stop: () => void } {
    const followers = new Set<OwnerFollower>();
    const log: string[] = [];
    const followOwner = (follower: OwnerFollower): (() => void) => {
      followers.add(follower);
      return () => followers.delete(follower);
    };
    const stop = leadFor({ followOwner }, () => ({
      ownerReplaced: () => log.push('replaced'),
      stop: () => log.push('stopped'),
    }));
    const tell: OwnerFollower = (give) => {
      for (const follower of followers) follower(give);
    };
    return { tell, followers: () => followers.size, log, stop };
  }

  test('has one port to its owner: that of the owner before is closed', async () => {
    const { tell, log, stop } = led();
    const given: MessagePort[] = [];
    tell((port) => given.push(port));
    const end = closed(given[0] as MessagePort);
    tell((port) => given.push(port));
    await end;
    expect([given.length, log]).toEqual([2, ['replaced', 'replaced']]);
    stop();
  });

  test('that ends stands for nothing any more, and hears of no owner', async () => {
    const { tell, followers, log, stop } = led();
    const given: MessagePort[] = [];
    tell((port) => given.push(port));
    const end = closed(given[0] as MessagePort);
    stop();
    await end;
    expect([followers(), log]).toEqual([0, ['replaced', 'stopped']]);
  });
});
