// Whatever comes as frames, before or after a right hello: the link that sent it may be closed, nobody else notices.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlType, FRAME_HEADER_BYTES } from '../../protocol/wire/link-frame.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { type Bystander, bystander } from './bystander.ts';
import { fuzzing } from './fuzz.ts';
import { type AgentProcess, type ServiceProcess, startAgent, startService } from './processes.ts';
import { ask, frame, hello, type RawLink, rawLink, rawSession, rawSocket } from './raw-link.ts';
import { recordSession } from './record-session.ts';

const FILE = 'frames.test.ts';
const MEBIBYTE = 1_048_576;

let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
let recorded: Uint8Array[];
let rssBefore: number;
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  recorded = await recordSession(agent);
  other = await bystander(agent.url);
  await other.more(10);
  rssBefore = await agent.metric('process_resident_memory_bytes');
});
afterAll(async () => {
  await service.end();
  await agent.end();
});

/** The codes with which a link may be closed: protocol error, refused, silence, limit; 1000 after a goodbye; 1006 when cut. */
const CODES = [1000, 1005, 1006, 1009, 4400, 4401, 4408, 4413];

/** The link is closed with a code of the protocol, or goes on answering. */
async function settle(link: RawLink): Promise<void> {
  const id = 0x7fff_fff0;
  link.send(frame({ type: MessageType.call, id, service: 1, object: 1, action: 108 }));
  const outcome = await Promise.race([link.closed, link.answer(id).catch(() => link.closed)]);
  if (typeof outcome === 'number') expect(CODES).toContain(outcome);
  else await link.cut();
}

test('random bytes after a right hello', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 120 }), { minLength: 1, maxLength: 4 }), async (batches) => {
      const link = await rawSession(agent);
      for (const batch of batches) link.send(batch);
      await settle(link);
    }),
    fuzzing(FILE, 200),
  );
});

test('frames with random types, flags, streams, sizes and addresses', async () => {
  const small = fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 200 }), fc.constantFrom(0x8000_0000, 0xffff_ffff));
  const header = fc.record(
    {
      type: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(0, 9, 32, 33, 34, 35, 36, 37, 38, 39, 40, 255)),
      flags: fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.constantFrom(0x80, 0x81, 0xff, 4)),
      stream: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 3 }), fc.constant(65_535)),
      id: small,
      service: fc.nat({ max: 4 }),
      object: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, small),
      action: small,
      size: fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(0xffff_ffff, 0x7fff_ffff)),
    },
    { requiredKeys: ['type', 'flags', 'stream', 'id', 'service', 'object', 'action'] },
  );
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom(
      encodeValue('(si)', ['fuzz', 1]),
      encodeValue('(IIL)', [2, 110, 7n]),
      encodeValue('(I)', [3]),
      new TextEncoder().encode('{"bus":"down"}'),
    ),
  );
  // What takes hundreds of megabytes by right is left out: it is no attack but a call.
  const isCostly = (each: { readonly action: number; readonly service: number }): boolean =>
    each.service === 2 && each.action >= 100;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(header, body), { minLength: 1, maxLength: 20 }), async (frames) => {
      const link = await rawSession(agent);
      const kept = frames.filter(([each]) => !isCostly(each) || each.type !== MessageType.call);
      for (const [each, bytes] of kept) link.send(frame(each, bytes));
      await settle(link);
    }),
    fuzzing(FILE, 200),
  );
});

test('recorded traffic of a real session: bits flipped, batches cut, doubled, left out, swapped', async () => {
  const mutation = fc.record({
    batch: fc.nat(),
    kind: fc.constantFrom('flip', 'flip', 'flip', 'cut', 'double', 'drop', 'swap'),
    at: fc.nat(),
    bit: fc.nat({ max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 8 }), async (mutations) => {
      const batches: Uint8Array[] = recorded.map((each) => each.slice());
      for (const { batch, kind, at, bit } of mutations) {
        const index = batch % batches.length;
        const bytes = batches[index];
        if (bytes === undefined || bytes.length === 0) continue;
        // Headers are hit as often as the much longer bodies.
        const place = bit % 2 === 0 ? at % Math.min(bytes.length, FRAME_HEADER_BYTES) : at % bytes.length;
        if (kind === 'flip') bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
        else if (kind === 'cut') batches[index] = bytes.slice(0, place);
        else if (kind === 'double') batches.splice(index, 0, bytes);
        else if (kind === 'drop') batches.splice(index, 1);
        else batches.push(...batches.splice(index, 1));
        if (batches.length === 0) return;
      }
      const link = await rawSession(agent);
      for (const batch of batches) link.send(batch);
      await settle(link);
    }),
    fuzzing(FILE, 300),
  );
});

/** A first message that the agent answers; nobody knows the key. */
const begun = (): Uint8Array => Uint8Array.of(1, ...randomBytes(32));

