// A TCP proxy that cuts what goes through it, at moments that a seed decides: in the middle of a frame, of a handshake, or
// in peace. Support of the tests.
import { connect, createServer, type Socket } from 'node:net';
import { Chance } from '../simulation/chance.ts';

export interface CuttingProxy {
  readonly port: number;
  readonly cuts: number;
  /** No more cuts; what is there stays. */
  calm(): void;
  /** Every connection breaks now. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Of cuts this part comes early, in WebSocket's and our handshake. */
const EARLY = 0.25;
const EARLY_MS = 15;
const LEAST_MS = 30;
const MOST_MS = 160;

/** @param port where what comes goes to, on this computer */
export function startCuttingProxy(port: number, seed: number): Promise<CuttingProxy> {
  const chance = new Chance(seed);
  const open = new Set<() => void>();
  let isCalm = false;
  let cuts = 0;
  const server = createServer((client) => {
    const agent = connect(port, '127.0.0.1');
    const end = (): void => {
      clearTimeout(timer);
      open.delete(end);
      client.destroy();
      agent.destroy();
    };
    let isCutting = false;
    const cut = (): void => {
      if (isCalm || !open.has(end)) return;
      cuts += 1;
      isCutting = true;
      // The rest is cut out of the next data, or nothing comes any more.
      timer = setTimeout(end, chance.happens(0.5) ? 0 : 20);
    };
    const lifeMs = chance.happens(EARLY) ? chance.between(0, EARLY_MS) : chance.between(LEAST_MS, MOST_MS);
    let timer = setTimeout(cut, lifeMs);
    open.add(end);
    const pass = (from: Socket, to: Socket): void => {
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        if (!isCutting) {
          if (!to.write(bytes)) {
            from.pause();
            to.once('drain', () => from.resume());
          }
          return;
        }
        // A part of it arrives, whatever is in it.
        to.write(bytes.subarray(0, chance.below(bytes.length)), end);
        from.removeAllListeners('data');
      });
      from.on('error', end);
      from.on('close', end);
    };
    pass(client, agent);
    pass(agent, client);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('The proxy has no port.'));
      resolve({
        port: address.port,
        get cuts() {
          return cuts;
        },
        calm: () => {
          isCalm = true;
        },
        cutAll: () => {
          for (const end of [...open]) end();
        },
        close: () => {
          for (const end of [...open]) end();
          return new Promise((closed) => server.close(() => closed()));
        },
      });
    });
  });
}
