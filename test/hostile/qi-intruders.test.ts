// Every port for qi programs, and whoever was let in and means harm: answers with errors, closed sockets, bounded memory;
// the others notice nothing.
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeMessage, type MessageHeader, MessageType, writeMessageHeader } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { createObject, method } from '../../robot-agent/qi/index.ts';
import { fuzzing } from './fuzz.ts';
import { type Intruder, PORT_NAMES, type QiLab, startQiLab } from './qi-lab.ts';
import { damagedTraffic } from './recorded-bytes.ts';

const FILE = 'qi-intruders.test.ts';
const MEBIBYTE = 1_048_576;
const DOORS = ['door', 'secureDoor'] as const;

let lab: QiLab;
beforeAll(async () => {
  lab = await startQiLab();
});
afterAll(() => lab.end());

function member(name: string): number {
  return lab.members[name] ?? -1;
}

function target(name: string): { readonly service: number; readonly action: number } {
  return { service: lab.targetId, action: member(name) };
}

function text({ payload }: { readonly payload: Uint8Array }): string {
  return String(decodeValue('m', payload, { dynamics: 'unwrapped' }));
}

/** Many messages, some at a time: the others live in this process too. */
async function flood(intruder: Intruder, count: number, make: (index: number) => Uint8Array): Promise<void> {
  for (let from = 0; from < count && intruder.socket.writable; from += 1000) {
    const batch = Array.from({ length: Math.min(1000, count - from) }, (_, index) => make(from + index));
    await new Promise((resolve) => intruder.socket.write(Buffer.concat(batch), resolve));
    await setImmediate();
  }
}

function message(header: Partial<MessageHeader>, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  return encodeMessage(
    { id: 5, type: MessageType.call, service: lab.targetId, object: 1, action: 0, ...header },
    payload,
  );
}