test('what is no handshake', async () => {
  const messages = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom(new Uint8Array(4097), new Uint8Array(MEBIBYTE), Uint8Array.of(2, ...new Uint8Array(200)), 'text'),
    fc.constantFrom(...recorded),
  );
  const conversations = fc.record({ isBegun: fc.boolean(), said: fc.array(messages, { minLength: 1, maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(conversations, async ({ isBegun, said }) => {
      const socket = await rawSocket(agent);
      const closed = once(socket, 'close');
      if (isBegun) socket.send(begun());
      for (const message of said) if (socket.readyState === socket.OPEN) socket.send(message);
      expect([4400, 4409, 4413]).toContain((await closed)[0]);
    }),
    fuzzing(FILE, 200),
  );
});

test('silence before the handshake, and in the midst of it, has an end', async () => {
  const beganMs = performance.now();
  const silent = await Promise.all([rawSocket(agent), rawSocket(agent)]);
  const closed = silent.map((socket) => once(socket, 'close'));
  silent[1]?.send(begun());
  for (const each of closed) expect((await each)[0]).toBe(4408);
  expect(performance.now() - beganMs).toBeGreaterThan(4500);
  expect(performance.now() - beganMs).toBeLessThan(10_000);
});

test('a hello that is none, twice or too long; a first frame that is none', async () => {
  const text = (json: string): Uint8Array => new TextEncoder().encode(json);
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(1, 'right-token', 'x', null));
  const resume = fc.record({ session: value, epoch: value, received: value, sent: value }, { requiredKeys: [] });
  const fields = { protocol: value, token: value, client: value, attempt: value, resume: fc.oneof(value, resume) };
  const record = fc.record(fields, { requiredKeys: [] });
  const hellos = fc.oneof(
    record.map((json) => text(JSON.stringify(json))),
    fc.json().map(text),
    fc.string().map(text),
    fc.uint8Array({ maxLength: 100 }),
    fc.constantFrom(
      Buffer.concat([hello(), hello()]),
      text('['.repeat(3800)),
      hello({ client: 'x'.repeat(3500) }),
      hello({ protocol: 1 }),
      hello({ token: '' }),
      hello({ attempt: -1 }),
      hello({ attempt: 0.5 }),
      hello({ resume: { session: 'x', epoch: 'x', received: 1e300, sent: -1 } }),
      hello({ __proto__: null, constructor: 1, extra: { deep: [] } }),
    ),
  );
  const firsts = fc.oneof(
    fc.constantFrom(0, 1, 0x7fff_ffff).map((id) => frame({ type: ControlType.attached, id })),
    fc.constantFrom(
      frame({ type: ControlType.welcome }),
      frame({ type: ControlType.hello }, hello()),
      frame({ type: MessageType.call, id: 1, service: 1, object: 1, action: 108 }),
      frame({ type: ControlType.attached, size: 0xffff_ffff }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(hellos, firsts, async (body, first) => {
      const link = await rawLink(agent, body);
      link.send(first);
      await settle(link);
    }),
    fuzzing(FILE, 100),
  );
});

test('text, pings and empty batches', async () => {
  const link = await rawSession(agent);
  link.send();
  for (let each = 0; each < 1000; each += 1) link.send(frame({ type: ControlType.ping, id: each }));
  await link.take(({ header }) => header.type === ControlType.pong && header.id === 999);
  link.socket.send('text');
  expect(await link.closed).toBe(4400);
});

test('fragments: empty ones, ever changing, never ending, more than were announced', async () => {
  const streams: Uint8Array[][] = [
    [frame({ type: 1, flags: 0x80, stream: 1 }, new Uint8Array([255, 255, 255, 255]))],
    [frame({ type: 1, flags: 0x80, stream: 1 }, new Uint8Array(3))],
    [frame({ type: 1, flags: 0, stream: 1 }, new Uint8Array([5, 0, 0, 0, 1]))],
    [
      frame({ type: 1, flags: 0x80, stream: 1 }, new Uint8Array([9, 0, 0, 0, 1])),
      frame({ type: 5, flags: 0x80, stream: 1 }, new Uint8Array([1])),
    ],
    [
      frame({ type: 1, flags: 0x80, stream: 1 }, new Uint8Array([2, 0, 0, 0, 1])),
      frame({ type: 1, flags: 0x80, stream: 1 }, new Uint8Array(50)),
    ],
    Array.from({ length: 70 }, (_, index) =>
      frame({ type: 1, flags: 0x80, stream: index + 1 }, new Uint8Array([0, 0, 0, 7])),
    ),
  ];
  for (const frames of streams) {
    const link = await rawSession(agent);
    link.send(...frames);
    expect([4400, 4413]).toContain(await link.closed);
  }
});

test('after all that the agent has forgotten the attackers, has its memory, and the bystander lost nothing', async () => {
  await other.more(10);
  await other.finish();
  await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
  const after = await rawSession(agent);
  expect(await ask(after, { service: 1, action: 108 }, { signature: '()', args: [], returns: 's' })).toMatch(/./);
  await after.cut();
  expect((await agent.metric('process_resident_memory_bytes')) - rssBefore).toBeLessThan(200 * MEBIBYTE);
  expect(agent.isAlive).toBe(true);
  expect(service.isAlive).toBe(true);
});
