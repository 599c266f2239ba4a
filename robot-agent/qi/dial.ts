// Opens sockets: one, or the first of several. It knows no messages.
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { formatEndpoint, type QiAddress, type Scheme } from './endpoints.ts';
import type { TlsClient } from './tls-client.ts';
import { tlsFailure } from './tls-errors.ts';

export interface DialOptions {
  readonly clock: Clock;
  /** For the socket, and for TLS on it. */
  readonly timeoutMs: number;
  readonly tls: TlsClient;
}

/** A socket that is open, and with tcps and tcpsm secure and believed. */
export interface Dialled {
  readonly socket: Socket;
  readonly scheme: Scheme;
}

/** A socket being opened. */
export interface Dialling {
  readonly opened: Promise<Dialled>;
  /** Gives up; `opened` rejects. No effect once it is open. */
  stop(): void;
}

/**
 * @throws as a rejection of `opened`: `dial-failed` with what the system says, `protocol-mismatch` when the other side
 * speaks no TLS, `unauthorized` when one side does not believe the other's certificate
 */
export function dial(address: QiAddress, { clock, timeoutMs, tls }: DialOptions): Dialling {
  let stop = (): void => {};
  const opened = new Promise<Dialled>((resolve, reject) => {
    const url = formatEndpoint(address);
    const isTls = address.scheme !== 'tcp';
    const socket = isTls
      ? connectTls(tls.connectOptions(address))
      : connect({ host: address.host, port: address.port, noDelay: true });
    let isConnected = false;
    const refuse = (error: QiwayError): void => {
      stopTimer();
      socket.destroy();
      reject(error);
    };
    const fail = (reason: string, cause?: unknown): void =>
      refuse(new QiwayError('dial-failed', `Nothing answers at ${url}: ${reason}.`, { data: { url, reason }, cause }));
    const stopTimer = clock.after(timeoutMs, () =>
      isConnected ? refuse(noTls(url, `no answer within ${timeoutMs} ms`)) : fail(`no answer within ${timeoutMs} ms`),
    );
    const failed = (error: Error): void => {
      if (!isConnected) return fail(wordsOf(error), error);
      const failure = tlsFailure(error);
      refuse(failure === undefined ? noTls(url, error.message, error) : at(url, failure));
    };
    // Stays: an error of a socket that is not wanted any more is nobody's.
    socket.on('error', failed);
    socket.once('connect', () => {
      isConnected = true;
    });
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      const refusal = isTls ? tls.judge(socket as TLSSocket, address) : undefined;
      if (refusal !== undefined) return refuse(refusal);
      stopTimer();
      stop = () => {};
      resolve({ socket, scheme: address.scheme });
    });
    stop = () => fail('given up');
  });
  opened.catch(() => {});
  return { opened, stop: () => stop() };
}

/**
 * Dials all at once; the first to open wins, the others are closed.
 * @throws `endpoint-unreachable` when none opens; `unauthorized`, `protocol-mismatch` when that is why
 */
export async function dialFirst(addresses: readonly QiAddress[], options: DialOptions): Promise<Dialled> {
  const all = addresses.map((address) => dial(address, options));
  let winner: Dialled;
  try {
    winner = await Promise.any(all.map(({ opened }) => opened));
  } catch (error) {
    const failures = (error as AggregateError).errors.map((each) => asQiwayError(each));
    throw noneOf(failures, addresses.map(formatEndpoint), error);
  }
  for (const { opened, stop } of all) {
    stop();
    opened.then(
      (other) => other !== winner && other.socket.destroy(),
      () => {},
    );
  }
  return winner;
}

/** Somebody answered and was not believed: that is more to be known than that others did not answer. */
function noneOf(failures: readonly QiwayError[], endpoints: readonly string[], cause: unknown): QiwayError {
  const sentence = `No endpoint replied: ${failures.map(({ message }) => message).join(' ')}`;
  const told = failures.find(({ code }) => code === 'unauthorized');
  if (told !== undefined) return new QiwayError('unauthorized', sentence, { cause });
  return new QiwayError('endpoint-unreachable', sentence, { data: { endpoints }, cause });
}

/** What the system says, in words. */
function wordsOf(error: Error & { readonly code?: string }): string {
  const said = error.message === '' ? error.name : error.message;
  const meaning: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the computer is there, and nobody listens at that port',
    ENOTFOUND: 'the network knows no computer of that name',
    EAI_AGAIN: 'names cannot be looked up at the moment',
    EHOSTUNREACH: 'that computer is off or in another network',
    ENETUNREACH: 'this machine has no way to that network',
  };
  const words = meaning[error.code ?? ''];
  return words === undefined ? said : `${words} (${said})`;
}

function noTls(url: string, reason: string, cause?: unknown): QiwayError {
  return new QiwayError(
    'protocol-mismatch',
    `There is no TLS to be had at ${url} (${reason}): if a qi program is there, it may speak plain tcp; then use a tcp:// URL.`,
    { data: { reason }, cause },
  );
}

function at(url: string, error: QiwayError): QiwayError {
  return new QiwayError(error.code, `${url}: ${sentenceOf(error)}`, { data: error.data, cause: error.cause });
}