describe.each(PORT_NAMES)('%s:', (port) => {
  test('random messages', async () => {
    const address = fc.record({
      id: fc.oneof(fc.nat({ max: 50 }), fc.nat()),
      type: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.nat({ max: 255 })),
      flags: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 255 })),
      version: fc.constantFrom(0, 0, 0, 1, 65_535),
      service: fc.oneof(fc.constant(lab.targetId), fc.nat({ max: 4 }), fc.constant(0xffff_ffff)),
      object: fc.oneof(fc.constant(1), fc.nat({ max: 5 }), fc.constantFrom(0x8000_0000, 0xffff_ffff)),
      action: fc.oneof(fc.nat({ max: 9 }), fc.integer({ min: 80, max: 125 })),
    });
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom(
        encodeValue('(si)', ['intruder', 1]),
        encodeValue('(IIL)', [lab.targetId, member('stepped'), 5n]),
        encodeValue('(IILs)', [lab.targetId, member('stepped'), 5n, '(sd)']),
        encodeValue('(m)', ['count']),
        new Uint8Array(4).fill(255),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(address, payload), { maxLength: 40 }), async (messages) => {
        const intruder = await lab.intruder(port);
        for (const [header, bytes] of messages) {
          // Inside, whoever asks for it may take services away: that is no attack but a call.
          if (header.service === 1 && header.action >= 102 && header.action <= 105) continue;
          // So are the events and buffers of any size that the target makes on demand.
          if ([member('flood'), member('rawOf')].includes(header.action)) continue;
          intruder.send(header, bytes);
        }
        await intruder.taken();
        await intruder.close();
      }),
      fuzzing(FILE, 80),
    );
    await lab.calm();
  });

  test('recorded traffic with some bits turned', async () => {
    await fc.assert(
      fc.asyncProperty(damagedTraffic, async (bytes) => {
        const intruder = await lab.intruder(port);
        intruder.socket.end(bytes);
        await intruder.closed;
      }),
      fuzzing(FILE, 100),
    );
    await lab.calm();
  });

  test.each([
    ['of 4 GiB', 0xffff_ffff],
    ['just above the bound', 128 * MEBIBYTE + 1],
  ])('a payload %s', async (_, size) => {
    const intruder = await lab.intruder(port);
    const bytes = new Uint8Array(28);
    writeMessageHeader(bytes, 0, { id: 3, size, version: 0, flags: 0, type: 1, object: 1, ...target('step') });
    intruder.socket.write(bytes);
    await intruder.closed;
    await lab.calm();
  });

  test('dynamics too deep, and containers with absurd counts', async () => {
    const intruder = await lab.intruder(port);
    for (const bytes of nonsense()) {
      const { header, payload } = await intruder.call(target('dynamic'), bytes);
      if (header.type !== MessageType.error) expect(Buffer.from(payload).equals(bytes)).toBe(true);
      await intruder.call({ service: lab.targetId, action: 5 }, bytes);
      await intruder.call({ service: lab.targetId, action: 6 }, bytes);
      await intruder.call({ service: 1, action: 102 }, bytes);
      await intruder.call(target('step'), bytes, 1);
      await intruder.call(target('step'), bytes, 3);
    }
    await intruder.close();
    await lab.calm();
  });

  test('posts and cancels without end, and answers that nobody asked for', async () => {
    const intruder = await lab.intruder(port);
    const { nevers, cancels } = await lab.service.counts();
    const step = encodeValue('(si)', ['intruder', 1]);
    await flood(intruder, 20_000, (index) =>
      message({ id: index, type: MessageType.post, action: member('step') }, step),
    );
    await flood(intruder, 20_000, (index) =>
      message({ id: index, type: MessageType.cancel }, encodeValue('I', index % 3_000_100)),
    );
    for (const type of [MessageType.reply, MessageType.error, MessageType.canceled, MessageType.event])
      await flood(intruder, 5000, (index) => message({ id: index, type, action: 100 }, step));
    await intruder.taken();
    await intruder.close();
    await lab.calm();
    expect(await lab.service.counts()).toMatchObject({ nevers, cancels });
  });

  test('registrations without end are kept as long as the socket, and no longer', async () => {
    const { subscribers } = await lab.service.counts();
    const intruder = await lab.intruder(port);
    const register = (link: number): Uint8Array =>
      encodeValue('(IIL)', [lab.targetId, member('flooded'), BigInt(link)]);
    await flood(intruder, 66_000, (index) => message({ id: index + 10 }, register(index % 10)));
    await expect.poll(() => intruder.received.length, { timeout: 15_000 }).toBe(66_000);
    const last = await intruder.take(({ header: { type } }) => type === MessageType.error);
    expect(text(last)).toContain('limit-exceeded');
    await intruder.close();
    await expect.poll(async () => (await lab.service.counts()).subscribers, { timeout: 8000 }).toBe(subscribers);
    await lab.calm();
  });

  test('half of a large message from many', async () => {
    const intruders = await Promise.all(Array.from({ length: 10 }, () => lab.intruder(port)));
    const part = new Uint8Array(2 * MEBIBYTE);
    const bytes = new Uint8Array(28);
    writeMessageHeader(bytes, 0, {
      id: 3,
      size: 100 * MEBIBYTE,
      version: 0,
      flags: 0,
      type: 1,
      object: 1,
      ...target('step'),
    });
    for (const { socket } of intruders)
      await new Promise((resolve) => socket.write(Buffer.concat([bytes, part]), resolve));
    expect(await lab.agent.memory()).toBeLessThan(400 * MEBIBYTE);
    await Promise.all(intruders.map((intruder) => intruder.close()));
    await lab.calm();
  });

  test('one that asks for much, says its end and reads nothing is forgotten', async () => {
    const sessions = await lab.agent.metric('qiway_sessions');
    const intruder = await lab.intruder(port);
    intruder.socket.pause();
    for (let each = 0; each < 32; each += 1)
      intruder.send(
        { id: each, type: MessageType.call, object: 1, ...target('rawOf') },
        encodeValue('(I)', [MEBIBYTE]),
      );
    await lab.calm();
    intruder.socket.end();
    await expect.poll(() => lab.agent.metric('qiway_sessions'), { timeout: 6000 }).toBe(sessions);
    await intruder.close();
    await lab.memoryIsBack();
  });

  test('objects as arguments whose ids are those of others, or of nobody', async () => {
    const intruder = await lab.intruder(port);
    const one = createObject({ value: method('()', 'i', () => 1) });
    const other = createObject({ name: method('(s)', 's', () => '') }, { description: 'x'.repeat(100_000) });
    for (const given of [one, other])
      for (const service of [lab.targetId, 1, 0, 999])
        for (const object of [1, 2, 3, 0x8000_0000, 0x8000_0000, 0xffff_ffff])
          await intruder.call(
            target('keep'),
            Buffer.concat([given.metaObject.bytes, encodeValue('(II)', [service, object]), new Uint8Array(20)]),
          );
    await intruder.taken();
    await lab.calm();
    await intruder.close();
    // The target may hold what it was given as long as it likes; nothing is behind it any more.
    await lab.service.ask('drop');
    await expect.poll(async () => (await lab.service.counts()).kept).toBe(0);
    for (const object of [one, other]) object.release();
    await lab.calm();
  });
});

