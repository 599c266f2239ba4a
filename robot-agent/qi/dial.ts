// Opens sockets: one, or the first of several. It knows no messages.
import { connect, type Socket } from 'node:net';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import { formatEndpoint, type TcpAddress } from './endpoints.ts';

export interface DialOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** A socket being opened. */
export interface Dialling {
  readonly socket: Promise<Socket>;
  /** Gives up; `socket` rejects. No effect once it is open. */
  stop(): void;
}

/** @throws `dial-failed` as a rejection of `socket`, with what the system says */
export function dial(address: TcpAddress, { clock, timeoutMs }: DialOptions): Dialling {
  let stop = (): void => {};
  const opened = new Promise<Socket>((resolve, reject) => {
    const url = formatEndpoint(address);
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const fail = (reason: string, cause?: unknown): void => {
      stopTimer();
      socket.destroy();
      reject(new QiwayError('dial-failed', `Nothing answers at ${url}: ${reason}.`, { data: { url, reason }, cause }));
    };
    const stopTimer = clock.after(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`));
    const failed = (error: Error): void => fail(error.message === '' ? error.name : error.message, error);
    socket.once('error', failed);
    socket.once('connect', () => {
      stopTimer();
      socket.off('error', failed);
      stop = () => {};
      resolve(socket);
    });
    stop = () => fail('given up');
  });
  opened.catch(() => {});
  return { socket: opened, stop: () => stop() };
}

/** Dials all at once; the first to open wins, the others are closed. @throws `endpoint-unreachable` when none opens */
export async function dialFirst(addresses: readonly TcpAddress[], options: DialOptions): Promise<Socket> {
  const all = addresses.map((address) => dial(address, options));
  let winner: Socket;
  try {
    winner = await Promise.any(all.map(({ socket }) => socket));
  } catch (error) {
    const reasons = (error as AggregateError).errors.map((each) => asQiwayError(each).message);
    throw new QiwayError('endpoint-unreachable', `No endpoint replied: ${reasons.join(' ')}`, {
      data: { endpoints: addresses.map(formatEndpoint) },
      cause: error,
    });
  }
  for (const { socket, stop } of all) {
    stop();
    socket.then(
      (opened) => opened !== winner && opened.destroy(),
      () => {},
    );
  }
  return winner;
}
