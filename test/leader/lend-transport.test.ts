// A transport lent over a MessagePort is a transport like any other, and says honestly what waits where.
import { afterEach, describe, expect, it } from 'vitest';
import type { Transport, TransportListener } from '../../protocol/session/transport.ts';
import { memoryTransports } from '../../protocol/transport/memory.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { borrowedTransport } from '../../sdk/leader/borrowed-transport.ts';
import { lendTransport } from '../../sdk/leader/lend-transport.ts';
import { Collected } from '../contract/calls.ts';
import { transportContract } from '../contract/transport-contract.ts';
import { settled } from '../support/virtual-clock.ts';
import { webSocketDoor } from '../support/web-socket-door.ts';
import { FakeChannels } from './fake-channel.ts';

const clock = systemClock;

transportContract('lent by a page that has it in memory', async (listeners) => {
  const [inPage, far] = memoryTransports();
  const { port } = lendTransport(inPage, { clock });
  const left = borrowedTransport(port, { route: 'webrtc', onEnd: () => {} });
  left.listen(listeners.left);
  far.listen(listeners.right);
  return { left, right: far, close: async () => left.close(1000, 'the test is over') };
});

transportContract('lent by a page that has a WebSocket', async (listeners) => {
  let right: Transport | undefined;
  const door = await webSocketDoor((transport) => {
    right = transport;
    transport.listen(listeners.right);
  });
  const { port } = lendTransport(await door.dial(), { clock });
  const left = borrowedTransport(port, { route: 'direct', onEnd: () => {} });
  left.listen(listeners.left);
  if (right === undefined) throw new Error('the socket opened before it was accepted');
  let closing: Promise<void> | undefined;
  return { left, right, close: () => (closing ??= door.close()) };
});

/** A network that takes nothing until it is told to. */
class Jam implements Transport {
  readonly route = 'webrtc';
  bufferedBytes = 0;
  readonly sent: Collected<Uint8Array> = new Collected();
  readonly closes: Collected<string> = new Collected();
  listener: TransportListener | undefined;

  send(message: Uint8Array): boolean {
    this.bufferedBytes += message.length;
    this.sent.add(message);
    return false;
  }

  close(code: number, reason: string): void {
    this.closes.add(`${code} ${reason}`);
  }

  listen(listener: TransportListener): void {
    this.listener = listener;
  }

  take(bytes: number): void {
    this.bufferedBytes -= bytes;
  }
}

