// A tab's session, through what happens to its owner, its page and the robot's link. With ports and locks as pages have them.
import { QiwayError } from '@qiway/protocol/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leadFor } from '../../sdk/tab/leading.ts';
import type { LedSession } from '../../sdk/tab/owner-followers.ts';
import { Collected, callMethod, failureOf, startCall, watch } from '../contract/calls.ts';
import { createEchoService, type EchoService } from '../support/echo-service.ts';
import { type OwnerLab, ownerLab } from './owner-lab.ts';

const PATIENCE = { timeout: 10_000 };

let lab: OwnerLab;
let echo: EchoService;

beforeEach(async () => {
  lab = ownerLab();
  echo = createEchoService();
  await lab.agent.bus.host('Echo', echo.object);
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await lab.close();
});

const isOnline = (tab: LedSession): Promise<unknown> => expect.poll(() => tab.sessionState, PATIENCE).toBe('online');

/** It stands where a page has its window. */
function page(): { hide(): void; show(): void } {
  const window = new EventTarget();
  vi.stubGlobal('window', window);
  return {
    hide: () => window.dispatchEvent(new Event('pagehide')),
    show: () => window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true })),
  };
}

describe('tabs of one owner', () => {
  it('share the session of a robot; another token is another session', async () => {
    const [one, other] = [await lab.tab(), await lab.tab()];
    expect(one.sessionId).toBe(other.sessionId);
    expect([one.owner, lab.agent.dials.count]).toEqual(['worker', 1]);
    await lab.tab({ token: 'another' }).catch(() => {});
    expect(lab.opened.map(({ token }) => token)).toEqual(['right', 'another']);
  });

  it('know a robot by its id, whatever the address', async () => {
    const robot = 'a'.repeat(52);
    const at = (port: number) => ({ shown: '', link: `ws://127.0.0.1:${port}/robot/link`, token: 'right', robot });
    await lab.tab({ agent: at(1) });
    await lab.tab({ agent: at(2) });
    expect(lab.opened).toHaveLength(1);
  });

  it('are told why the robot cannot be opened, and may try again', async () => {
    const { open } = lab;
    lab.open = () =>
      Promise.reject(new QiwayError('dial-failed', 'Nobody there.', { data: { reason: 'no', url: 'x' } }));
    const both = await Promise.all([failureOf(lab.tab()), failureOf(lab.tab())]);
    expect(both.map(({ code, data }) => ({ code, data }))).toEqual([
      { code: 'dial-failed', data: { reason: 'no', url: 'x' } },
      { code: 'dial-failed', data: { reason: 'no', url: 'x' } },
    ]);
    lab.open = open;
    expect((await lab.tab()).sessionState).toBe('online');
  });

  it('may open so many robots, and no more', async () => {
    const never = new Promise<never>(() => {});
    lab.open = () => never;
    const at = (port: number) => ({ shown: '', link: `ws://127.0.0.1:${port}/`, token: '' });
    const tab = lab.owner.tab();
    const news = { postMessage: () => {} };
    const opening = Array.from({ length: 65 }, (_, port) =>
      tab.open({ agent: at(port), token: '', timeoutMs: 1000 }, news),
    );
    expect(await Promise.race(opening)).toMatchObject({ error: { code: 'limit-exceeded' } });
    expect(lab.opened).toHaveLength(64);
  });

  it('close in order and twice; with the last the session ends', async () => {
    const [one, other] = [await lab.tab(), await lab.tab()];
    await one.close();
    await one.close();
    expect(await callMethod(await other.service('Echo'), 'voidCalls')).toBe(0);
    await other.close();
    await expect.poll(() => lab.agent.serverSessions.map(({ state }) => state), PATIENCE).toEqual(['closed']);
    expect(await one.closed).toBeUndefined();
  });
});

