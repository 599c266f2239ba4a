// What goes on within TLS: bounds of those who are not in yet, batches and bounds of those who are, hosts of services.
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeMessage, MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { createObject, joinBus, method } from '../../robot-agent/qi/index.ts';
import { callMethod, failureOf } from '../contract/calls.ts';
import { createEchoService } from '../support/echo-service.ts';
import { handClock } from './hand-clock.ts';
import { type Authority, authority, type Certified, selfSigned } from './tls-certificates.ts';
import { directory, endAll, endings, fingerprint, join } from './tls-directory.ts';

afterEach(endAll);

let trusted: Authority;
let robot: Certified;
let signed: Certified;
let client: Certified;

beforeAll(async () => {
  [trusted, robot] = await Promise.all([authority('Trusted'), selfSigned('robot')]);
  [signed, client] = await Promise.all([trusted.certify('127.0.0.1'), trusted.certify('a client')]);
});

describe('a port bounds those who are not in yet', () => {
  test('within TLS, by time', async () => {
    const clock = handClock();
    const { url, log } = await directory('tcps', robot, { clock, timeoutMs: 777 });
    const socket = connectTcp({ host: '127.0.0.1', port: Number(new URL(url).port) });
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await clock.fire(777);
    await closed;
    expect(await log.count(1)).toHaveLength(1);
  });

  test.each(['tcp', 'tcps'])('by number for each address, at a %s port', async (scheme) => {
    const { url, handle } = await directory(scheme, robot, { maxWaitingPerAddress: 2 });
    const open = (): Promise<unknown> =>
      new Promise((resolve) => {
        const socket = connectTcp({ host: '127.0.0.1', port: Number(new URL(url).port) });
        endings.push(async () => socket.destroy());
        socket.on('error', () => {}).once('close', resolve);
      });
    // Two wait; of three one is turned away, and others find no place either.
    await Promise.race([open(), open(), open()]);
    expect((await failureOf(joinBus(url, { tls: { isUnverified: true } }))).message).toBeDefined();
    expect(handle.socketCount).toBe(0);
  });

  test('a port that closes lets go of those who are in the middle of it', async () => {
    const clock = handClock();
    const { url, handle } = await directory('tcps', robot, { clock });
    const port = Number(new URL(url).port);
    const half = connectTcp({ host: '127.0.0.1', port }).on('error', () => {});
    const secure = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }).on('error', () => {});
    const closed = [half, secure].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await new Promise((resolve) => secure.once('secureConnect', resolve));
    await handle.close();
    await Promise.all(closed);
    expect(clock.delays).toEqual([]);
  });

  test('those who are in do not count', async () => {
    const { url, handle } = await directory('tcps', robot, { maxWaitingPerAddress: 1 });
    for (let count = 1; count <= 3; count++) {
      await join(url, { isUnverified: true });
      expect(handle.socketCount).toBe(count);
    }
  });
});

describe('within TLS', () => {
  test('many small messages and large payloads arrive whole, in order', async () => {
    const { url, bus } = await directory('tcps', robot);
    await bus.host('Echo', createEchoService().object);
    const echo = await (await join(url, { isUnverified: true })).service('Echo');
    const numbers = Array.from({ length: 2000 }, (_, index) => index);
    const large = new Uint8Array(8_000_000).map((_, index) => index * 7);
    const [raw, ...answers] = await Promise.all([
      callMethod(echo, 'echoRaw', large),
      ...numbers.map((number) => callMethod(echo, 'echoInt32', number)),
    ]);
    expect(answers).toEqual(numbers);
    expect(Buffer.compare(Buffer.from(raw as Uint8Array), Buffer.from(large))).toBe(0);
  });

  test('who does not read is let go when too much waits', async () => {
    const { url, bus, log } = await directory('tcps', robot, { maxQueuedBytes: 1_000_000 });
    const blob = new Uint8Array(6_000_000);
    await bus.host('Big', createObject({ blob: method('()', 'r', () => blob) }));
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(new URL(url).port),
      rejectUnauthorized: false,
    });
    socket.on('error', () => {});
    endings.push(async () => socket.destroy());
    const call = (
      id: number,
      service: number,
      object: number,
      action: number,
      payload: Uint8Array = new Uint8Array(0),
    ): void => {
      socket.write(encodeMessage({ id, type: MessageType.call, service, object, action }, payload));
    };
    call(2, 0, 0, 8, encodeValue('{sm}', {}));
    const { serviceId } = await bus.serviceInfo('Big');
    for (let id = 3; id < 9; id++) call(id, serviceId, 1, 100);
    expect(await log.count(1)).toEqual([expect.stringContaining('does not read')]);
  });
});

describe('hosts of services', () => {
  const answering = () => createObject({ answer: method('()', 'i', () => 42) });

  test('beside a tcps directory listen as that when they have a certificate, and are verified alike', async () => {
    const { url } = await directory('tcps', signed);
    const host = await join(url, { ca: trusted.ca }, { listenTls: signed });
    await host.host('Answer', answering());
    expect(host.endpoints).toEqual([expect.stringMatching(/^tcps:\/\/127\.0\.0\.1:\d+$/)]);
    expect(await callMethod(await (await join(url, { ca: trusted.ca })).service('Answer'), 'answer')).toBe(42);
    const pinned = await join(url, { fingerprints: [fingerprint(signed)] });
    expect(await callMethod(await pinned.service('Answer'), 'answer')).toBe(42);
  });

  test('that nobody vouches for are refused by name', async () => {
    const { url } = await directory('tcps', signed);
    const host = await join(url, { ca: trusted.ca }, { listenTls: robot });
    await host.host('Answer', answering());
    const error = await failureOf((await join(url, { ca: trusted.ca })).service('Answer'));
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('Answer');
    expect(error.message).toContain(fingerprint(robot));
  });

  test('without a certificate listen as tcp, and mutual ones need one of the client', async () => {
    const { url } = await directory('tcpsm', { ...signed, ca: trusted.ca });
    const own = { ca: trusted.ca, ...client };
    const plain = await join(url, own);
    await plain.host('Plain', answering());
    expect(plain.endpoints).toEqual([expect.stringMatching(/^tcp:/)]);
    const mutual = await join(url, own, { listenTls: { ...signed, ca: trusted.ca } });
    await mutual.host('Mutual', answering());
    expect(mutual.endpoints).toEqual([expect.stringMatching(/^tcpsm:/)]);
    const program = await join(url, own);
    for (const name of ['Plain', 'Mutual']) expect(await callMethod(await program.service(name), 'answer')).toBe(42);
  });
});
