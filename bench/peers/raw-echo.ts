// Process: the echo service of the plain peers, over TCP. `--batched`: all frames of a turn in one write.
import { createServer, type Socket } from 'node:net';
import { ready } from '../probe.ts';
import { bytesOf } from './echo-work.ts';
import {
  EVERYBODY,
  FRAME_BYTES,
  frameReader,
  frameWriter,
  makeFrame,
  Operation,
  readNumber,
  writeNumber,
} from './frame.ts';

const batched = process.argv.includes('--batched');

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  const write = frameWriter(batched, (message) => socket.write(message));
  const answer = (call: Uint8Array, frame: Uint8Array): void => {
    writeNumber(frame, 4, readNumber(call, 4));
    write(frame);
  };
  const read = frameReader((frame) => {
    const id = readNumber(frame, 8);
    const operation = readNumber(frame, 12);
    if (operation === Operation.echo) {
      write(frame);
    } else if (operation === Operation.down) {
      const body = bytesOf(readNumber(frame, FRAME_BYTES));
      const reply = makeFrame(id, operation, body.length);
      reply.set(body, FRAME_BYTES);
      answer(frame, reply);
    } else if (operation === Operation.up || operation === Operation.subscribe) {
      const reply = makeFrame(id, operation, 4);
      writeNumber(reply, FRAME_BYTES, frame.length - FRAME_BYTES);
      answer(frame, reply);
    } else if (operation === Operation.emit) {
      const count = readNumber(frame, FRAME_BYTES);
      for (let number = 0; number < count; number += 1) {
        const event = makeFrame(0, Operation.event, 4);
        writeNumber(event, 4, EVERYBODY);
        writeNumber(event, FRAME_BYTES, number);
        write(event);
      }
      answer(frame, makeFrame(id, operation, 0));
    }
  });
  socket.on('data', read);
  socket.on('error', () => socket.destroy());
}

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') ready(`${address.address}:${address.port}`);
});