/** Dynamics that a decoder must not follow. */
function nonsense(): Uint8Array[] {
  const dynamic = (signature: string, ...bytes: number[]): Uint8Array =>
    Buffer.concat([encodeValue('s', signature), new Uint8Array(bytes)]);
  const huge = [255, 255, 255, 255];
  const level = encodeValue('s', 'm');
  return [
    dynamic('[i]', ...huge),
    dynamic('[m]', ...huge),
    dynamic('{sm}', ...huge),
    dynamic('r', ...huge),
    dynamic('s', ...huge),
    dynamic('[()]', ...huge),
    dynamic(`${'['.repeat(127)}i${']'.repeat(127)}`, 0, 0, 0, 0),
    dynamic(`${'['.repeat(5000)}i${']'.repeat(5000)}`, 0, 0, 0, 0),
    dynamic('('.repeat(16_000)),
    dynamic('o', ...huge),
    dynamic('q'),
    dynamic(`(i)<${'<'.repeat(1000)}`),
    Buffer.concat([...Array.from({ length: 10_000 }, () => level), encodeValue('s', 'v')]),
    Buffer.concat([
      encodeValue('s', '[m]'),
      new Uint8Array([0, 0, 1, 0]),
      ...Array.from({ length: 65_536 }, () => level),
    ]),
  ];
}

describe.each(DOORS)('%s:', (port) => {
  test('calls that never end: what is beyond the bound is refused, and all are cancelled with the socket', async () => {
    const intruder = await lab.intruder(port);
    const { nevers, cancels } = await lab.service.counts();
    await flood(intruder, 66_000, (index) => message({ id: index + 10, action: member('endless') }));
    const refused = await intruder.take(({ header: { id } }) => id === 66_009);
    expect(text(refused)).toContain('limit-exceeded');
    await intruder.close();
    await expect.poll(async () => (await lab.service.counts()).nevers - nevers, { timeout: 8000 }).toBe(65_536);
    await expect.poll(async () => (await lab.service.counts()).cancels - cancels, { timeout: 8000 }).toBe(65_536);
    await lab.calm();
  });

  test('a subscriber to large events that reads nothing is ended at its bound', async () => {
    const sessions = await lab.agent.metric('qiway_sessions');
    const intruder = await lab.intruder(port);
    const registration = encodeValue('(IIL)', [lab.targetId, member('flooded'), 1n]);
    await intruder.call({ service: lab.targetId, action: 0 }, registration);
    intruder.socket.pause();
    const helper = await lab.intruder('host');
    const lines = (): number => lab.agent.log.filter((line) => line.includes('does not read')).length;
    const before = lines();
    while ((await lab.agent.metric('qiway_sessions')) > sessions) {
      await helper.call(target('flood'), encodeValue('(I)', [8]));
      expect(await lab.agent.memory()).toBeLessThan(500 * MEBIBYTE);
    }
    await helper.close();
    await lab.calm();
    // Where the socket is closed and where the session ends, unless the log had too many like them already.
    expect(lines() - before).toBeLessThanOrEqual(2);
    intruder.socket.resume();
    await intruder.closed;
    await lab.memoryIsBack();
  }, 60_000);
});

test('after all that the others have lost nothing, and no memory is held', async () => {
  await lab.memoryIsBack();
  await lab.finish();
  expect([lab.agent.isAlive, lab.service.isAlive]).toEqual([true, true]);
});
