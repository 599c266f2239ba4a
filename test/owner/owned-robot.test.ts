// A robot at its owner: opened once for all tabs, told to all, closed after the last.
import { QiwayError } from '@qiway/protocol/errors';
import { SessionHost } from '@qiway/protocol/session/session-host';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../sdk/owner/owner-port.ts';
import { failureOf } from '../contract/calls.ts';
import { settled } from '../support/virtual-clock.ts';
import { robotLab } from './robot-lab.ts';

const hearing = (): { told: Snapshot[]; tell: (snapshot: Snapshot) => void } => {
  const told: Snapshot[] = [];
  return { told, tell: (snapshot) => told.push(snapshot) };
};
const nobody = (): void => {};

describe('a robot that several tabs open', () => {
  it('is one session', async () => {
    const { robot, agent, go, log } = robotLab();
    const both = Promise.all([robot.use(nobody), robot.use(nobody)]);
    go();
    const [one, other] = await both;
    expect(one.snapshot.sessionId).toBe(other.snapshot.sessionId);
    expect(one.snapshot.state).toBe('online');
    expect([log, agent.dials.count]).toEqual([['open'], 1]);
  });

  it('tells all why it could not be opened, and is over', async () => {
    const lab = robotLab();
    lab.fail = new QiwayError('unauthorized', 'Who are you?');
    const both = [failureOf(lab.robot.use(nobody)), failureOf(lab.robot.use(nobody))];
    lab.go();
    expect((await Promise.all(both)).map(({ code }) => code)).toEqual(['unauthorized', 'unauthorized']);
    expect(lab.closed).toHaveLength(1);
  });

  it('tells each change to all, numbered; once for what happens in a turn', async () => {
    const { robot, agent, go } = robotLab();
    go();
    const [a, b] = [hearing(), hearing()];
    const [one] = [await robot.use(a.tell), await robot.use(b.tell)];
    const first = one.snapshot.number;
    agent.onDial = () => {
      throw new Error('nobody there');
    };
    robot.owned?.session.link?.transport.close(4400, 'cut');
    await settled();
    expect(a.told.at(-1)?.state).toBe('offline');
    expect(b.told).toEqual(a.told);
    const numbers = a.told.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y));
    expect(numbers[0]).toBeGreaterThan(first);
  });
});

describe('a robot whose last tab', () => {
  it('closes it in order, ends at once', async () => {
    const { robot, agent, go, closed } = robotLab();
    go();
    const [one, other] = [await robot.use(nobody), await robot.use(nobody)];
    one.end(true);
    expect(closed).toEqual([]);
    other.end(true);
    other.end(true);
    await settled();
    expect(closed).toEqual([0]);
    expect(agent.serverSessions.map(({ state }) => state)).toEqual(['closed']);
  });

  it('went without a word, waits 10 s for a page that is loaded again', async () => {
    const { robot, agent, go, closed } = robotLab();
    go();
    (await robot.use(nobody)).end(false);
    await agent.clock.advance(9_999);
    expect(closed).toEqual([]);
    const again = await robot.use(nobody);
    await agent.clock.advance(30_000);
    expect(closed).toEqual([]);
    again.end(false);
    const atMs = agent.clock.now();
    await agent.clock.advance(10_001);
    expect(closed).toEqual([atMs + 10_000]);
  });
});

describe('a tab’s use of a robot', () => {
  it('has one door: another ends the one before', async () => {
    const { robot, go } = robotLab();
    go();
    const use = await robot.use(nobody);
    const ends: string[] = [];
    const attach = (name: string): void => {
      const [ours, theirs] = memoryTransports();
      ours.listen({ message: () => {}, drain: () => {}, close: () => ends.push(name) });
      expect(use.attach(theirs)?.state).toBe('online');
    };
    attach('first');
    attach('second');
    await settled();
    expect(ends).toEqual(['first']);
    use.end(false);
    await settled();
    expect(ends).toEqual(['first', 'second']);
    const [ours, theirs] = memoryTransports();
    ours.listen({ message: () => {}, drain: () => {}, close: () => ends.push('late') });
    expect(use.attach(theirs)).toBeUndefined();
    await settled();
    expect(ends).toEqual(['first', 'second', 'late']);
  });

  it('ends its queue and its lead with it', async () => {
    const { robot, go, log } = robotLab();
    go();
    const use = await robot.use(nobody);
    const { port1, port2 } = new MessageChannel();
    use.queue({ asks: port1, news: port2 });
    use.lead(port1);
    use.end(false);
    expect(log).toEqual(['open', 'queue 1 ends', 'lead 2 ends']);
    port1.close();
  });

  it('loses its door with the session that it was made for', async () => {
    const { robot, agent, go } = robotLab();
    go();
    const use = await robot.use(nobody);
    const ends: string[] = [];
    const [ours, theirs] = memoryTransports();
    ours.listen({ message: () => {}, drain: () => {}, close: (reason) => ends.push(reason) });
    use.attach(theirs);
    const before = use.snapshot.sessionId;
    agent.host = new SessionHost({ ...agent.hostOptions, epoch: 'another' });
    robot.owned?.session.link?.transport.close(4400, 'cut');
    await agent.clock.advance(10_000);
    expect(use.snapshot.state).toBe('online');
    expect(use.snapshot.sessionId).not.toBe(before);
    expect(ends).toEqual(['ended by the owner']);
  });

  it('that never attaches is over after a minute of a link, and keeps the robot from nobody', async () => {
    const { robot, agent, go, closed } = robotLab();
    go();
    const use = await robot.use(nobody);
    await agent.clock.advance(59_000);
    expect(closed).toEqual([]);
    await agent.clock.advance(11_001);
    expect(closed).toEqual([70_000]);
    expect(use.attach(memoryTransports()[0])).toBeUndefined();
  });

  it('that waits for a lost link is kept', async () => {
    const { robot, agent, go, closed } = robotLab();
    go();
    await robot.use(nobody);
    agent.onDial = () => {
      throw new Error('nobody there');
    };
    robot.owned?.session.link?.transport.close(4400, 'cut');
    await agent.clock.advance(600_000);
    expect(closed).toEqual([]);
  });
});
