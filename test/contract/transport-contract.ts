// What every Transport does, whatever it is made of. One suite, run against each implementation, both ways.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Transport, TransportListener } from '../../protocol/session/transport.ts';
import { Collected } from './calls.ts';

/** Both ends of one transport. */
export interface TransportPair {
  readonly left: Transport;
  readonly right: Transport;
  /** Ends everything, also when the transport is closed already. */
  close(): Promise<void>;
}

/** Must give each end its listener in the turn in which it is there. */
export type TransportSetup = (listeners: {
  readonly left: TransportListener;
  readonly right: TransportListener;
}) => Promise<TransportPair>;

/** One end, with what it was told. */
interface End {
  readonly transport: Transport;
  readonly messages: Collected<Uint8Array>;
  readonly drains: Collected<number>;
  readonly closes: Collected<string>;
}

/** More than a kernel and both processes keep on the way, so that a transport with a bound has to say stop. */
const FLOOD_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

export function transportContract(name: string, setup: TransportSetup): void {
  describe.each(['left', 'right'] as const)(`transport contract: ${name}, from the %s`, (side) => {
    let pair: TransportPair;
    let near: End;
    let far: End;
    /** Set while the transport is in `send` or `close`. */
    let isInside = false;

    beforeEach(async () => {
      const make = (): Omit<End, 'transport'> & { listener: TransportListener } => {
        const [messages, drains, closes] = [
          new Collected<Uint8Array>(),
          new Collected<number>(),
          new Collected<string>(),
        ];
        const told = <T>(into: Collected<T>, value: T): void => {
          if (isInside) throw new Error('a listener was called from within send or close');
          into.add(value);
        };
        const listener: TransportListener = {
          message: (bytes) => told(messages, bytes),
          drain: () => told(drains, drains.all.length),
          close: (reason) => told(closes, reason),
        };
        return { messages, drains, closes, listener };
      };
      const [left, right] = [make(), make()];
      pair = await setup({ left: left.listener, right: right.listener });
      const ends = { left: { ...left, transport: pair.left }, right: { ...right, transport: pair.right } };
      near = ends[side];
      far = ends[side === 'left' ? 'right' : 'left'];
    });
    afterEach(() => pair.close());

    function inside<T>(act: () => T): T {
      isInside = true;
      try {
        return act();
      } finally {
        isInside = false;
      }
    }

    test('messages of all sizes arrive whole, once, and in order', async () => {
      const sizes = [1, 2, 125, 126, 65_535, 65_536, 3, PIECE_BYTES, 5];
      const sent = sizes.map((size, at) => Uint8Array.from({ length: size }, (_, index) => (index * 31 + at) & 0xff));
      for (const message of sent) inside(() => near.transport.send(message.slice()));
      const received = await far.messages.count(sizes.length);
      expect(received.map((message) => message.length)).toEqual(sizes);
      expect(received.every((message, at) => Buffer.compare(message, sent[at] as Uint8Array) === 0)).toBe(true);
      expect(near.messages.all).toEqual([]);
    });

    test('both ends send at once', async () => {
      inside(() => near.transport.send(Uint8Array.of(1)));
      inside(() => far.transport.send(Uint8Array.of(2)));
      expect(await far.messages.count(1)).toEqual([Uint8Array.of(1)]);
      expect(await near.messages.count(1)).toEqual([Uint8Array.of(2)]);
    });

    test('parts are one message, and are only read', async () => {
      const rest = [Uint8Array.of(3, 4), new Uint8Array(70_000).fill(5)];
      inside(() => near.transport.send(Uint8Array.of(1, 2), rest));
      inside(() => near.transport.send(Uint8Array.of(9)));
      const [message, next] = await far.messages.count(2);
      expect([message?.length, [...(message?.subarray(0, 5) ?? [])]]).toEqual([70_004, [1, 2, 3, 4, 5]]);
      expect(next).toEqual(Uint8Array.of(9));
      expect([rest[0], rest[1]?.every((byte) => byte === 5)]).toEqual([Uint8Array.of(3, 4), true]);
    });

    test('whoever is told to stop is told when to go on, and nothing is lost', async () => {
      let sentBytes = 0;
      let mayGoOn = true;
      while (mayGoOn && sentBytes < FLOOD_BYTES) {
        mayGoOn = inside(() => near.transport.send(new Uint8Array(PIECE_BYTES)));
        sentBytes += PIECE_BYTES;
      }
      if (!mayGoOn) {
        expect(near.transport.bufferedBytes).toBeGreaterThan(0);
        await near.drains.count(1);
      }
      const received = await far.messages.count(sentBytes / PIECE_BYTES);
      expect(received.every((message) => message.length === PIECE_BYTES)).toBe(true);
    });

    test('what was sent before a close arrives; both ends are told of the end, once', async () => {
      inside(() => near.transport.send(Uint8Array.of(1)));
      inside(() => near.transport.close(1000, 'enough'));
      inside(() => near.transport.close(4400, 'again'));
      expect(await far.messages.count(1)).toEqual([Uint8Array.of(1)]);
      expect(await far.closes.count(1)).toEqual(['enough']);
      await near.closes.count(1);
      inside(() => far.transport.close(1000, 'late'));
      inside(() => near.transport.close(1000, 'late'));
      await pair.close();
      expect([near.closes.all.length, far.closes.all.length]).toEqual([1, 1]);
    });

    test('after a close it is silent, and send does not hold anybody back', async () => {
      inside(() => near.transport.close(1000, 'enough'));
      expect(inside(() => near.transport.send(Uint8Array.of(1)))).toBe(true);
      await far.closes.count(1);
      await near.closes.count(1);
      expect(inside(() => near.transport.send(Uint8Array.of(2)))).toBe(true);
      expect(inside(() => far.transport.send(Uint8Array.of(3), [Uint8Array.of(4)]))).toBe(true);
      await pair.close();
      expect([near.messages.all, far.messages.all]).toEqual([[], []]);
    });
  });
}
