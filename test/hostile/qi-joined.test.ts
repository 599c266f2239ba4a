// The agent on a robot with a directory of its own, which lies, dies and floods, as its services and the programs outside do.
// Who works on meanwhile, a page and programs of both sides, notices nothing but what is true.
import { connect } from '@qiway/sdk';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import {
  createObject,
  type JoinedBus,
  joinBus,
  method,
  remoteServices,
  tokenAuthenticator,
} from '../../robot-agent/qi/index.ts';
import { failureText } from '../support/failure-text.ts';
import type { TargetProxy, TargetRobot } from './bystander.ts';
import { fuzzing } from './fuzz.ts';
import { DirectoryAction, type LyingDirectory, lieAboutInfos, lyingDirectory } from './lying-directory.ts';
import { type AgentProcess, type ServiceProcess, startAgent, startService, TOKEN } from './processes.ts';
import { type Intruder, type QiLab, startQiLab } from './qi-lab.ts';

const FILE = 'qi-joined.test.ts';
const INFO = '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>';
const Directory = { service: 1, register: 102, unregister: 103, ready: 104 } as const;
/** Services of one program outside. */
const MAX_OUTSIDE = 1024;
const MEGABYTES = 4_000_000;
/** For a change to be seen everywhere. */
const RETURN_MS = 10_000;
/** Lines that one kind of refusal may write in a minute, and some more for others. */
const MAX_LINES = 200;

let robot: AgentProcess;
let directory: LyingDirectory;
beforeAll(async () => {
  robot = await startAgent();
  directory = await lyingDirectory(robot.busUrl);
});
afterAll(async () => {
  await directory.close();
  await robot.end();
});
afterEach(() => {
  directory.lie = undefined;
});

function outsideAt(door: string): Promise<JoinedBus> {
  return joinBus(door, { authenticator: tokenAuthenticator({ user: 'nao', token: TOKEN }) });
}

async function namesOf(bus: JoinedBus): Promise<string[]> {
  return (await bus.services()).map(({ name }) => name);
}

/** The directory's news come in order: what was told before is known when this one is. */
async function newsWasTaken(outside: JoinedBus): Promise<void> {
  directory.tell('added', 3_000_000, 'Marker');
  await expect.poll(() => namesOf(outside), { timeout: RETURN_MS }).toContain('Marker');
  directory.tell('removed', 3_000_000, 'Marker');
}

const HONEST = ['ServiceDirectory', 'Target'];

