// Both sides of the qi handshake, and the framer under them, against whatever another side may say: one outcome each,
// typed errors, and nobody comes in who was not let in. In this process, without sockets.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isQiwayError, QiwayError } from '../../protocol/errors.ts';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { encodeMessage, type MessageHeader, MessageType } from '../../protocol/wire/message.ts';
import { Dynamic, decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { ClientHandshake } from '../../robot-agent/qi/client-handshake.ts';
import { type AuthenticationProvider, OWN_CAPABILITIES } from '../../robot-agent/qi/index.ts';
import type { MessageSocket, SocketListener } from '../../robot-agent/qi/message-socket.ts';
import { ServerHandshake } from '../../robot-agent/qi/server-handshake.ts';
import { settled } from '../support/virtual-clock.ts';
import { fuzzing } from './fuzz.ts';

const FILE = 'qi-handshakes.test.ts';

interface Said {
  readonly header: MessageHeader;
  readonly payload: Uint8Array;
}

/** What a handshake needs of a socket: keeps what is sent, and ends as a socket does. */
class FakeSocket {
  readonly sent: Said[] = [];
  readonly remoteEndpoint = 'tcp://192.0.2.1:5000';
  maxReceivedBytes: number = Number.POSITIVE_INFINITY;
  listener: SocketListener | undefined;
  isOpen = true;

  send(header: MessageHeader, payload: Uint8Array): void {
    if (this.isOpen) this.sent.push({ header: { ...header }, payload });
  }

  end(reason: QiwayError): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.listener?.closed(reason);
  }

  destroy(reason: QiwayError): void {
    this.end(reason);
  }

  /** What comes in; as with a socket, what the listener throws closes it. */
  take({ header, payload }: Said): void {
    if (!this.isOpen) return;
    try {
      this.listener?.message(header, payload);
    } catch (error) {
      if (!isQiwayError(error)) throw error;
      expect(['wire-invalid', 'limit-exceeded']).toContain(error.code);
      this.destroy(error);
    }
  }

  get asSocket(): MessageSocket {
    return this as unknown as MessageSocket;
  }
}

const words = fc.constantFrom('right', 'wrong', 'more', 'throw', '', 'x'.repeat(5000));
const keys = fc.constantFrom(
  'auth_token',
  'auth_newToken',
  'auth_remoteEndpoint',
  '__qi_auth_state',
  '__qi_auth_err_reason',
  'ObjectPtrUID',
  'MetaObjectCache',
  '__proto__',
  'constructor',
);
const values = fc.oneof(
  words.map((word) => new Dynamic('s', word)),
  fc.nat({ max: 5 }).map((state) => new Dynamic('I', state)),
  fc.integer({ min: -1, max: 5 }).map((state) => new Dynamic('i', state)),
  fc.boolean().map((is) => new Dynamic('b', is)),
  fc.constant(new Dynamic('[m]', [])),
);
const map = fc.array(fc.tuple(keys, values), { maxLength: 5 }).map((entries) => encodeValue('{sm}', new Map(entries)));
const payload = fc.oneof(
  { weight: 4, arbitrary: map },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) },
  { weight: 1, arbitrary: words.map((word) => encodeValue('m', new Dynamic('s', word))) },
);
const message: fc.Arbitrary<Said> = fc
  .tuple(
    fc.record({
      id: fc.oneof(fc.integer({ min: 2, max: 5 }), fc.nat()),
      type: fc.oneof(fc.constantFrom(1, 2, 2), fc.nat({ max: 9 })),
      flags: fc.nat({ max: 3 }),
      service: fc.constantFrom(0, 0, 0, 1, 7),
      action: fc.constantFrom(8, 8, 8, 8, 0, 101),
    }),
    payload,
  )
  .map(([header, bytes]) => ({ header: { ...header, size: bytes.length, version: 0, object: 0 }, payload: bytes }));
/** Between messages time may pass. */
const script = fc.array(fc.oneof({ weight: 3, arbitrary: message }, { weight: 1, arbitrary: fc.constant('wait') }), {
  maxLength: 25,
});

