// Services of the robot that lie, behind the mirror: their hosts answer nonsense, twice, never, or die. Who asks for them
// outside gets errors; the others, also those on the same agent, notice nothing.
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { encodeMessage, type MessageHeader, MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { createObject, Dynamic, method, signal } from '../../robot-agent/qi/index.ts';
import type { Received } from '../qi/raw-client.ts';
import { type AgentProcess, startAgent } from './processes.ts';
import { type Intruder, type QiLab, startQiLab } from './qi-lab.ts';

const INFO = '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>';
const MEMBERS = createObject({ number: method('()', 'i', () => 1), said: signal('(s)') }).metaObject;
const NUMBER = [...MEMBERS.methods.values()].find(({ name }) => name === 'number')?.uid ?? -1;
const SAID = [...MEMBERS.signals.values()].find(({ name }) => name === 'said')?.uid ?? -1;
const NONSENSE = [new Uint8Array(0), new Uint8Array(70).fill(255), MEMBERS.bytes];
const LET_IN = encodeValue('{sm}', { __qi_auth_state: new Dynamic('I', 3) });
const PATIENCE = { timeout: 10_000 };

type Answer = (socket: Socket, header: MessageHeader) => void;
let robot: AgentProcess;
let lab: QiLab;
let registrar: Intruder;
const sockets = new Set<Socket>();
/** To calls other than `authenticate`. */
let answer: Answer = () => {};
const host = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => sockets.delete(socket));
  const framer = new MessageFramer({
    onMessage: (header) => {
      if (header.type !== MessageType.call) return;
      if (header.service === 0) reply(socket, header, LET_IN);
      else answer(socket, { ...header });
    },
  });
  socket.on('data', (chunk) => framer.push(new Uint8Array(chunk as Buffer)));
});

function reply(socket: Socket, header: MessageHeader, payload: Uint8Array, type: number = MessageType.reply): void {
  socket.write(encodeMessage({ ...header, type, flags: 0 }, payload));
}

/** Describes itself as it is, and answers the rest as told. */
function honestButFor(others: Answer): Answer {
  return (socket, header) => (header.action === 2 ? reply(socket, header, MEMBERS.bytes) : others(socket, header));
}

beforeAll(async () => {
  robot = await startAgent();
  lab = await startQiLab({ directory: robot.busUrl, joinAt: robot.busUrl });
  registrar = await lab.intruder('directory');
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  host.close();
  for (const socket of sockets) socket.destroy();
  await lab.end();
  await robot.end();
});

/** Registers it with the robot, and gives its id at the door to who asks there. */
async function offered(name: string, asking: Intruder): Promise<number> {
  const address = host.address();
  const endpoints = [`tcp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`];
  const { payload: machine } = await registrar.call({ service: 1, action: 108 });
  const machineId = decodeValue('s', machine) as string;
  const info = { name, serviceId: 0, machineId, processId: 1, endpoints, sessionId: name, objectUid: name };
  const { payload } = await registrar.call({ service: 1, action: 102 }, encodeValue(`(${INFO})`, [info]));
  await registrar.call({ service: 1, action: 104 }, payload);
  let found: Received | undefined;
  await expect
    .poll(async () => {
      found = await asking.call({ service: 1, action: 100 }, encodeValue('(s)', [name]));
      return found.header.type;
    }, PATIENCE)
    .toBe(MessageType.reply);
  return (decodeValue(INFO, found?.payload ?? new Uint8Array(0)) as { serviceId: number }).serviceId;
}

test('descriptions of itself that are none', async () => {
  const asking = await lab.intruder('door');
  for (const [index, nonsense] of NONSENSE.slice(0, 2).entries()) {
    answer = (socket, header) => reply(socket, header, nonsense);
    const service = await offered(`Undescribed ${index}`, asking);
    const { header } = await asking.call({ service, action: 2 }, encodeValue('(I)', [0]));
    expect(header.type).toBe(MessageType.error);
  }
  await asking.close();
  await lab.calm();
});

test('answers that come twice, are of another kind, or belong to nobody', async () => {
  const asking = await lab.intruder('door');
  answer = honestButFor((socket, header) => {
    for (const nonsense of NONSENSE) {
      for (const id of [header.id + 1, header.id + 7, 0, 0xffff_ffff]) reply(socket, { ...header, id }, nonsense);
      for (const type of [MessageType.reply, MessageType.error, MessageType.canceled, MessageType.event])
        reply(socket, header, nonsense, type);
    }
  });
  const service = await offered('Twice', asking);
  for (let each = 0; each < 100; each += 1) await asking.call({ service, action: NUMBER });
  await asking.taken();
  expect(asking.received).toEqual([]);
  await asking.close();
  await lab.calm();
});

test('events that were not asked for, or cannot be read, without end', async () => {
  const asking = await lab.intruder('door');
  answer = honestButFor((socket, header) => {
    for (let each = 0; each < 3000; each += 1)
      for (const nonsense of NONSENSE) reply(socket, { ...header, action: SAID }, nonsense, MessageType.event);
    reply(socket, header, encodeValue('i', 1));
  });
  const service = await offered('Noise', asking);
  for (let each = 0; each < 3; each += 1) {
    const { header } = await asking.call({ service, action: NUMBER });
    expect(header.type).toBe(MessageType.reply);
  }
  expect(asking.received).toEqual([]);
  await asking.close();
  await lab.calm();
});

test.each([
  ['dies in mid-call', (socket: Socket) => socket.resetAndDestroy()],
  ['says what no message of qi says', (socket: Socket) => socket.write(new Uint8Array(100).fill(1))],
])('one that %s', async (how, end) => {
  const asking = await lab.intruder('door');
  answer = honestButFor(end);
  const service = await offered(how, asking);
  const calls = Array.from({ length: 100 }, () => asking.call({ service, action: NUMBER }));
  expect(new Set((await Promise.all(calls)).map(({ header: { type } }) => type))).toEqual(new Set([MessageType.error]));
  // It is registered still: who asks again reaches it again.
  answer = honestButFor((socket, header) => reply(socket, header, encodeValue('i', 1)));
  await expect
    .poll(async () => (await asking.call({ service, action: NUMBER })).header.type, PATIENCE)
    .toBe(MessageType.reply);
  await asking.close();
  await lab.calm();
});

test('after all that nothing is left of them, and the others have lost nothing', async () => {
  await registrar.close();
  const asking = await lab.intruder('door');
  await expect
    .poll(async () => {
      const { payload } = await asking.call({ service: 1, action: 101 });
      return (decodeValue(`[${INFO}]`, payload) as { name: string }[]).map(({ name }) => name);
    }, PATIENCE)
    .toEqual(['ServiceDirectory', 'Target']);
  await asking.close();
  await lab.memoryIsBack();
  await lab.finish();
  expect(robot.isAlive).toBe(true);
});
