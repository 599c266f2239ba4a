// A peer against another side that says anything at all, in any order: each call of ours ends once, each of theirs is
// answered at most once, and nothing is left of either when it closes. In this process, without sockets.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BusObject, CallHandle, Payload } from '../../protocol/bus/bus.ts';
import { NO_OBJECTS, releasePayload } from '../../protocol/bus/bus.ts';
import { decodeError } from '../../protocol/bus/error-payload.ts';
import { Peer } from '../../protocol/bus/peer.ts';
import { serving } from '../../protocol/bus/serving.ts';
import { isQiwayError, QiwayError } from '../../protocol/errors.ts';
import type { CallContext } from '../../protocol/objects/hosted-object.ts';
import { createObject, method, property, signal } from '../../protocol/objects/hosted-object.ts';
import { type MessageHeader, MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { settled } from '../support/virtual-clock.ts';
import { fuzzing } from './fuzz.ts';

const OURS = 5;
const THEIRS = 6;
const SLOW = 7;

/** A service of this side, which keeps and gives objects; counts those alive. */
function service() {
  const alive = { things: 0, kept: 0, endless: 0 };
  const kept: BusObject[] = [];
  const thing = () => {
    const made = createObject(
      { touch: method('()', 'i', () => 1), touched: signal('(i)') },
      { onUnused: () => made.release() },
    );
    alive.things += 1;
    made.onGone(() => {
      alive.things -= 1;
    });
    return made;
  };
  const object = createObject({
    echo: method('(m)', 'm', (value: unknown) => value),
    thing: method('()', 'o', thing),
    things: method('()', '[o]', () => [thing(), thing()]),
    keep: method('(o)', 'v', (given: BusObject | null) => {
      if (given === null) return;
      alive.kept += 1;
      kept.push(given);
      given.onGone(() => {
        alive.kept -= 1;
      });
    }),
    endless: method('()', 'v', ({ onCancel }: CallContext) => {
      alive.endless += 1;
      return new Promise<void>((_, reject) => {
        onCancel(() => {
          alive.endless -= 1;
          reject(new QiwayError('canceled', 'Stopped.'));
        });
      });
    }),
    said: signal('(m)'),
    gave: signal('(o)'),
    amount: property('i', 0),
  });
  const drop = (): void => {
    for (const given of kept) given.release();
  };
  return { object, alive, drop, thing };
}

const { metaObject } = service().object;
const endless = [...metaObject.methods.values()].find(({ name }) => name === 'endless')?.uid;
const members = [...metaObject.methods.keys(), ...metaObject.signals.keys(), 100, 999];
const reference = (bytes: Uint8Array, of: number, object: number): Uint8Array =>
  Buffer.concat([bytes, encodeValue('(II)', [of, object]), new Uint8Array(20)]);
const payload: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(
    encodeValue('m', 'text'),
    encodeValue('(m)', ['amount']),
    encodeValue('(mm)', ['amount', 7]),
    encodeValue('(I)', [5]),
    metaObject.bytes,
  ),
  fc
    .tuple(fc.constantFrom(...members), fc.bigInt({ min: 0n, max: 3n }))
    .map(([uid, link]) => encodeValue('(IIL)', [OURS, uid, link])),
  fc
    .tuple(fc.constantFrom(...members), fc.bigInt({ min: 0n, max: 3n }))
    .map(([uid, link]) => encodeValue('(IILs)', [OURS, uid, link, '(s)'])),
  fc.nat({ max: 60 }).map((id) => encodeValue('I', id)),
  fc
    .tuple(fc.constantFrom(OURS, THEIRS, 0, 1), fc.constantFrom(0, 1, 2, 3, 0x8000_0000, 0xffff_ffff), fc.boolean())
    .map(([of, object, isDynamic]) =>
      Buffer.concat([isDynamic ? encodeValue('s', 'o') : new Uint8Array(0), reference(metaObject.bytes, of, object)]),
    ),
);
type Step =
  | { readonly kind: 'message'; readonly header: MessageHeader; readonly bytes: Uint8Array }
  | {
      readonly kind:
        | 'call'
        | 'cancel'
        | 'subscribe'
        | 'unsubscribe'
        | 'emit'
        | 'give'
        | 'wait'
        | 'found'
        | 'endService';
      readonly index: number;
    };
const message: fc.Arbitrary<Step> = fc
  .tuple(
    fc.record({
      id: fc.nat({ max: 60 }),
      type: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) },
        { weight: 1, arbitrary: fc.nat({ max: 255 }) },
      ),
      flags: fc.constantFrom(0, 0, 0, 1, 2, 3),
      version: fc.constantFrom(0, 0, 0, 0, 1),
      service: fc.constantFrom(OURS, OURS, OURS, THEIRS, SLOW, 0, 99),
      object: fc.constantFrom(1, 1, 1, 2, 3, 4, 0x8000_0000, 0x8000_0001),
      action: fc.oneof(fc.nat({ max: 9 }), fc.constantFrom(...members)),
    }),
    payload,
  )
  .map(([header, bytes]) => ({ kind: 'message', header: { ...header, size: bytes.length }, bytes }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: message },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'call',
        'cancel',
        'subscribe',
        'unsubscribe',
        'emit',
        'give',
        'wait',
        'found',
        'endService',
      ),
      index: fc.nat({ max: 20 }),
    }) as fc.Arbitrary<Step>,
  },
);

