// Plain HTTP and TLS at one port: each socket as it wants it, and none that is waited for without end.
import { once } from 'node:events';
import { request } from 'node:http';
import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Certificates, Shown } from '../../robot-agent/tls/certificates.ts';
import { type Authority, authority } from '../qi/tls-certificates.ts';
import { askSecurely, type SecurePort, securePort, shownAt } from './lab.ts';

/** Far more than the other side needs, far less than the test waits. */
const TIMEOUT_MS = 1500;

let trusted: Authority;
let shown: Shown;
let port: SecurePort;
let renew: (shown: Shown) => void;

beforeAll(async () => {
  trusted = await authority('house');
  shown = await trusted.certify('127.0.0.1');
});
beforeEach(async () => {
  const certificates: Certificates = {
    shown,
    authority: trusted.ca,
    onChange: (run) => {
      renew = run;
    },
    follow: async () => {},
    stop: () => {},
  };
  port = await securePort(certificates, TIMEOUT_MS);
});
afterEach(() => port.close());

async function dial(): Promise<Socket> {
  const socket = connect(port.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the server closes. */
async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => {});
  await once(socket, 'close');
  return text;
}

test('a client of http is answered without TLS, one of https with it', async () => {
  const plain = await fetch(`http://127.0.0.1:${port.port}/a`);
  expect(await plain.text()).toBe('plain /a 0\n');
  expect((await askSecurely(`https://127.0.0.1:${port.port}/b`, { ca: trusted.ca })).text).toBe('secure /b 0\n');
});

test('a request that comes byte by byte, and several at once, are whole', async () => {
  const slow = await dial();
  const answer = heard(slow);
  slow.setNoDelay(true);
  for (const byte of 'GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n') {
    slow.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await answer).toContain('plain /slow 0');
  const many = await dial();
  const answers = heard(many);
  many.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  expect((await answers).match(/plain \/\d 0/g)).toEqual(['plain /1 0', 'plain /2 0']);
});

test('a large body arrives whole, with and without TLS', async () => {
  const size = 8 * 1024 * 1024;
  const upload = request({ port: port.port, host: '127.0.0.1', method: 'POST', path: '/up' });
  const response = once(upload, 'response');
  upload.end(Buffer.alloc(size));
  const [answer] = await response;
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  expect(text).toBe(`plain /up ${size}\n`);
  const socket = connectTls({ port: port.port, host: '127.0.0.1', ca: trusted.ca });
  const secure = heard(socket);
  socket.write(`POST /up HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${size}\r\n\r\n`);
  socket.write(Buffer.alloc(size));
  expect(await secure).toContain(`secure /up ${size}`);
});

test('a socket that is in use goes on when the certificate is renewed; the next is shown the new one', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const url = `https://127.0.0.1:${port.port}/`;
  const first = await askSecurely(url, { ca: trusted.ca, agent });
  const before = await shownAt(port.port);
  renew(await trusted.certify('127.0.0.1'));
  const second = await askSecurely(url, { ca: trusted.ca, agent });
  expect([first.status, second.status]).toEqual([200, 200]);
  agent.destroy();
  expect((await shownAt(port.port)).fingerprint256).not.toBe(before.fingerprint256);
});

test.each([
  ['says nothing', ''],
  ['begins TLS and says no more', '\x16\x03\x01\x02\x00\x01\x00'],
  ['speaks neither', '\x16 is no way to begin\r\n\r\n'],
])('a client that %s is let go of', async (_, bytes) => {
  const socket = await dial();
  const began = performance.now();
  const answer = heard(socket);
  if (bytes !== '') socket.write(Buffer.from(bytes, 'latin1'));
  expect(await answer).not.toContain('HTTP/1.1');
  expect(performance.now() - began).toBeLessThan(TIMEOUT_MS * 5);
});

test('who waits when the port closes is not waited for', async () => {
  const socket = await dial();
  const answer = heard(socket);
  // The server has seen it by then.
  await fetch(`http://127.0.0.1:${port.port}/`);
  const began = performance.now();
  await port.close();
  expect(performance.now() - began).toBeLessThan(TIMEOUT_MS);
  expect(await answer).toBe('');
  port = { port: 0, close: async () => {} };
});

test('clients that are older than TLS 1.2 are refused', async () => {
  const socket = connectTls({
    port: port.port,
    host: '127.0.0.1',
    ca: trusted.ca,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  });
  const [error] = await once(socket, 'error');
  expect(String(error)).toMatch(/protocol|version|no ciphers/i);
});
