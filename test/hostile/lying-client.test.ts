// A client with the right token and bad manners: it can hurt what is its own, and nothing of others.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlType } from '../../protocol/wire/link-frame.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { type Bystander, bystander, type TargetRobot } from './bystander.ts';
import { type AgentProcess, BEARER, type ServiceProcess, startAgent, startService } from './processes.ts';
import { ask, frame, type RawLink, rawSession } from './raw-link.ts';

const INFO = '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>';
const Directory = { register: 102, unregister: 103, ready: 104, update: 105, serviceAdded: 106, serviceRemoved: 107 };

let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
let robot: TargetRobot;
let targetId: number;
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  other = await bystander(agent.url);
  ({ robot } = other);
  targetId = await idOf('Target');
});
afterAll(async () => {
  await service.end();
  await agent.end();
});

async function idOf(name: string): Promise<number> {
  return (await robot.services()).find((info) => info.name === name)?.serviceId ?? -1;
}

async function names(): Promise<string[]> {
  return (await robot.services()).map(({ name }) => name);
}

function directory(link: RawLink, action: number, signature: string, args: readonly unknown[]): Promise<unknown> {
  const returns = action === Directory.register ? 'I' : 'v';
  return ask(link, { service: 1, action }, { signature, args, returns });
}

function register(link: RawLink, name: string, changes: object = {}): Promise<unknown> {
  const info = { serviceId: 0, machineId: '', processId: 0, endpoints: [], sessionId: 'liar', objectUid: '' };
  return directory(link, Directory.register, `(${INFO})`, [{ ...info, ...changes, name }]);
}

/** Everything sent before was taken: the link answers in order. */
async function taken(link: RawLink): Promise<void> {
  expect(await ask(link, { service: 1, action: 108 }, { signature: '()', args: [], returns: 's' })).toMatch(/./);
}

test('replies, errors and ends of calls that were never made', async () => {
  const link = await rawSession(agent);
  for (const type of [MessageType.reply, MessageType.error, MessageType.canceled])
    for (let id = 0; id < 300; id += 1)
      link.send(frame({ type, id, service: targetId, object: 1, action: 100 }, encodeValue('(i)', [666])));
  await taken(link);
  await other.more(20);
  await link.cut();
});

test('events of objects that it does not own reach nobody', async () => {
  const link = await rawSession(agent);
  const target = await robot.service('Target');
  const heard: unknown[] = [];
  const off = await target.stepped.connect((who, step) => {
    if (who === 'liar') heard.push(step);
  });
  const signals = [...Array(30).keys()].map((index) => 100 + index);
  for (const action of signals)
    link.send(
      frame({ type: MessageType.event, id: 5, service: targetId, object: 1, action }, encodeValue('(si)', ['liar', 1])),
    );
  await taken(link);
  await other.more(20);
  expect(heard).toEqual([]);
  await off();
  await link.cut();
});

test('objects of another session can be neither called, nor listened to, nor ended', async () => {
  const target = await robot.service('Target');
  const thing = await target.thing();
  const heard: number[] = [];
  await thing.touched.connect((count) => heard.push(count));
  expect(await thing.touch()).toBe(1);
  const before = await service.counts();
  const link = await rawSession(agent);
  const body = encodeValue('(IIL)', [targetId, 101, 1n]);
  for (const owner of [targetId, 1, 0]) {
    for (let object = 2; object < 40; object += 1) {
      const address = { service: owner, object };
      for (const action of [0, 1, 2, 3, 5, 6, 80, 100, 101, 102])
        link.send(
          frame({ type: MessageType.call, id: object * 1000 + action, ...address, action }, body),
          frame({ type: MessageType.post, id: 9, ...address, action }, body),
        );
    }
  }
  // A main object is not ended by whoever holds it.
  link.send(
    frame({ type: MessageType.post, id: 8, service: targetId, object: 1, action: 3 }, encodeValue('(I)', [targetId])),
  );
  await taken(link);
  expect(
    await ask(link, { service: targetId, object: 2, action: 100 }, { signature: '()', args: [], returns: 'i' }),
  ).toEqual({ code: 'object-gone' });
  expect(await service.counts()).toEqual(before);
  expect(await thing.touch()).toBe(2);
  thing.release();
  await link.cut();
});

test('services that do not exist', async () => {
  const link = await rawSession(agent);
  for (const id of [999, 0x7fff_ffff, 0xffff_ffff])
    expect(await ask(link, { service: id, action: 100 }, { signature: '()', args: [], returns: 'i' })).toEqual({
      code: 'object-gone',
    });
  await link.cut();
});

