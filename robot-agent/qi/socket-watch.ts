// Finds sockets that lead nowhere any more, which TCP alone would keep for a quarter of an hour. It knows no messages.
// libqi has TCP_USER_TIMEOUT for it (30 s), which Node cannot set; keep-alive asks only while nothing waits to be confirmed.
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '@qiway/protocol/clock';
import { isLoopback } from '../address.ts';

/** Between two looks, ms. */
const LOOK_MS = 5000;
/** Retransmissions that nobody confirmed. The first comes after 200 ms or more, each waits twice as long: some 20 s. */
const MAX_RETRANSMISSIONS = 7;
/** Looks in a row at which this machine has not the address of a socket: a cable may have been loose for a moment. */
const MAX_LOOKS_WITHOUT_ADDRESS = 2;
/** Where Linux tells them, IPv4 and IPv4 in IPv6 clothes; elsewhere only a lost address is noticed. */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
/** Local and remote end, established (01), retransmitting (01), how often. Addresses are in the machine's byte order. */
const ROW = /: (?:0{16}FFFF0000)?(\w{8}:\w{4}) (?:0{16}FFFF0000)?(\w{8}:\w{4}) 01 \S+ 01:\S+ (\w{8}) /g;

interface Watched {
  /** Told why, once. */
  readonly onLost: (reason: string) => void;
  /** Undefined: no interface has its address; some machines answer for such. */
  looksWithout: number | undefined;
}

export class SocketWatch {
  readonly #clock: Clock;
  readonly #sockets = new Map<Socket, Watched>();
  #stop: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches an open socket until it closes. */
  add(socket: Socket, onLost: (reason: string) => void): void {
    if (isLoopback(plain(socket.remoteAddress))) return;
    const looksWithout = ownAddresses().has(plain(socket.localAddress)) ? 0 : undefined;
    this.#sockets.set(socket, { onLost, looksWithout });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#stop();
    });
    if (this.#sockets.size === 1) this.#wait();
  }

  #wait(): void {
    this.#stop();
    this.#stop = this.#clock.after(
      LOOK_MS,
      () => void this.#look().finally(() => this.#sockets.size > 0 && this.#wait()),
    );
  }

  async #look(): Promise<void> {
    const retransmissions = await readRetransmissions();
    const own = ownAddresses();
    for (const [socket, watched] of [...this.#sockets]) {
      const address = plain(socket.localAddress);
      if (own.has(address)) watched.looksWithout = 0;
      else if (watched.looksWithout !== undefined) watched.looksWithout += 1;
      const ends = `${row(address, socket.localPort)} ${row(plain(socket.remoteAddress), socket.remotePort)}`;
      if ((watched.looksWithout ?? 0) >= MAX_LOOKS_WITHOUT_ADDRESS)
        watched.onLost(`this machine has not the address ${address} any more`);
      else if ((retransmissions.get(ends) ?? 0) >= MAX_RETRANSMISSIONS) watched.onLost('what was sent arrives nowhere');
    }
  }
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []));
}

async function readRetransmissions(): Promise<ReadonlyMap<string, number>> {
  const tables = await Promise.all(TABLES.map((file) => readFile(file, 'latin1').catch(() => '')));
  const rows = tables.flatMap((table) => [...table.matchAll(ROW)]);
  return new Map(rows.map(([, local, remote, count = '']) => [`${local} ${remote}`, Number.parseInt(count, 16)]));
}

/** An end as the table writes it; for a true IPv6 address one that it does not hold. */
function row(address: string, port = 0): string {
  const bytes = address.split('.').reverse();
  return [bytes.map((byte) => hex(Number(byte), 2)).join(''), hex(port, 4)].join(':');
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

/** Without IPv6 clothes and without the interface behind it. */
function plain(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)|%.*$/g, '');
}