/** A call of ours, and how it ends: chance does not find all of them in every run. */
const endings: [Step[]][] = [MessageType.reply, MessageType.error, MessageType.canceled].map((type) => {
  const bytes = encodeValue('m', 'text');
  // The first id that a peer gives.
  const header = { id: 3, type, flags: 1, version: 0, service: THEIRS, object: 1, action: 100, size: bytes.length };
  return [
    [
      { kind: 'call', index: 0 },
      { kind: 'message', header, bytes },
    ],
  ];
});

test('each call ends once, each of theirs is answered at most once, and at the end nothing is left', async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const ours = service();
      const slow = Promise.withResolvers<BusObject>();
      slow.promise.catch(() => {});
      let isFound = false;
      const slowService = service();
      const sent: MessageHeader[] = [];
      const peer = new Peer({
        send: (header) => void sent.push({ ...header }),
        serving: serving({
          services: (id) =>
            id === OURS ? ours.object : id === SLOW ? (isFound ? slowService.object : slow.promise) : undefined,
          errors: 'text',
        }),
        randomUid: () => new Uint8Array(randomBytes(20)),
        decodeError,
      });
      const remote = peer.remoteObject(THEIRS, 1, { metaObject: metaObject.bytes });
      const ends: string[][] = [];
      const handles: (CallHandle | undefined)[] = [];
      const subscriptions: ReturnType<BusObject['subscribe']>[] = [];
      const received = new Map<number, number>();
      const uids = [...metaObject.methods.keys()].filter((uid) => uid >= 100);
      const began = (): { reply(given: Payload): void; error(e: QiwayError): void; canceled(): void } => {
        const end: string[] = [];
        ends.push(end);
        return {
          reply: (given) => {
            releasePayload(given);
            end.push('reply');
          },
          error: (error) => {
            expect(isQiwayError(error)).toBe(true);
            end.push('error');
          },
          canceled: () => void end.push('canceled'),
        };
      };
      for (const each of steps) {
        switch (each.kind) {
          case 'message':
            // What is posted cannot be cancelled, not even by the end.
            if (each.header.type === MessageType.post && each.header.action === endless) break;
            if (each.header.type === MessageType.call)
              received.set(each.header.id, (received.get(each.header.id) ?? 0) + 1);
            peer.receive({ ...each.header }, each.bytes);
            break;
          case 'call': {
            const body = { signature: '(m)', bytes: encodeValue('(m)', [each.index]), objects: NO_OBJECTS };
            const sink = began();
            handles.push(remote.call({ action: uids[each.index % uids.length] ?? 0, payload: body }, sink));
            break;
          }
          case 'give': {
            const objects = [ours.thing()];
            const body = { signature: '(o)', bytes: reference(metaObject.bytes, 0, 1), objects };
            handles.push(remote.call({ action: uids[3] ?? 0, payload: body }, began()));
            break;
          }
          case 'cancel':
            handles[each.index % Math.max(1, handles.length)]?.cancel();
            break;
          case 'subscribe': {
            const [uid = 0] = [...metaObject.signals.keys()].filter((id) => id >= 100).slice(each.index % 2);
            const subscription = remote.subscribe(uid, { event: releasePayload, gone: () => {} });
            subscription.ready.catch(() => {});
            subscriptions.push(subscription);
            break;
          }
          case 'unsubscribe':
            void subscriptions[each.index % Math.max(1, subscriptions.length)]?.close().catch(() => {});
            break;
          case 'emit':
            if (each.index % 2 === 0) ours.object.emit('said', 'x');
            else ours.object.emit('gave', ours.thing());
            break;
          case 'found':
            isFound = true;
            slow.resolve(slowService.object);
            break;
          case 'endService':
            if (each.index === 0) peer.endService(THEIRS, new QiwayError('service-gone', 'It left.'));
            break;
          default:
            await settled();
        }
      }
      await settled();
      peer.close(new QiwayError('link-lost', 'The end.'));
      slow.reject(new QiwayError('closed', 'The end.'));
      ours.drop();
      slowService.drop();
      await settled();
      expect(peer.counts).toEqual(Object.fromEntries(Object.keys(peer.counts).map((key) => [key, 0])));
      for (const end of ends) {
        expect(end).toHaveLength(1);
        outcomes.add(end.join());
      }
      const answers = new Map<number, number>();
      for (const { id, type } of sent)
        if ([MessageType.reply, MessageType.error, MessageType.canceled].includes(type as 2))
          answers.set(id, (answers.get(id) ?? 0) + 1);
      for (const [id, count] of answers) expect(count).toBeLessThanOrEqual(received.get(id) ?? 0);
      expect([ours.alive, slowService.alive]).toEqual([
        { things: 0, kept: 0, endless: 0 },
        { things: 0, kept: 0, endless: 0 },
      ]);
    }),
    { ...fuzzing<[Step[]]>('qi-peer.test.ts', 2000), examples: endings },
  );
  // It came that far.
  expect([...outcomes].sort()).toEqual(['canceled', 'error', 'reply']);
}, 60_000);
