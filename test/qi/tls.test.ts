// Qi sockets within TLS: who is believed, who is let in, and what each is told when it is not.
import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, createServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { encodeMessage, MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import type { TlsServerOptions } from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf } from '../contract/calls.ts';
import { createEchoService } from '../support/echo-service.ts';
import { type Authority, authority, type Certified, selfSigned } from './tls-certificates.ts';
import { directory, endAll, endings, fingerprint, join, refused } from './tls-directory.ts';

afterEach(endAll);

let trusted: Authority;
let other: Authority;
let robot: Certified;
let signed: Certified;
let client: Certified;

beforeAll(async () => {
  [trusted, other, robot] = await Promise.all([authority('Trusted'), authority('Other'), selfSigned('robot')]);
  [signed, client] = await Promise.all([trusted.certify('127.0.0.1'), trusted.certify('a client')]);
});

describe('a tcps directory', () => {
  test('is believed by its pinned fingerprint, however that is written', async () => {
    const { url, bus, handle } = await directory('tcps', robot);
    await bus.host('Echo', createEchoService().object);
    expect(url).toMatch(/^tcps:\/\/127\.0\.0\.1:\d+$/);
    expect(handle.endpoints).toEqual([url]);
    const pin = fingerprint(robot);
    const ways = [pin, pin.toUpperCase(), new X509Certificate(robot.cert).fingerprint256];
    for (const written of ways) {
      const joined = await join(url, { fingerprints: [fingerprint(client), written] });
      expect(await callMethod(await joined.service('Echo'), 'echoInt32', 7)).toBe(7);
      expect((await joined.serviceInfo('Echo')).endpoints).toContain(url);
    }
  });

  test('is believed for its authority and its name', async () => {
    const { url } = await directory('tcps', signed);
    expect(await (await join(url, { ca: trusted.ca })).services()).toHaveLength(1);
  });

  test('is believed unverified only by those who say so', async () => {
    const { url } = await directory('tcps', robot);
    expect(await (await join(url, { isUnverified: true })).services()).toHaveLength(1);
  });

  test('that nobody vouches for is refused with its fingerprint and what to do', async () => {
    const { url, log } = await directory('tcps', robot);
    const error = await refused(url);
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('nobody vouches for');
    expect(error.message).toContain(fingerprint(robot));
    expect(error.message).toContain('pin this fingerprint');
    expect(await log.count(1)).toEqual([expect.stringMatching(/closed|went away/)]);
  });

  test('of another authority is refused', async () => {
    const { url } = await directory('tcps', signed);
    const error = await refused(url, { ca: other.ca });
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain(fingerprint(signed));
  });

  test('made for another name is refused with both names', async () => {
    const pepper = await trusted.certify('pepper.local');
    const error = await refused((await directory('tcps', pepper)).url, { ca: trusted.ca });
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('pepper.local');
    expect(error.message).toContain('127.0.0.1');
  });

  test('with another certificate than the pinned is refused, naming both, also when an authority vouches for it', async () => {
    const { url } = await directory('tcps', signed);
    const error = await refused(url, { ca: trusted.ca, fingerprints: [fingerprint(robot)] });
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain(fingerprint(robot));
    expect(error.message).toContain(fingerprint(signed));
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('serves a client that speaks %s only', async (version) => {
    const { url } = await directory('tcps', robot);
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(new URL(url).port),
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
    });
    endings.push(async () => socket.destroy());
    const answers = new Collected<number>();
    const framer = new MessageFramer({ onMessage: ({ type }) => answers.add(type) });
    socket.on('data', (chunk) => framer.push(new Uint8Array(chunk)));
    const address = { id: 2, type: MessageType.call, service: 0, object: 0, action: 8 };
    socket.write(encodeMessage(address, encodeValue('{sm}', {})));
    expect(await answers.count(1)).toEqual([MessageType.reply]);
    expect(socket.getProtocol()).toBe(version);
  });

  test.each([
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'DHE-RSA-AES128-GCM-SHA256',
    'DHE-RSA-AES256-GCM-SHA384',
  ])('agrees on the cipher %s, which libqi offers', async (ciphers) => {
    const { url } = await directory('tcps', await selfSigned('robot', { isRsa: true }));
    const port = Number(new URL(url).port);
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2', ciphers });
    endings.push(async () => socket.destroy());
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.getCipher().name).toBe(ciphers);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('that speaks %s only is joined', async (version) => {
    const { url } = await directory('tcp');
    expect(await (await join(await wrapped(url, version), { isUnverified: true })).services()).toHaveLength(1);
  });

  test('that speaks too old a version is refused in words', async () => {
    const { url } = await directory('tcps', robot);
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(new URL(url).port),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });
    const error = await new Promise<Error & { code?: string }>((resolve) => socket.once('error', resolve));
    expect(error.code).toContain('PROTOCOL_VERSION');
  });
});

