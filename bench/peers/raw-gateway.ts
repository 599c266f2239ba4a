// Process: the naive gateway. WebSocket on one side, one TCP link to the echo process (first argument, host:port) on the
// other; frames pass with only the client number written. `--batched`: all frames of a turn in one message or write.
import { connect } from 'node:net';
import { WebSocketServer } from 'ws';
import { ready } from '../probe.ts';
import { EVERYBODY, frameReader, frameWriter, Operation, readNumber, writeNumber } from './frame.ts';

interface Client {
  readonly send: (message: Uint8Array) => void;
  readonly write: (frame: Uint8Array) => void;
}

const batched = process.argv.includes('--batched');
const [host = '', port = ''] = (process.argv[2] ?? '').split(':');
const clients = new Map<number, Client>();
const subscribers = new Map<number, Client>();
let lastClient = 0;

const socket = connect(Number(port), host);
socket.setNoDelay(true);
const writeToService = frameWriter(batched, (message) => socket.write(message));
const writeToSubscribers = frameWriter(batched, (message) => {
  for (const subscriber of subscribers.values()) subscriber.send(message);
});
socket.on(
  'data',
  frameReader((frame) => {
    const number = readNumber(frame, 4);
    if (number === EVERYBODY) writeToSubscribers(frame);
    else clients.get(number)?.write(frame);
  }),
);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 64 * 1024 * 1024 });
server.on('connection', (webSocket) => {
  lastClient += 1;
  const number = lastClient;
  const send = (message: Uint8Array): void => webSocket.send(message);
  const client: Client = { send, write: frameWriter(batched, send) };
  clients.set(number, client);
  const read = frameReader((frame) => {
    writeNumber(frame, 4, number);
    if (readNumber(frame, 12) === Operation.subscribe) subscribers.set(number, client);
    writeToService(frame);
  });
  webSocket.on('message', (message) => {
    if (message instanceof Buffer) read(message);
  });
  webSocket.on('close', () => {
    clients.delete(number);
    subscribers.delete(number);
  });
});
server.on('listening', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') ready(`ws://127.0.0.1:${address.port}/`);
});
