// Process: a gateway that does nothing but the handshake of every link, and sends back what it is sent. `--seal`: sealed.
import { accept } from '@qiway/protocol/secure/accept';
import type { Transport, TransportListener } from '@qiway/protocol/session/transport';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type WebSocket, WebSocketServer } from 'ws';
import { ready } from '../probe.ts';
import { newCredentials, nodeCrypto } from './credentials.ts';

const mustSeal = process.argv.includes('--seal');
const credentials = newCredentials();

function transportOf(socket: WebSocket): Transport {
  let listener: TransportListener | undefined;
  socket.on('message', (bytes: Buffer) =>
    listener?.message(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)),
  );
  socket.on('close', () => listener?.close('closed'));
  socket.on('error', () => {});
  return {
    route: 'direct',
    bufferedBytes: 0,
    send: (message, rest = []) => {
      socket.send(Buffer.concat([message, ...rest]));
      return true;
    },
    close: (code, reason) => socket.close(code, reason),
    listen: (next) => {
      listener = next;
    },
  };
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket) => {
  accept(transportOf(socket), {
    ...credentials,
    crypto: nodeCrypto,
    mustSeal,
    clock: systemClock,
    timeoutMs: 5000,
  }).then(
    ({ transport }) =>
      transport.listen({ message: (bytes) => transport.send(bytes), drain: () => {}, close: () => {} }),
    () => socket.terminate(),
  );
});
server.on('listening', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') ready(`ws://127.0.0.1:${address.port}/`);
});