test('calls of others are not cancelled', async () => {
  const target = await robot.service('Target');
  const before = await service.counts();
  const stop = new AbortController();
  const never = target.never.with({ signal: stop.signal, timeoutMs: 0 })();
  never.catch(() => {});
  await expect.poll(async () => (await service.counts()).nevers).toBe(before.nevers + 1);
  const link = await rawSession(agent);
  for (let id = 0; id < 2000; id += 1)
    link.send(
      frame({ type: MessageType.cancel, id: 1, service: targetId, object: 1, action: 0 }, encodeValue('I', id)),
    );
  await taken(link);
  expect((await service.counts()).cancels).toBe(before.cancels);
  stop.abort();
  await expect.poll(async () => (await service.counts()).cancels).toBe(before.cancels + 1);
  await link.cut();
});

test('names of others cannot be taken, nor their services taken away, made ready or moved', async () => {
  const mine = await robot.host('Honest', { ask: () => 1 });
  const honestId = await idOf('Honest');
  const changes: string[] = [];
  const stopListening = robot.onServiceChange(({ kind, name }) => changes.push(`${kind} ${name}`));
  const before = (await robot.services()).map((info) => ({ ...info }));
  const link = await rawSession(agent);
  for (const name of ['Target', 'ServiceDirectory', 'Honest'])
    expect(await register(link, name)).toEqual({ code: expect.stringMatching(/service-name-taken|text/) });
  expect(await register(link, '')).toMatchObject({ code: expect.any(String) });
  for (const id of [targetId, honestId]) {
    expect(await directory(link, Directory.unregister, '(I)', [id])).toEqual({ code: 'forbidden' });
    expect(await directory(link, Directory.ready, '(I)', [id])).toEqual({ code: 'forbidden' });
    const info = { serviceId: id, machineId: 'x', processId: 1, endpoints: ['tcp://192.0.2.1:1'], sessionId: 'x' };
    const name = id === targetId ? 'Target' : 'Honest';
    const update = [{ ...info, name, objectUid: '' }];
    expect(await directory(link, Directory.update, `(${INFO})`, update)).toEqual({ code: 'forbidden' });
    // As posts, which nobody answers, and in the directory's own name.
    link.send(
      frame(
        { type: MessageType.post, id: 3, service: 1, object: 1, action: Directory.unregister },
        encodeValue('(I)', [id]),
      ),
      ...[Directory.serviceRemoved, Directory.serviceAdded].flatMap((action) =>
        [MessageType.post, MessageType.event].map((type) =>
          frame({ type, id: 4, service: 1, object: 1, action }, encodeValue('(Is)', [id, name])),
        ),
      ),
    );
  }
  expect(await directory(link, Directory.unregister, '(I)', [1])).toMatchObject({ code: expect.any(String) });
  await taken(link);
  await other.more(10);
  expect(changes).toEqual([]);
  stopListening();
  expect(await robot.services()).toEqual(before);
  await mine.close();
  await link.cut();
});

test('what it registers is its own: it cannot say where it is, and may change and take away only that', async () => {
  const targetInfo = (await robot.services()).find(({ name }) => name === 'Target');
  const link = await rawSession(agent);
  const endpoints = ['tcp://192.0.2.1:9559'];
  const id = (await register(link, 'Lie', {
    endpoints,
    machineId: 'elsewhere',
    sessionId: targetInfo?.sessionId ?? '',
  })) as number;
  expect(await names()).not.toContain('Lie');
  expect(await directory(link, Directory.ready, '(I)', [id])).toBeUndefined();
  const info = { name: 'Lie', serviceId: id, machineId: 'x', processId: 1, endpoints, objectUid: '' };
  const update = [{ ...info, sessionId: targetInfo?.sessionId ?? '' }];
  expect(await directory(link, Directory.update, `(${INFO})`, update)).toBeUndefined();
  const infos = await robot.services();
  expect(infos.find(({ name }) => name === 'Lie')?.endpoints).not.toContain(endpoints[0]);
  expect(infos.find(({ name }) => name === 'Target')).toEqual(targetInfo);
  expect(await directory(link, Directory.unregister, '(I)', [id])).toBeUndefined();
  expect(await names()).not.toContain('Lie');
  await link.cut();
});

