// What becomes of what a tab opens at its owner: also when the tab goes while it opens.
import { describe, expect, it, vi } from 'vitest';
import { Owner, type OwnerOptions } from '../../sdk/owner/owner.ts';
import type { OwnerPort, OwnerRequest } from '../../sdk/owner/owner-port.ts';
import { settled } from '../support/virtual-clock.ts';
import { type RobotLab, robotLab } from './robot-lab.ts';

const REQUEST: OwnerRequest = {
  agent: { shown: '', link: 'ws://127.0.0.1:1/robot/link', token: 'right' },
  token: 'right',
  timeoutMs: 1000,
};
const LAST_WORDS_MS = 50;
const NEWS = { postMessage: () => {} };

interface Lab extends Pick<RobotLab, 'agent' | 'go' | 'doors'> {
  readonly owner: Owner;
  /** Sessions of the agent, by how they are. */
  states(): string[];
}

function lab(changes: Partial<OwnerOptions> = {}): Lab {
  const { agent, go, doors, open } = robotLab();
  const { clock } = agent;
  return {
    agent,
    go,
    doors,
    owner: new Owner({ clock, open, lock: Promise.resolve(undefined), ...changes }),
    states: () => agent.serverSessions.map(({ state }) => state),
  };
}

const keyOf = async (opening: ReturnType<OwnerPort['open']>): Promise<string> => {
  const outcome = await opening;
  if ('error' in outcome) throw new Error(outcome.error.message);
  return outcome.value.key;
};

describe('a tab that is gone while it opens a robot', () => {
  it('is told so, and leaves nothing: the robot is closed once no page was loaded again', async () => {
    const { owner, agent, go, states } = lab();
    const tab = owner.tab();
    const opening = tab.open(REQUEST, NEWS);
    tab.leave();
    await agent.clock.advance(1_000);
    go();
    expect(await opening).toMatchObject({ error: { code: 'closed' } });
    await agent.clock.advance(9_999);
    expect(states()).toEqual(['attached']);
    await agent.clock.advance(2);
    expect(states()).toEqual(['closed']);
    expect(owner.newest).toBeUndefined();
  });

  it('keeps nobody else from it', async () => {
    const { owner, agent, go, states } = lab();
    const [one, other] = [owner.tab(), owner.tab()];
    const opening = [one.open(REQUEST, NEWS), other.open(REQUEST, NEWS)];
    one.leave();
    go();
    expect(await Promise.all(opening)).toMatchObject([
      { error: { code: 'closed' } },
      { value: { snapshot: { state: 'online' } } },
    ]);
    await agent.clock.advance(30_000);
    expect(states()).toEqual(['attached']);
  });
});

describe('a tab at its owner', () => {
  /** One that has opened a robot, and is attached to it; and how its door ended. */
  async function attached(changes?: Partial<OwnerOptions>) {
    const opened = lab(changes);
    opened.go();
    const tab = opened.owner.tab();
    const key = await keyOf(tab.open(REQUEST, NEWS));
    const { port1, port2 } = new MessageChannel();
    expect(tab.attach(key, port1)?.state).toBe('online');
    const door = opened.doors[0]?.door;
    if (door === undefined) throw new Error('it has no door');
    return { ...opened, tab, key, end: vi.spyOn(door, 'end'), port: port2 };
  }

  it('that closes the robot ends in order, after its last words', async () => {
    const { agent, tab, key, end, port, states } = await attached();
    tab.close(key);
    await agent.clock.advance(LAST_WORDS_MS - 1);
    expect(end).not.toHaveBeenCalled();
    await agent.clock.advance(1);
    expect(end.mock.calls[0]).toEqual([{ isWanted: true }]);
    expect(states()).toEqual(['closed']);
    port.close();
  });

  it('that leaves ends as gone, and its robot is there for a page that is loaded again', async () => {
    const { agent, owner, tab, end, port, states } = await attached();
    tab.leave();
    tab.leave();
    await agent.clock.advance(LAST_WORDS_MS);
    expect(end.mock.calls[0]).toEqual([{ isWanted: false }]);
    await agent.clock.advance(5_000);
    const again = owner.tab();
    await keyOf(again.open(REQUEST, NEWS));
    expect(states()).toEqual(['attached']);
    port.close();
  });

  it('is gone when its lock is free', async () => {
    const free: (() => void)[] = [];
    const locks: string[] = [];
    const { agent, tab, end, port } = await attached({
      whenFree: (lock, run) => {
        locks.push(lock);
        free.push(run);
      },
    });
    const { protocol } = await tab.hello({ protocol: 2, lock: 'of the tab' });
    expect([protocol, locks]).toEqual([2, ['of the tab']]);
    expect(end).not.toHaveBeenCalled();
    free[0]?.();
    await agent.clock.advance(LAST_WORDS_MS);
    expect(end.mock.calls[0]).toEqual([{ isWanted: false }]);
    port.close();
  });

  it('of another app version is greeted, and not waited for', async () => {
    const whenFree = vi.fn();
    const tab = lab({ whenFree, lock: Promise.resolve('of the owner') }).owner.tab();
    expect(await tab.hello({ protocol: 1, lock: 'of the tab' })).toEqual({ protocol: 2, lock: 'of the owner' });
    expect(whenFree).not.toHaveBeenCalled();
  });

  it('that names a robot it did not open has its ports closed', async () => {
    const tab = lab().owner.tab();
    for (const give of [(port: MessagePort) => tab.attach('7', port), (port: MessagePort) => tab.lead('7', port)]) {
      const { port1, port2 } = new MessageChannel();
      const closed = new Promise((resolve) => {
        port2.addEventListener('close', resolve);
      });
      port2.start();
      expect(give(port1)).toBeUndefined();
      await closed;
    }
    tab.probe('7');
    tab.close('7');
  });

  it('opens a robot anew that was closed', async () => {
    const { agent, owner, tab, key, port } = await attached();
    tab.close(key);
    await agent.clock.advance(LAST_WORDS_MS);
    await settled();
    expect(owner.newest).toBeUndefined();
    await keyOf(tab.open(REQUEST, NEWS));
    expect(agent.dials.count).toBe(2);
    port.close();
  });
});
