// Process: a TCP proxy to the port given that carries so many bytes in a second each way (arguments: port, rate). What waits for
// it is in the buffers of the system, as before a slow radio. Says its port where other processes say their URL.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { ready } from '../probe.ts';

const HOST = '127.0.0.1';
/** As much as Ethernet carries in ten packets: others need not wait for more. */
const PIECE_BYTES = 15_000;
/** Longest time that is made up for when this process had to wait for a core. */
const LATE_MS = 5;
const [target = '', rate = ''] = process.argv.slice(2);
const bytesPerMs = Number(rate) / 1000;

/** What comes from one side goes to the other, no faster than the rate. */
function carry(from: Socket, to: Socket): void {
  /** When what was taken last is through. */
  let freeAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const pump = (): void => {
    timer = undefined;
    for (;;) {
      const now = performance.now();
      if (from.readableLength === 0) return;
      if (freeAtMs > now) {
        timer = setTimeout(pump, freeAtMs - now);
        return;
      }
      const bytes = from.read(Math.min(PIECE_BYTES, from.readableLength)) as Buffer;
      freeAtMs = Math.max(freeAtMs, now - LATE_MS) + bytes.length / bytesPerMs;
      to.write(bytes);
    }
  };
  from.setNoDelay(true);
  from.on('readable', () => {
    if (timer === undefined) pump();
  });
  from.on('error', () => {});
  from.on('close', () => {
    clearTimeout(timer);
    to.destroy();
  });
}

const server = createServer((client) => {
  const agent = connect(Number(target), HOST);
  carry(client, agent);
  carry(agent, client);
});
server.listen(0, HOST);
await once(server, 'listening');
ready(String((server.address() as AddressInfo).port));
