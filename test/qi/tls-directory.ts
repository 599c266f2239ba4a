// A directory within TLS, and programs that join it: what the tests of TLS share.
import { X509Certificate } from 'node:crypto';
import {
  type BusListenerHandle,
  EmbeddedBus,
  type JoinBusOptions,
  type JoinedBus,
  joinBus,
  type ListenBusOptions,
  listenBus,
  type QiwayError,
  type TlsClientOptions,
  type TlsServerOptions,
} from '../../robot-agent/qi/index.ts';
import { Collected, failureOf } from '../contract/calls.ts';
import type { Certified } from './tls-certificates.ts';

/** Run after each test, last first, by `endAll`. */
export const endings: (() => Promise<unknown>)[] = [];

export async function endAll(): Promise<void> {
  for (const end of endings.splice(0).reverse()) await end();
}

export const fingerprint = ({ cert }: Certified): string =>
  `sha256:${new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase()}`;

export interface Directory {
  readonly bus: EmbeddedBus;
  readonly handle: BusListenerHandle;
  readonly url: string;
  readonly log: Collected<string>;
}

export async function directory(
  scheme: string,
  tls?: TlsServerOptions,
  options: ListenBusOptions = {},
): Promise<Directory> {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const log = new Collected<string>();
  const silent = (): void => {};
  const handle = await listenBus(bus, `${scheme}://127.0.0.1:0`, {
    ...options,
    ...(tls === undefined ? {} : { tls }),
    logger: { debug: silent, info: silent, error: silent, warn: (_, line) => log.add(String(line?.['reason'])) },
  });
  endings.push(
    () => bus.close(),
    () => handle.close(),
  );
  return { bus, handle, url: handle.url, log };
}

export async function join(url: string, tls?: TlsClientOptions, options: JoinBusOptions = {}): Promise<JoinedBus> {
  const bus = await joinBus(url, { ...options, ...(tls === undefined ? {} : { tls }) });
  endings.push(() => bus.close());
  return bus;
}

/** Why a program cannot join. */
export const refused = (url: string, tls?: TlsClientOptions): Promise<QiwayError> => failureOf(join(url, tls));