type Script = (Said | string)[];

/** One message of the handshake, as it should be: chance does not find the way to each end in every run. */
function said(type: number, entry: readonly [string, Dynamic]): Script {
  const bytes = encodeValue('{sm}', new Map([entry]));
  return [
    {
      header: { id: 2, type, flags: 0, version: 0, service: 0, object: 0, action: 8, size: bytes.length },
      payload: bytes,
    },
  ];
}

async function play(socket: FakeSocket, steps: readonly (Said | string)[]): Promise<void> {
  for (const step of steps) {
    if (typeof step === 'string') await settled();
    else socket.take(step);
  }
  await settled();
  socket.destroy(new QiwayError('link-lost', 'The end.'));
  await settled();
}

test('who listens lets in nobody whom the provider did not accept, and comes to one end', async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(script, fc.constantFrom('none', 'sync', 'async'), async (steps, kind) => {
      const socket = new FakeSocket();
      const ends: string[] = [];
      const verdicts: string[] = [];
      const judge: AuthenticationProvider = ({ token, remoteEndpoint }) => {
        expect(remoteEndpoint).toBe(socket.remoteEndpoint);
        verdicts.push(String(token));
        if (token === 'throw') throw new Error('the user store is away');
        if (token === 'more') return { state: 'continue', data: { newToken: 'more' } };
        return token === 'right' ? { state: 'done' } : { state: 'refused', reason: 'no' };
      };
      const provider: AuthenticationProvider =
        kind === 'sync' ? judge : (data) => Promise.resolve().then(() => judge(data));
      const handshake = new ServerHandshake({
        socket: socket.asSocket,
        capabilities: OWN_CAPABILITIES,
        ...(kind === 'none' ? {} : { provider }),
        onDone: () => {
          ends.push('done');
          socket.listener = { message: () => {}, closed: () => {} };
        },
        onFailed: (error) => ends.push(error.code),
      });
      socket.listener = handshake;
      await play(socket, steps);
      expect(ends).toHaveLength(1);
      outcomes.add(ends.join());
      if (kind !== 'none' && ends[0] === 'done') expect(verdicts.at(-1)).toBe('right');
      if (kind !== 'none') expect(verdicts.filter((token) => token !== 'more').length).toBeLessThanOrEqual(1);
      const states = socket.sent
        .filter(({ header: { type } }) => type === MessageType.reply)
        .map((said) => decodeValue('{sm}', said.payload, { dynamics: 'unwrapped' }) as Record<string, unknown>)
        .map(({ __qi_auth_state: state }) => state);
      expect(states.filter((state) => state === 3)).toHaveLength(ends[0] === 'done' ? 1 : 0);
      if (ends[0] !== 'done') expect(socket.maxReceivedBytes).toBeLessThan(100_000);
    }),
    {
      ...fuzzing<[Script, string]>(FILE, 1500),
      examples: [
        [said(MessageType.call, ['auth_token', new Dynamic('s', 'right')]), 'sync'],
        [said(MessageType.call, ['auth_token', new Dynamic('s', 'wrong')]), 'async'],
        [[], 'none'],
      ],
    },
  );
  // It came that far.
  for (const outcome of ['done', 'unauthorized', 'link-lost']) expect(outcomes).toContain(outcome);
});