describe('while others work:', () => {
  let lab: QiLab;
  let outside: JoinedBus;
  let inside: JoinedBus;
  /** Of `Target` on the robot's bus. */
  let innerId: number;
  beforeAll(async () => {
    lab = await startQiLab({ directory: robot.busUrl, joinAt: directory.url });
    outside = await outsideAt(lab.urls.door);
    inside = await joinBus(robot.busUrl);
    innerId = (await inside.serviceInfo('Target')).serviceId;
  });
  afterAll(async () => {
    await lab.end();
  });

  /** What was told was taken, and nothing of it is left. */
  async function onlyTargetIsLeft(): Promise<void> {
    await newsWasTaken(outside);
    await expect.poll(() => namesOf(outside), { timeout: RETURN_MS }).toEqual(HONEST);
    await lab.calm();
    expect(directory.joins).toBe(1);
  }

  test('news of the directory that cannot be read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.constantFrom('added', 'removed'), async (bytes, change) => {
        const name = new DataView(new Uint8Array([...bytes, 0, 0, 0, 0, 0, 0, 0, 0]).buffer).getUint32(4, true);
        // Those that can be read are told below.
        fc.pre(bytes.length < 8 || name > bytes.length - 8);
        directory.tellBytes(change, bytes);
      }),
      fuzzing(FILE, 200),
    );
    await onlyTargetIsLeft();
  });

  test('news of services that never were, or that are known by other ids and names', async () => {
    for (const [id, name] of [
      [999_999, 'Nobody'],
      [0, ''],
      [0, 'Target'],
      [0xffff_ffff, 'Target'],
      [0xffff_ffff, 'ServiceDirectory'],
    ] as const)
      directory.tell('removed', id, name);
    for (const [id, name] of [
      [1, 'ServiceDirectory'],
      [innerId, 'Target'],
      [innerId, 'Target'],
      [77, ''],
      [77, 'ServiceDirectory'],
    ] as const)
      directory.tell('added', id, name);
    await onlyTargetIsLeft();
  });

  test('one id for many services, one service with many ids', async () => {
    for (let each = 0; each < 100; each += 1) {
      directory.tell('added', 800_000, `Name ${each}`);
      directory.tell('added', 800_001 + each, 'Same');
    }
    for (let each = 0; each < 100; each += 1) {
      directory.tell('removed', 800_000, `Name ${each}`);
      directory.tell('removed', 800_001 + each, 'Same');
    }
    await onlyTargetIsLeft();
  });

  test('services by the thousand that come and go at once', async () => {
    await directory.tellMany(5000, (each) => {
      directory.tell('added', 900_000 + each, `Flood ${each % 50}`);
      directory.tell('removed', 900_000 + each, `Flood ${each % 50}`);
    });
    await onlyTargetIsLeft();
  });

  test('services without end that nobody offers', async () => {
    const linesBefore = lab.agent.log.length;
    await directory.tellMany(5000, (each) => directory.tell('added', 1_000_000 + each, `Without end ${each}`));
    await expect.poll(async () => (await namesOf(outside)).length, { timeout: RETURN_MS }).toBe(HONEST.length + 5000);
    await lab.calm();
    await directory.tellMany(5000, (each) => directory.tell('removed', 1_000_000 + each, `Without end ${each}`));
    await onlyTargetIsLeft();
    expect(lab.agent.log.length - linesBefore).toBeLessThan(MAX_LINES);
  });

  test('services whose names cannot be, line for line', async () => {
    const linesBefore = lab.agent.log.length;
    await directory.tellMany(2000, (each) => directory.tell('added', 1_500_000 + each, 'x'.repeat(1025 + each)));
    await onlyTargetIsLeft();
    expect(lab.agent.log.length - linesBefore).toBeLessThan(MAX_LINES);
  });

  test('names of megabytes are shown to nobody, nor kept', async () => {
    for (let each = 0; each < 20; each += 1)
      directory.tell('added', 2_000_000 + each, `${each}`.padEnd(MEGABYTES, 'x'));
    await onlyTargetIsLeft();
    await lab.memoryIsBack();
  });

  test('answers about services that are too long for everybody', async () => {
    directory.lie = lieAboutInfos((infos) => infos.map((info) => ({ ...info, objectUid: 'x'.repeat(MEGABYTES) })));
    const hosted = await inside.host('Long', createObject({ one: method('()', 'i', () => 1) }));
    await expect.poll(() => namesOf(outside), { timeout: RETURN_MS }).toContain('Long');
    expect((await outside.serviceInfo('Long')).objectUid.length).toBeLessThan(1000);
    await hosted.close();
    await onlyTargetIsLeft();
  });

  test.each(['door', 'secureDoor'] as const)('who has not shown who they are, at the %s', async (port) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }), async (chunks) => {
        const stranger = await lab.stranger(port);
        for (const chunk of chunks) stranger.socket.write(chunk);
        stranger.socket.end();
        await stranger.closed;
      }),
      fuzzing(FILE, 30),
    );
    await onlyTargetIsLeft();
  });

  test('who was let in takes no service of the robot away, and none of its names', async () => {
    const intruder = await lab.intruder('door');
    for (const service of [lab.targetId, innerId, 1]) {
      for (const action of [Directory.unregister, Directory.ready])
        await intruder.call({ service: Directory.service, action }, encodeValue('(I)', [service]));
      await intruder.call({ service, action: 3 }, encodeValue('(I)', [service]));
      for (const action of [DirectoryAction.added, DirectoryAction.removed])
        intruder.send(
          { id: 9, type: MessageType.post, service: 1, object: 1, action },
          encodeValue('(Is)', [service, 'Target']),
        );
    }
    const { header } = await register(intruder, 'Target');
    expect(header.type).toBe(MessageType.error);
    await intruder.close();
    expect(await namesOf(inside)).toEqual(HONEST);
    await onlyTargetIsLeft();
  });

  function register(intruder: Intruder, name: string) {
    const info = { serviceId: 0, machineId: '', processId: 1, endpoints: [], sessionId: 'flood', objectUid: '', name };
    return intruder.call({ service: 1, action: Directory.register }, encodeValue(`(${INFO})`, [info]));
  }

  async function offer(intruder: Intruder, name: string): Promise<number> {
    const id = decodeValue('I', (await register(intruder, name)).payload) as number;
    await intruder.call({ service: 1, action: Directory.ready }, encodeValue('(I)', [id]));
    return id;
  }

  test('services from outside without end, which never say what they are', async () => {
    const intruder = await lab.intruder('door');
    await Promise.all(Array.from({ length: MAX_OUTSIDE }, (_, index) => offer(intruder, `Mute ${index}`)));
    expect((await register(intruder, 'One more')).header.type).toBe(MessageType.error);
    await lab.calm();
    await intruder.close();
    await onlyTargetIsLeft();
    expect(await namesOf(inside)).toEqual(HONEST);
  });

  test('services from outside that are offered inside, and come and go without end', async () => {
    const intruder = await lab.intruder('secureDoor');
    const { bytes } = createObject({ one: method('()', 'i', () => 1) }).metaObject;
    let isOver = false;
    const answering = (async () => {
      while (!isOver) {
        const { header } = await intruder.take(({ header: { type, action } }) => type === 1 && action === 2);
        intruder.send({ ...header, type: MessageType.reply, flags: 0 }, bytes);
      }
    })().catch(() => {});
    for (let round = 0; round < 20; round += 1) {
      const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => offer(intruder, `Restless ${index}`)));
      if (round === 0)
        await expect.poll(async () => (await namesOf(inside)).length, { timeout: RETURN_MS }).toBe(HONEST.length + 20);
      if (round === 19) break;
      for (const id of ids) await intruder.call({ service: 1, action: Directory.unregister }, encodeValue('(I)', [id]));
    }
    isOver = true;
    await intruder.close();
    await answering;
    await expect.poll(() => namesOf(inside), { timeout: RETURN_MS }).toEqual(HONEST);
    await onlyTargetIsLeft();
  });

  test('after all that the others have lost nothing, and no memory is held', async () => {
    await lab.memoryIsBack();
    await Promise.all([outside.close(), inside.close()]);
    await lab.finish();
    expect(lab.agent.log.filter((line) => /unhandled|uncaught/i.test(line))).toEqual([]);
  });
});