/** TLS of one version before a plain port. */
async function wrapped(url: string, version: SecureVersion): Promise<string> {
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer({ ...robot, minVersion: version, maxVersion: version }, (outside) => {
    const inside = connectTcp({ host: '127.0.0.1', port: Number(new URL(url).port) });
    sockets.add(outside);
    outside.on('error', () => inside.destroy()).on('close', () => inside.destroy());
    inside.on('error', () => outside.destroy());
    outside.pipe(inside).pipe(outside);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `tcps://127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe('a tcpsm directory', () => {
  const mutual = (): TlsServerOptions => ({ ...signed, ca: trusted.ca });

  test('lets in who shows a certificate of its authority', async () => {
    const { url, bus } = await directory('tcpsm', mutual());
    await bus.host('Echo', createEchoService().object);
    const joined = await join(url, { ca: trusted.ca, ...client });
    expect(await callMethod(await joined.service('Echo'), 'echoInt32', 7)).toBe(7);
  });

  test('refuses a certificate of another authority, and says so', async () => {
    const { url, log } = await directory('tcpsm', mutual());
    const stranger = await other.certify('a stranger');
    const error = await refused(url, { ca: trusted.ca, ...stranger });
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('certificate of the client is not accepted');
    expect(await log.count(1)).toEqual([expect.stringContaining('not accepted')]);
  });

  test('refuses a client of tcps that shows none, and says what the port is', async () => {
    const { url, log } = await directory('tcpsm', mutual());
    const error = await refused(url.replace('tcpsm:', 'tcps:'), { ca: trusted.ca });
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('this port is tcpsm and wants a certificate');
    expect(await log.count(1)).toEqual([expect.stringContaining('none was shown')]);
  });

  test('refuses a certificate that expired', async () => {
    const { url } = await directory('tcpsm', mutual());
    // This side would not let its own program start with one; another program may.
    const expired = await trusted.certify('a client', { notBefore: new Date(0), notAfter: new Date(1000) });
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(new URL(url).port),
      rejectUnauthorized: false,
      ...expired,
    });
    const answers = new Collected<number>();
    const framer = new MessageFramer({ onMessage: ({ type }) => answers.add(type) });
    socket.on('data', (chunk) => framer.push(new Uint8Array(chunk))).on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const address = { id: 2, type: MessageType.call, service: 0, object: 0, action: 8 };
    socket.write(encodeMessage(address, encodeValue('{sm}', {})));
    expect(await answers.count(1)).toEqual([MessageType.error]);
    await closed;
  });

  test('is itself verified by its clients', async () => {
    const { url } = await directory('tcpsm', { ...robot, ca: trusted.ca });
    expect((await refused(url, { ca: trusted.ca, ...client })).message).toContain(fingerprint(robot));
  });
});

describe('each scheme refuses clients of the others', () => {
  test('a tcp client at a tcps port', async () => {
    const { url, log } = await directory('tcps', robot);
    const error = await refused(url.replace('tcps:', 'tcp:'));
    expect(error.code).toBe('protocol-mismatch');
    expect(error.message).toContain('tcps://');
    expect(await log.count(1)).toEqual([expect.stringContaining('speaks no TLS')]);
  });

  test('a tcps client at a tcp port', async () => {
    const { url, log } = await directory('tcp');
    const error = await refused(url.replace('tcp:', 'tcps:'), { isUnverified: true });
    expect(error.code).toBe('protocol-mismatch');
    expect(error.message).toContain('use a tcp:// URL');
    expect(await log.count(1)).toEqual([expect.stringContaining('speaks TLS')]);
  });

  test('a tcps client at a port that answers something else', async () => {
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endings.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as { port: number };
    const error = await refused(`tcps://127.0.0.1:${port}`);
    expect(error.code).toBe('protocol-mismatch');
    expect(error.message).toContain('answers without TLS');
  });

  test('a tcps client at a port that never answers: in time', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endings.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as { port: number };
    const error = await failureOf(join(`tcps://127.0.0.1:${port}`, undefined, { timeoutMs: 100 }));
    expect(error.code).toBe('protocol-mismatch');
    expect(error.message).toContain('no answer within 100 ms');
  });

  test('where nothing listens it is a bus that is not there, as with tcp', async () => {
    const { url, handle } = await directory('tcps', robot);
    await handle.close();
    expect((await refused(url)).code).toBe('bus-down');
  });
});