test('who dials comes to one end, whatever the server says, and asks only so often', async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(script, fc.constantFrom('none', 'one', 'many', 'throws'), async (steps, kind) => {
      const socket = new FakeSocket();
      const ends: string[] = [];
      const next = (): { readonly token: string } => {
        if (kind === 'throws') throw new Error('no pen');
        return { token: 'right' };
      };
      const handshake = new ClientHandshake({
        socket: socket.asSocket,
        capabilities: OWN_CAPABILITIES,
        ...(kind === 'none'
          ? {}
          : { authenticator: { begin: () => ({ token: 'right' }), ...(kind === 'one' ? {} : { next }) } }),
        onDone: () => {
          ends.push('done');
          socket.listener = { message: () => {}, closed: () => {} };
        },
        onFailed: (error) => {
          expect(isQiwayError(error)).toBe(true);
          ends.push(error.code);
        },
      });
      socket.listener = handshake;
      handshake.begin();
      await play(socket, steps);
      expect(ends).toHaveLength(1);
      outcomes.add(ends.join());
      expect(socket.sent.length).toBeLessThanOrEqual(18);
      for (const { header } of socket.sent) expect([MessageType.call, MessageType.capability]).toContain(header.type);
    }),
    {
      ...fuzzing<[Script, string]>(FILE, 1500),
      examples: [
        [said(MessageType.reply, ['__qi_auth_state', new Dynamic('I', 3)]), 'one'],
        [said(MessageType.reply, ['__qi_auth_state', new Dynamic('I', 1)]), 'one'],
        [[], 'none'],
      ],
    },
  );
  // It came that far.
  for (const outcome of ['done', 'unauthorized', 'link-lost']) expect(outcomes).toContain(outcome);
});

test('a server that wants more for ever is left after some rounds', async () => {
  const socket = new FakeSocket();
  const ends: string[] = [];
  const handshake = new ClientHandshake({
    socket: socket.asSocket,
    capabilities: OWN_CAPABILITIES,
    authenticator: { begin: () => ({}), next: () => ({ token: 'x' }) },
    onDone: () => ends.push('done'),
    onFailed: ({ code }) => ends.push(code),
  });
  socket.listener = handshake;
  handshake.begin();
  const more = encodeValue('{sm}', { __qi_auth_state: new Dynamic('I', 2) });
  for (let id = 2; id < 100 && socket.isOpen; id += 1) {
    const header = { id, size: more.length, version: 0, type: MessageType.reply, flags: 0 };
    socket.take({ header: { ...header, service: 0, object: 0, action: 8 }, payload: more });
    await settled();
  }
  expect(ends).toEqual(['unauthorized']);
  expect(socket.sent.length).toBeLessThan(20);
});

test('the framer hands out what was sent, cut anywhere; what is damaged ends it for good, with nothing made up', () => {
  const sent = fc.array(fc.tuple(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 100 })), { maxLength: 8 });
  fc.assert(
    fc.property(sent, fc.array(fc.nat(), { maxLength: 10 }), fc.option(fc.nat()), (messages, cuts, damage) => {
      const whole = messages.map(([type, bytes], id) => ({ id, type, bytes }));
      const stream = Buffer.concat(
        whole.map(({ id, type, bytes }) => encodeMessage({ id, type, service: 1, object: 2, action: 3 }, bytes)),
      );
      const at = damage === null || stream.length === 0 ? undefined : damage % stream.length;
      if (at !== undefined) stream[at] = (stream[at] as number) ^ 0x80;
      const got: { id: number; type: number; bytes: Uint8Array }[] = [];
      const framer = new MessageFramer({
        maxPayloadBytes: 1000,
        onMessage: ({ id, type }, bytes) => got.push({ id, type, bytes: bytes.slice() }),
      });
      const ends = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((a, b) => a - b);
      let error: unknown;
      let from = 0;
      for (const end of ends) {
        try {
          framer.push(new Uint8Array(stream.subarray(from, end)));
          if (from < end) expect(error).toBeUndefined();
        } catch (thrown) {
          expect(isQiwayError(thrown) && ['wire-invalid', 'limit-exceeded'].includes(thrown.code)).toBe(true);
          expect(error === undefined || error === thrown).toBe(true);
          error = thrown;
        }
        from = end;
      }
      const undamaged = at === undefined ? whole : whole.slice(0, messageAt(whole, at));
      expect(got.slice(0, undamaged.length)).toEqual(undamaged);
      if (at === undefined) expect([got.length, error]).toEqual([whole.length, undefined]);
    }),
    fuzzing(FILE, 2000),
  );
});

/** Index of the message that holds the byte `at`. */
function messageAt(messages: readonly { readonly bytes: Uint8Array }[], at: number): number {
  let end = 0;
  return messages.findIndex(({ bytes }) => {
    end += 28 + bytes.length;
    return at < end;
  });
}
