// What one tab's use of a robot takes, and gives back: signs of life, its queue, its lead, its place.
import { QiwayError } from '@qiway/protocol/errors';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { describe, expect, it, vi } from 'vitest';
import type { RobotUse } from '../../sdk/owner/owned-robot.ts';
import type { Snapshot } from '../../sdk/owner/owner-port.ts';
import { failureOf } from '../contract/calls.ts';
import { settled } from '../support/virtual-clock.ts';
import { type RobotLab, robotLab } from './robot-lab.ts';

const nobody = (): void => {};

/** Attaches, and notes why it ended. */
function attach(use: RobotUse): { readonly ends: string[]; close(): void } {
  const [ours, theirs] = memoryTransports();
  const ends: string[] = [];
  ours.listen({ message: () => {}, drain: () => {}, close: (reason) => ends.push(reason) });
  expect(use.attach(theirs)).toBeDefined();
  return { ends, close: () => ours.close(1000, 'gone') };
}

async function opened(): Promise<RobotLab> {
  const lab = robotLab();
  lab.go();
  await settled();
  return lab;
}

describe('signs of life of the session', () => {
  it('are as frequent as the tab needs that needs them most, and as the agent asks when none does', async () => {
    const { robot, doors, beats } = await opened();
    const uses = [await robot.use(nobody), await robot.use(nobody)];
    for (const use of uses) attach(use);
    doors[0]?.told.onBeat(200);
    doors[1]?.told.onBeat(1000);
    doors[0]?.told.onBeat(undefined);
    doors[0]?.told.onBeat(300);
    doors[1]?.told.onBeat(250);
    doors[1]?.told.onBeat(undefined);
    doors[0]?.told.onBeat(undefined);
    expect(beats).toEqual([200, 200, 1000, 300, 250, 300, undefined]);
  });

  it('are as the others need them once a tab has ended', async () => {
    const { robot, doors, beats } = await opened();
    const [one, other] = [await robot.use(nobody), await robot.use(nobody)];
    for (const use of [one, other]) attach(use);
    doors[0]?.told.onBeat(200);
    doors[1]?.told.onBeat(1000);
    one.end(false);
    expect(beats.at(-1)).toBe(1000);
    other.end(false);
    expect(beats.at(-1)).toBe(undefined);
  });
});

describe('a tab’s use of a robot', () => {
  it('has one queue and one lead: others end those before, and all end with the use, once', async () => {
    const { robot, log } = await opened();
    const use = await robot.use(nobody);
    const { port1, port2 } = new MessageChannel();
    for (let times = 0; times < 2; times += 1) {
      use.queue({ asks: port1, news: port2 });
      use.lead(port1);
    }
    expect(log).toEqual(['open', 'queue 1 ends', 'lead 2 ends']);
    use.end(true);
    use.end(true);
    expect(log).toEqual(['open', 'queue 1 ends', 'lead 2 ends', 'queue 3 ends', 'lead 4 ends']);
    port1.close();
  });

  it.each([true, false])('tells its door how it ended: in order %s', async (isWanted) => {
    const { robot, doors } = await opened();
    const use = await robot.use(nobody);
    attach(use);
    const end = vi.spyOn(doors[0]?.door ?? expect.fail('it has no door'), 'end');
    use.end(isWanted);
    expect(end.mock.calls[0]).toEqual([{ isWanted }]);
  });

  it('takes a port that closes after a goodbye for an end in order', async () => {
    const { robot, doors } = await opened();
    const use = await robot.use(nobody);
    const { close } = attach(use);
    const end = vi.spyOn(doors[0]?.door ?? expect.fail('it has no door'), 'end');
    use.goodbye();
    close();
    await settled();
    expect(end.mock.calls[0]).toEqual([{ isWanted: true }]);
  });

  it('passes on that the link may be dead', async () => {
    const { robot, log } = await opened();
    (await robot.use(nobody)).probe();
    expect(log).toEqual(['open', 'probe']);
  });

  it('is kept for a minute after its port closed, however long it waited before', async () => {
    const { robot, agent, closed } = await opened();
    const use = await robot.use(nobody);
    await agent.clock.advance(50_000);
    const { close } = attach(use);
    close();
    await agent.clock.advance(59_999);
    attach(use);
    await agent.clock.advance(1);
    expect(closed).toEqual([]);
  });

  it('that is not attached again within that minute is over', async () => {
    const { robot, agent, closed } = await opened();
    const { close } = attach(await robot.use(nobody));
    close();
    await agent.clock.advance(59_999);
    expect(closed).toEqual([]);
    await agent.clock.advance(10_002);
    expect(closed).toEqual([70_000]);
  });
});

describe('all uses of a robot', () => {
  it('end when its session does: told why, doors closed, queues and leads ended, nobody served any more', async () => {
    const { robot, agent, log, closed } = await opened();
    const told: Snapshot[] = [];
    const uses = [await robot.use((snapshot) => told.push(snapshot)), await robot.use(nobody)];
    const { port1, port2 } = new MessageChannel();
    const doors = uses.map((use) => {
      use.queue({ asks: port1, news: port2 });
      use.lead(port1);
      return attach(use);
    });
    await robot.owned?.session.close();
    await settled();
    expect(told.at(-1)?.state).toBe('closed');
    expect(doors.map(({ ends }) => ends)).toEqual([['ended by the owner'], ['ended by the owner']]);
    const atTheEnd = ['open', 'queue 1 ends', 'lead 2 ends', 'queue 3 ends', 'lead 4 ends'];
    expect(log).toEqual(atTheEnd);
    expect(closed).toEqual([0]);
    for (const use of uses) {
      use.end(false);
      expect(use.attach(memoryTransports()[0])).toBeUndefined();
    }
    await agent.clock.advance(200_000);
    expect([log, closed]).toEqual([atTheEnd, [0]]);
    port1.close();
  });

  it('are 1024 at most, until one of them ends', async () => {
    const { robot } = await opened();
    const uses = await Promise.all(Array.from({ length: 1024 }, () => robot.use(nobody)));
    const refused = await failureOf(robot.use(nobody));
    expect(refused).toMatchObject({ code: 'limit-exceeded', data: { limit: 'tabs', maximum: 1024 } });
    uses[0]?.end(false);
    expect((await robot.use(nobody)).snapshot.state).toBe('online');
  });

  it('that could not be opened count for nothing', async () => {
    const lab = robotLab();
    lab.fail = new QiwayError('unauthorized', 'Who are you?');
    lab.go();
    for (let times = 0; times <= 1024; times += 1)
      expect((await failureOf(lab.robot.use(nobody))).code).toBe('unauthorized');
  });

  it('begin the wait for a page that is loaded again anew, each time that the last ends', async () => {
    const { robot, agent, closed } = await opened();
    const { clock } = agent;
    (await robot.use(nobody)).end(false);
    await clock.advance(9_000);
    (await robot.use(nobody)).end(false);
    await clock.advance(9_999);
    expect(closed).toEqual([]);
    await clock.advance(2);
    expect(closed).toEqual([19_000]);
  });
});