describe('the worker ends', () => {
  it('and is started again: proxies, subscriptions and services of the tab go on, calls under way say so', async () => {
    const tab = await lab.tab();
    const service = await tab.service('Echo');
    const heard = watch(service, 'onEcho');
    await heard.ready;
    await tab.host('Mine', createEchoService().object);
    const { outcome } = startCall(service, 'slowUncancellable', 60_000);
    await expect.poll(() => echo.slowCalls(), PATIENCE).toBe(1);
    lab.restart();
    expect(await failureOf(outcome)).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    await isOnline(tab);
    expect(await callMethod(service, 'three', 1, 'one', 1)).toBe('one:1:1.000000');
    echo.object.emit('onEcho', 'again');
    await heard.events.until((events) => JSON.stringify(events.at(-1)) === '["again"]');
    const names = async (): Promise<string[]> => (await lab.agent.bus.services()).map(({ name }) => name);
    await expect.poll(names, PATIENCE).toContain('Mine');
    expect(lab.opened).toHaveLength(2);
  });

  it('while the robot is away, too: the tab comes back with it', async () => {
    const { open } = lab;
    const tab = await lab.tab();
    lab.open = () => Promise.reject(new QiwayError('dial-failed', 'Nobody there.', { data: { reason: 'no' } }));
    lab.restart();
    await expect.poll(() => lab.opened.length, PATIENCE).toBeGreaterThan(2);
    expect(tab.sessionState).not.toBe('online');
    expect(
      (await failureOf(callMethod(await tab.service('Echo').catch(() => echo.object), 'fail', 'x'))).code,
    ).toBeDefined();
    lab.open = open;
    await isOnline(tab);
    expect(await callMethod(await tab.service('Echo'), 'voidCalls')).toBe(0);
  });

  it('and finds another robot in its place: the session ends, and it is told why', async () => {
    const tab = await lab.tab();
    lab.open = () => Promise.reject(new QiwayError('robot-identity-mismatch', 'Another robot.', { data: {} }));
    lab.restart();
    await expect.poll(() => tab.sessionState, PATIENCE).toBe('closed');
    expect(tab.reason?.code).toBe('robot-identity-mismatch');
  });

  it('while it opens the robot: who opens is told, and nobody waits for ever', async () => {
    const asked = new Collected<number>();
    lab.open = () => {
      asked.add(1);
      return new Promise<never>(() => {});
    };
    const opening = failureOf(lab.tab());
    await asked.count(1);
    lab.restart();
    expect((await opening).code).toBe('link-lost');
  });

  it('and the app closes the robot meanwhile: nothing is started any more', async () => {
    const tab = await lab.tab();
    lab.restart();
    await tab.close();
    expect(tab.sessionState).toBe('closed');
    expect(await tab.closed).toBeUndefined();
    await lab.tab();
    expect(lab.opened).toHaveLength(2);
  });
});

describe('a page', () => {
  it('put aside holds nothing, and goes on when it is back', async () => {
    const { hide, show } = page();
    const tab = await lab.tab();
    const service = await tab.service('Echo');
    await tab.host('Mine', createEchoService().object);
    const names = async (): Promise<string[]> => (await lab.agent.bus.services()).map(({ name }) => name);
    await expect.poll(names, PATIENCE).toContain('Mine');
    hide();
    await expect.poll(names, PATIENCE).not.toContain('Mine');
    expect((await failureOf(callMethod(service, 'voidCalls'))).code).toMatch(/offline|bus-down/);
    show();
    await isOnline(tab);
    expect(await callMethod(service, 'voidCalls')).toBe(0);
    await expect.poll(names, PATIENCE).toContain('Mine');
    // The same session of the owner.
    expect(lab.agent.dials.count).toBe(1);
  });

  it('put aside while it opens a robot opens it when it is back', async () => {
    const { hide, show } = page();
    const { open } = lab;
    const asked = new Collected<number>();
    const go = Promise.withResolvers<void>();
    lab.open = async (request) => {
      asked.add(1);
      await go.promise;
      return open(request);
    };
    const opening = lab.tab();
    await asked.count(1);
    hide();
    go.resolve();
    show();
    expect((await opening).sessionState).toBe('online');
  });

  it('put aside sends nothing: a call fails at once, and one that was under way is counted', async () => {
    const { hide, show } = page();
    const tab = await lab.tab();
    const service = await tab.service('Echo');
    const underWay = failureOf(startCall(service, 'slowUncancellable', 60_000).outcome);
    await expect.poll(() => echo.slowCalls(), PATIENCE).toBe(1);
    hide();
    expect(await underWay).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    expect(tab.loss).toMatchObject({ calls: 1, objects: 0 });
    expect((await failureOf(callMethod(service, 'echoInt32', 1))).code).toBe('offline');
    show();
    await isOnline(tab);
  });

  it('closed while it is put aside stays closed when it is back', async () => {
    const { hide, show } = page();
    const tab = await lab.tab();
    hide();
    await tab.close();
    show();
    expect(tab.sessionState).toBe('closed');
    expect(lab.opened).toHaveLength(1);
  });
});

describe('the owner of a leader tab', () => {
  it('is told to it at once, and with each that takes its place', async () => {
    const tab = await lab.tab();
    const offered = new Collected<string>();
    const replaced = new Collected<number>();
    const stop = leadFor(tab, (owner) => {
      const offer = (): void => {
        owner.takeTurn('way', `ticket ${replaced.all.length}`).then(
          () => offered.add('turn'),
          (error: QiwayError) => offered.add(error.code),
        );
      };
      offer();
      return {
        ownerReplaced: () => {
          replaced.add(1);
          offer();
        },
        stop: () => {},
      };
    });
    expect(await offered.count(1)).toEqual(['turn']);
    lab.restart();
    await isOnline(tab);
    expect(await offered.count(2)).toEqual(['turn', 'turn']);
    expect(replaced.all).toEqual([1]);
    stop();
  });
});
