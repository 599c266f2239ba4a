// Programs that come in by the ports for qi to offer services, and mean harm: too many, too large, answering nonsense. Those
// who ask for them get errors; the others notice nothing, and with the socket everything is gone.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { createObject, method } from '../../robot-agent/qi/index.ts';
import type { Received } from '../qi/raw-client.ts';
import { type Intruder, type QiLab, startQiLab } from './qi-lab.ts';

const INFO = '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>';
const METAOBJECT =
  '({I(Issss[(ss)<MetaMethodParameter,name,description>]s)<MetaMethod,uid,returnSignature,name,parametersSignature,description,parameters,returnDescription>}{I(Iss)<MetaSignal,uid,name,signature>}{I(Iss)<MetaProperty,uid,name,signature>}s)<MetaObject,methods,signals,properties,description>';
const PORTS = ['directory', 'door', 'secureDoor'] as const;
const Directory = { service: 1, services: 101, register: 102, ready: 104 } as const;
/** Services of one program outside. */
const MAX_OUTSIDE = 1024;
const MEMBERS = createObject({
  number: method('()', 'i', () => 1),
  object: method('()', 'o', () => null),
}).metaObject;

let lab: QiLab;
beforeAll(async () => {
  lab = await startQiLab();
});
afterAll(() => lab.end());

function infoOf(name: string, changes: object = {}): Uint8Array {
  const info = { serviceId: 0, machineId: '', processId: 1, endpoints: [lab.urls.directory], sessionId: 'liar' };
  return encodeValue(`(${INFO})`, [{ ...info, objectUid: '', ...changes, name }]);
}

const register = (intruder: Intruder, info: Uint8Array): Promise<Received> =>
  intruder.call({ service: Directory.service, action: Directory.register }, info);

function isError({ header }: Received): boolean {
  return header.type === MessageType.error;
}

async function offer(intruder: Intruder, name: string): Promise<number> {
  const { payload } = await register(intruder, infoOf(name));
  const id = decodeValue('I', payload) as number;
  await intruder.call({ service: Directory.service, action: Directory.ready }, encodeValue('(I)', [id]));
  return id;
}

async function serviceCount(by: Intruder): Promise<number> {
  const { payload } = await by.call({ service: Directory.service, action: Directory.services });
  return (decodeValue(`[${INFO}]`, payload) as unknown[]).length;
}

/** Resolves when nothing of what was offered is left. */
async function onlyTargetIsLeft(): Promise<void> {
  const asking = await lab.intruder('door');
  await expect.poll(() => serviceCount(asking)).toBe(2);
  await asking.close();
  await lab.calm();
}

describe.each(PORTS)('%s:', (port) => {
  test('descriptions that everybody would have to carry are refused', async () => {
    const intruder = await lab.intruder(port);
    for (const info of [
      infoOf(''),
      infoOf('x'.repeat(5_000_000)),
      infoOf('Large', { sessionId: 'x'.repeat(5_000_000) }),
      infoOf('Many', { endpoints: Array.from({ length: 100_000 }, (_, index) => `tcp://192.0.2.1:${index}`) }),
    ])
      expect(isError(await register(intruder, info))).toBe(true);
    await intruder.close();
    await onlyTargetIsLeft();
  });

  test('services without end are bounded outside, and gone with the socket', async () => {
    const intruder = await lab.intruder(port);
    const count = MAX_OUTSIDE + 100;
    const answers = await Promise.all(
      Array.from({ length: count }, (_, index) => register(intruder, infoOf(`Flood ${index}`))),
    );
    expect(answers.filter(isError)).toHaveLength(port === 'directory' ? 0 : 100);
    await intruder.close();
    await onlyTargetIsLeft();
  });

  test('metaobjects of megabytes are read or refused, and the others wait no longer than usual', async () => {
    const nothing = { methods: new Map(), signals: new Map(), properties: new Map(), description: '' };
    const member = { uid: 1, returnSignature: '', name: 'm', parametersSignature: '', description: '', parameters: [] };
    const methods = new Map(Array.from({ length: 300_000 }, (_, uid) => [uid, { ...member, returnDescription: '' }]));
    for (const [description, isRefused] of [
      [{ ...nothing, methods }, false],
      [{ ...nothing, description: 'x'.repeat(70_000_000) }, true],
    ] as const) {
      const intruder = await lab.intruder(port);
      const asking = await lab.intruder('door');
      const id = await offer(intruder, 'Bomb');
      const answer = asking.call({ service: id, action: 2 }, encodeValue('(I)', [0]));
      const { header } = await intruder.take(({ header: { type, service } }) => type === 1 && service === id);
      intruder.send({ ...header, type: MessageType.reply, flags: 0 }, encodeValue(METAOBJECT, description));
      expect(isError(await answer)).toBe(isRefused);
      await Promise.all([intruder.close(), asking.close()]);
      await onlyTargetIsLeft();
    }
  }, 60_000);

  test('answers that were not asked for, that come twice, that are of another kind', async () => {
    const intruder = await lab.intruder(port);
    const id = await offer(intruder, 'Liar');
    const asking = await lab.intruder('door');
    const asked = (action: number): Promise<Received> =>
      intruder.take(
        ({ header }) => header.type === MessageType.call && header.service === id && header.action === action,
      );
    const describing = asking.call({ service: id, action: 2 }, encodeValue('(I)', [0]));
    const { header: first } = await asked(2);
    intruder.send({ ...first, type: MessageType.reply }, MEMBERS.bytes);
    intruder.send({ ...first, type: MessageType.reply }, MEMBERS.bytes);
    expect(isError(await describing)).toBe(false);
    const uids = [...MEMBERS.methods.values()].filter(({ uid }) => uid >= 100).map(({ uid }) => uid);
    for (const action of uids) {
      for (const nonsense of [new Uint8Array(0), new Uint8Array(70).fill(255), MEMBERS.bytes]) {
        const answer = asking.call({ service: id, action });
        const { header } = await asked(action);
        for (const wrong of [header.id + 1, header.id + 7, 0, 0xffff_ffff])
          intruder.send({ ...header, id: wrong, type: MessageType.reply, flags: 0 }, nonsense);
        for (const type of [MessageType.reply, MessageType.reply, MessageType.error, MessageType.canceled])
          intruder.send({ ...header, type, flags: 0 }, nonsense);
        await answer;
      }
    }
    await asking.taken();
    expect(asking.received).toEqual([]);
    const never = asking.call({ service: id, action: uids[0] ?? 0 });
    await asked(uids[0] ?? 0);
    await intruder.close();
    expect(isError(await never)).toBe(true);
    await asking.close();
    await onlyTargetIsLeft();
  });
});

test('after all that the others have lost nothing, and no memory is held', async () => {
  await lab.memoryIsBack();
  await lab.finish();
  expect([lab.agent.isAlive, lab.service.isAlive]).toEqual([true, true]);
});