test('nor can an HTTP client take away services', async () => {
  const path = `${agent.origin}/robot/services/ServiceDirectory`;
  const post = async (name: string, args: unknown): Promise<unknown> => {
    const request = { method: 'POST', headers: BEARER, body: JSON.stringify(args) };
    return ((await (await fetch(`${path}/${name}`, request)).json()) as { code?: string }).code;
  };
  expect(await post('unregisterService', [targetId])).toBe('forbidden');
  expect(await post('serviceReady', [targetId])).toBe('forbidden');
  const info = { name: 'Web', serviceId: 0, machineId: '', processId: 1, endpoints: [], sessionId: '', objectUid: '' };
  expect(await post('registerService', [info])).toBe('unsupported');
});

test('a service whose host answers nothing, or nonsense, fails for those who ask and for nobody else', async () => {
  const link = await rawSession(agent);
  const id = (await register(link, 'Nonsense')) as number;
  await directory(link, Directory.ready, '(I)', [id]);
  const { service: serviceOf } = robot as unknown as { service(name: string): Promise<unknown> };
  const first = serviceOf.call(robot, 'Nonsense');
  first.catch(() => {});
  const asked = await link.take(({ header }) => header.type === MessageType.call && header.service === id);
  const { id: call } = asked.header;
  link.send(
    frame({ type: MessageType.reply, id: call, service: id, object: 1, action: 2 }, new Uint8Array([255, 1, 2])),
  );
  await expect(first).rejects.toMatchObject({ code: expect.stringMatching(/^[a-z-]+$/) });
  const second = serviceOf.call(robot, 'Nonsense');
  second.catch(() => {});
  await link.take(({ header }) => header.type === MessageType.call && header.service === id);
  await link.cut();
  await expect(second).rejects.toMatchObject({ code: expect.stringMatching(/^[a-z-]+$/) });
  await other.more(10);
  await expect.poll(names).not.toContain('Nonsense');
});

test('a metaobject full of nonsense breaks neither the descriptions of others nor the agent', async () => {
  const link = await rawSession(agent);
  const id = (await register(link, 'Bomb')) as number;
  await directory(link, Directory.ready, '(I)', [id]);
  const method = {
    uid: 100,
    returnSignature: `${'('.repeat(4000)}`,
    name: 'boom',
    parametersSignature: '(',
    description: '',
  };
  const parameters: unknown[] = [];
  const signatures = ['(', 'q', '', `${'['.repeat(200)}i${']'.repeat(200)}`, '('.repeat(5000), '{mm}', '({ss}'];
  const methods = new Map(
    signatures.map((signature, index) => [
      100 + index,
      {
        ...method,
        uid: 100 + index,
        returnSignature: signature,
        parametersSignature: signature,
        parameters,
        returnDescription: '',
      },
    ]),
  );
  const events = new Map(
    signatures.map((signature, index) => [200 + index, { uid: 200 + index, name: `s${index}`, signature }]),
  );
  const properties = new Map(
    signatures.map((signature, index) => [300 + index, { uid: 300 + index, name: `p${index}`, signature }]),
  );
  const META =
    '({I(Issss[(ss)<MetaMethodParameter,name,description>]s)<MetaMethod,uid,returnSignature,name,parametersSignature,description,parameters,returnDescription>}{I(Iss)<MetaSignal,uid,name,signature>}{I(Iss)<MetaProperty,uid,name,signature>}s)<MetaObject,methods,signals,properties,description>';
  const body = encodeValue(META, { methods, signals: events, properties, description: 'boom' });
  let isOpen = true;
  link.closed.then(() => {
    isOpen = false;
  });
  const answering = (async () => {
    while (isOpen) {
      const asked = await link.take(
        ({ header }) => header.type === MessageType.call || header.type === ControlType.ping,
      );
      if (asked.header.type === ControlType.ping) link.send(frame({ type: ControlType.pong, id: asked.header.id }));
      else link.send(frame({ ...asked.header, type: MessageType.reply, size: body.length }, body));
    }
  })().catch(() => {});
  for (const path of ['/robot/openapi.json', '/robot/services', '/robot/services/Target']) {
    const response = await fetch(`${agent.origin}${path}`, { headers: BEARER });
    expect([path, response.status]).toEqual([path, 200]);
    expect(await response.text()).toContain('Target');
  }
  for (const name of ['boom', 's1', 'p2'])
    expect((await fetch(`${agent.origin}/robot/services/Bomb/${name}`, { headers: BEARER })).status).toBeGreaterThan(
      399,
    );
  await other.more(10);
  await link.cut();
  await answering;
});

test('after all that the others have lost nothing', async () => {
  await other.finish();
  await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
  await expect.poll(async () => (await service.counts()).things).toBe(0);
  expect([agent.isAlive, service.isAlive]).toEqual([true, true]);
});