describe('when the bus goes:', () => {
  let agent: AgentProcess;
  let service: ServiceProcess;
  let page: TargetRobot;
  let outside: JoinedBus;
  beforeAll(async () => {
    service = await startService(robot.busUrl);
  });
  afterAll(() => service.end());
  afterEach(async () => {
    expect([agent.isAlive, service.isAlive, robot.isAlive]).toEqual([true, true, true]);
    await Promise.all([page.close(), outside.close()]);
    await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
    await agent.end();
  });

  async function begin(): Promise<void> {
    agent = await startAgent(directory.url, { qiListen: ['tcp://127.0.0.1:0'] });
    page = await connect<{ Target: TargetProxy }>(agent.url);
    outside = await outsideAt(agent.qiUrls[0] ?? '');
  }

  /** Both reach the service, or say why not. */
  async function outcomes(): Promise<string[]> {
    const attempts = [page, remoteServices<{ Target: TargetProxy }>(outside)].map(async (robotOf) =>
      (await robotOf.service('Target')).step('who', 1),
    );
    return Promise.all(attempts.map(failureText));
  }

  const comesBack = (): Promise<void> => expect.poll(outcomes, { timeout: RETURN_MS }).toEqual(['none', 'none']);

  test('a directory that answers nothing', async () => {
    directory.lie = () => undefined;
    await begin();
    for (const outcome of await outcomes()) expect(outcome).toMatch(/^bus-down/);
    directory.lie = undefined;
    directory.cut();
    await comesBack();
  });

  test('one that dies while it lists its services, again and again', async () => {
    await begin();
    await comesBack();
    const joinsBefore = directory.joins;
    directory.lie = ({ type, action }, payload) =>
      type === MessageType.reply && action === DirectoryAction.services ? 'cut' : payload;
    directory.cut();
    await expect.poll(() => directory.joins, { timeout: RETURN_MS }).toBeGreaterThan(joinsBefore + 1);
    directory.lie = undefined;
    await comesBack();
    await expect.poll(() => directory.open, { timeout: RETURN_MS }).toBe(1);
  });

  test('lists that cannot be read, or hold what cannot be', async () => {
    await begin();
    await comesBack();
    const lists: Uint8Array[] = [
      new Uint8Array(0),
      new Uint8Array(70).fill(255),
      listOf([
        ...Array.from({ length: 20 }, (_, each) => ({ name: `${each}`.padEnd(MEGABYTES, 'x') })),
        ...Array.from({ length: 200 }, () => ({ name: 'Same', serviceId: 7 })),
        { name: '' },
        { name: 'ServiceDirectory', serviceId: 9 },
        { name: 'Target', serviceId: 4_000_000_000 },
        { name: 'Uid', objectUid: 'x'.repeat(MEGABYTES), endpoints: ['', 'x', 'tcp://', 'tcp://[', 'qi:'] },
      ]),
    ];
    directory.lie = ({ type, action }, payload) =>
      type === MessageType.reply && action === DirectoryAction.services ? (lists.shift() ?? payload) : payload;
    directory.cut();
    // A list that cannot be read is asked for again.
    await expect
      .poll(async () => (await namesOf(outside)).toSorted(), { timeout: RETURN_MS })
      .toEqual(['Same', ...HONEST, 'Uid']);
    expect((await outside.serviceInfo('Uid')).objectUid.length).toBeLessThan(100);
    directory.lie = undefined;
    directory.cut();
    await comesBack();
  });

  test('news that end the directory itself, and a service by the name of another', async () => {
    await begin();
    await comesBack();
    directory.tell('removed', await innerTarget(), 'Alias');
    await newsWasTaken(outside);
    await comesBack();
    const joinsBefore = directory.joins;
    directory.tell('removed', 1, 'ServiceDirectory');
    await expect.poll(() => directory.joins, { timeout: RETURN_MS }).toBe(joinsBefore + 1);
    await comesBack();
    await expect.poll(() => directory.open, { timeout: RETURN_MS }).toBe(1);
  });

  test('sessions that leave while it is down, with what they offered and heard', async () => {
    await begin();
    await comesBack();
    for (let time = 0; time < 2; time += 1) {
      const guest = await connect<{ Target: TargetProxy }>(agent.url);
      const program = await outsideAt(agent.qiUrls[0] ?? '');
      await guest.host('OfPage', { one: () => 1 });
      await program.host('OfProgram', createObject({ one: method('()', 'i', () => 1) }));
      for (const one of [guest, remoteServices<{ Target: TargetProxy }>(program)])
        await (await one.service('Target')).stepped.connect(() => {});
      await expect.poll(innerNames, { timeout: RETURN_MS }).toEqual([...HONEST, 'OfPage', 'OfProgram'].toSorted());
      directory.lie = () => 'cut';
      directory.cut();
      await expect.poll(async () => (await failureText(guestStep(guest))).startsWith('bus-down')).toBe(true);
      await Promise.all([guest.close(), program.close()]);
      directory.lie = undefined;
      await comesBack();
      await expect.poll(innerNames, { timeout: RETURN_MS }).toEqual(HONEST);
      await expect.poll(async () => (await service.counts()).subscribers, { timeout: RETURN_MS }).toBe(0);
    }
    expect(await agent.metric('qiway_sessions')).toBe(2);
  });

  async function guestStep(guest: TargetRobot): Promise<number> {
    return (await guest.service('Target')).step('guest', 1);
  }

  async function asked<T>(question: (bus: JoinedBus) => Promise<T>): Promise<T> {
    const bus = await joinBus(robot.busUrl);
    return question(bus).finally(() => bus.close());
  }

  const innerNames = (): Promise<string[]> => asked(async (bus) => (await namesOf(bus)).toSorted());
  const innerTarget = (): Promise<number> => asked(async (bus) => (await bus.serviceInfo('Target')).serviceId);

  function listOf(infos: readonly object[]): Uint8Array {
    const info = { serviceId: 5, machineId: 'm', processId: 1, endpoints: [], sessionId: 's', objectUid: '' };
    return encodeValue(
      `[${INFO}]`,
      infos.map((changes) => ({ ...info, ...changes })),
    );
  }
});