describe('a lent transport', () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  function start() {
    const jam = new Jam();
    const [messages, drains, closes] = [new Collected<Uint8Array>(), new Collected<number>(), new Collected<string>()];
    const lent = lendTransport(jam, { clock });
    let ended = 0;
    const transport = borrowedTransport(lent.port, {
      route: 'webrtc',
      onEnd: () => {
        ended += 1;
      },
    });
    ends.push(() => transport.lenderGone('the test is over'));
    const listen = (): void =>
      transport.listen({
        message: (bytes) => messages.add(bytes),
        drain: () => drains.add(jam.bufferedBytes),
        close: (reason, code) => closes.add(`${code} ${reason}`),
      });
    return { jam, lent, transport, listen, messages, drains, closes, ended: () => ended };
  }

  /** Waits, turn by turn, until what ports carry has made it so. */
  async function until(isSo: () => boolean): Promise<void> {
    const giveUpMs = performance.now() + 5000;
    while (!isSo()) {
      if (performance.now() > giveUpMs) throw new Error('it did not come to be');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('counts as waiting what the page has not got rid of, and not a byte more', async () => {
    const { jam, transport, listen } = start();
    listen();
    expect(transport.send(new Uint8Array(1000))).toBe(true);
    transport.send(Uint8Array.of(1), [new Uint8Array(499)]);
    await jam.sent.count(2);
    expect(transport.bufferedBytes).toBe(1500);
    jam.take(1000);
    await until(() => transport.bufferedBytes === 500);
    jam.take(500);
    await until(() => transport.bufferedBytes === 0);
  });

  it('holds bulk back while the network of the page takes nothing, and lets it go on when that has room', async () => {
    const { jam, transport, listen, drains } = start();
    listen();
    let sent = 0;
    while (transport.send(new Uint8Array(1024 * 1024))) sent += 1;
    sent += 1;
    await jam.sent.count(sent);
    expect([transport.bufferedBytes, drains.all]).toEqual([sent * 1024 * 1024, []]);
    jam.take(jam.bufferedBytes);
    jam.listener?.drain();
    await drains.count(1);
    await until(() => transport.bufferedBytes === 0);
  });

  it('is looked at when something comes, too: timers of a hidden page are slow', async () => {
    const jam = new Jam();
    const never = { now: () => 0, after: () => () => {} };
    const { port } = lendTransport(jam, { clock: never });
    const transport = borrowedTransport(port, { route: 'webrtc', onEnd: () => {} });
    ends.push(() => transport.lenderGone('the test is over'));
    const messages = new Collected<Uint8Array>();
    transport.listen({ message: (bytes) => messages.add(bytes), drain: () => {}, close: () => {} });
    transport.send(new Uint8Array(100));
    await jam.sent.count(1);
    jam.take(100);
    jam.listener?.message(Uint8Array.of(1));
    await messages.count(1);
    await until(() => transport.bufferedBytes === 0);
  });

  it('tells that there is room as soon as its network does', async () => {
    const jam = new Jam();
    const never = { now: () => 0, after: () => () => {} };
    const { port } = lendTransport(jam, { clock: never });
    const transport = borrowedTransport(port, { route: 'webrtc', onEnd: () => {} });
    ends.push(() => transport.lenderGone('the test is over'));
    transport.listen({ message: () => {}, drain: () => {}, close: () => {} });
    transport.send(new Uint8Array(100));
    await jam.sent.count(1);
    jam.take(100);
    jam.listener?.drain();
    await until(() => transport.bufferedBytes === 0);
  });

  it('closes its network when the owner is gone without a word, where ports tell', async () => {
    const jam = new Jam();
    const { port, ended } = lendTransport(jam, { clock, newChannel: new FakeChannels(true).open });
    port.close();
    expect(await ended).toBe('the owner is gone');
    expect(jam.closes.all).toEqual(['1000 the owner is gone']);
  });

  it('leaves no port open behind it', async () => {
    const lent = lendTransport(new Jam(), { clock, newChannel: new FakeChannels(true).open });
    const closed = new Promise((resolve) => lent.port.addEventListener('close' as 'message', resolve));
    lent.end('over');
    await closed;
  });

  it('counts what the owner has taken, and no more, against what it may leave unread', async () => {
    const jam = new Jam();
    const MEBIBYTE = 1024 * 1024;
    const { port, ended } = lendTransport(jam, { clock, newChannel: new FakeChannels(false).open });
    for (let count = 0; count < 4; count += 1) jam.listener?.message(new Uint8Array(16 * MEBIBYTE));
    port.postMessage(2 * MEBIBYTE);
    await settled();
    jam.listener?.message(new Uint8Array(MEBIBYTE));
    expect(jam.closes.all).toEqual([]);
    jam.listener?.message(new Uint8Array(2 * MEBIBYTE));
    expect(jam.closes.all).toEqual(['4413 the owner does not read']);
    await ended;
  });

  it('keeps what comes before the owner listens, and gives views nobody else sees', async () => {
    const { jam, listen, messages } = start();
    const shared = Uint8Array.of(1, 2, 3, 4);
    jam.listener?.message(shared.subarray(1, 3));
    jam.listener?.message(Uint8Array.of(9));
    shared.fill(0);
    listen();
    expect(await messages.count(2)).toEqual([Uint8Array.of(2, 3), Uint8Array.of(9)]);
  });

  it('ends at both sides when the page takes it back, once', async () => {
    const { jam, lent, listen, closes, ended, transport } = start();
    listen();
    lent.end('its page was left or put away');
    lent.end('again');
    expect(jam.closes.all).toEqual(['1000 its page was left or put away']);
    expect(await closes.count(1)).toEqual(['1000 its page was left or put away']);
    expect(await lent.ended).toBe('its page was left or put away');
    transport.lenderGone('the tab is gone');
    expect([closes.all.length, ended()]).toEqual([1, 1]);
  });

  it('ends when its network does, with what that said', async () => {
    const { jam, listen, closes, lent } = start();
    listen();
    jam.listener?.close('ICE failed', 4408);
    expect(await closes.count(1)).toEqual(['4408 ICE failed']);
    expect(await lent.ended).toBe('ICE failed');
    expect(jam.closes.all).toEqual([]);
  });

  it('ends when the owner closes it, with the code that the agent is to see', async () => {
    const { jam, transport, listen, closes } = start();
    listen();
    transport.close(4410, 'another link');
    expect(await closes.count(1)).toEqual(['4410 another link']);
    expect(await jam.closes.count(1)).toEqual(['4410 another link']);
  });

  it('that is closed before anybody listened closes the network', async () => {
    const { jam, transport, ended, listen, closes } = start();
    transport.close(1000, 'another way was faster');
    expect(ended()).toBe(1);
    expect(await jam.closes.count(1)).toEqual(['1000 another way was faster']);
    listen();
    await closes.count(1);
  });

  it('ends at once for the owner that knows its page to be gone, and nothing comes after', async () => {
    const { jam, transport, listen, closes, messages, ended } = start();
    listen();
    jam.listener?.message(Uint8Array.of(1));
    transport.lenderGone('the tab crashed');
    expect([closes.all, ended()]).toEqual([['undefined the tab crashed'], 1]);
    expect(transport.send(Uint8Array.of(1))).toBe(true);
    await jam.closes.count(1);
    expect(messages.all).toEqual([]);
  });

  it('ends when an owner leaves 64 MiB unread', async () => {
    const { jam, lent } = start();
    const piece = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 64; count += 1) jam.listener?.message(piece.slice());
    expect(jam.closes.all).toEqual([]);
    jam.listener?.message(Uint8Array.of(1));
    expect(await lent.ended).toBe('the owner does not read');
    expect(jam.closes.all).toEqual(['4413 the owner does not read']);
  });
});
