// Keeps one thread that advertises the agent by mDNS, and replaces it when what is to be advertised changed or when the name
// belongs to somebody else. Knows no addresses: it is told what to advertise.
import { Worker } from 'node:worker_threads';
import type { Clock } from '@qiway/protocol/clock';
import type { Logger } from '../logger.ts';
import type { Advertised, AdvertiserNews } from './advertised.ts';

export interface AdvertiserOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The name, without `.local`, is ours. */
  readonly onHost?: (host: string) => void;
  /** Starts the thread. Default: mdns-worker.ts. */
  readonly startThread?: (advertised: Advertised) => AdvertiserThread;
}

/** The part of a worker thread that is used here. */
export interface AdvertiserThread {
  on(event: 'message', run: (news: AdvertiserNews) => void): unknown;
  on(event: 'error', run: (error: unknown) => void): unknown;
  once(event: 'exit', run: () => void): unknown;
  postMessage(message: 'end'): void;
  terminate(): unknown;
}

/** For the goodbye; the library sends it at once. */
const END_MS = 1000;
/** After so many names that others have, the network is not to be trusted. */
const MAX_NAMES = 20;

export class Advertiser {
  readonly #options: AdvertiserOptions;
  #wanted: Advertised | undefined;
  #running: AdvertiserThread | undefined;
  /** Beginnings and endings, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #number = 1;
  #host: string | undefined;

  constructor(options: AdvertiserOptions) {
    this.#options = options;
  }

  /** The name, without `.local`, once it is ours. */
  get host(): string | undefined {
    return this.#host;
  }

  /** From now on this, under the name given or that with a number; undefined: nothing. Resolves once the old one said goodbye. */
  advertise(wanted: Advertised | undefined): Promise<void> {
    if (wanted?.name !== this.#wanted?.name) this.#number = 1;
    this.#wanted = wanted;
    return this.#begin();
  }

  #begin(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const old = this.#running;
      this.#running = undefined;
      this.#host = undefined;
      if (old !== undefined) await this.#ended(old);
      if (this.#wanted !== undefined) this.#start(this.#wanted);
    });
    return this.#turn;
  }

  #start(wanted: Advertised): void {
    const { logger, startThread = startWorker(logger) } = this.#options;
    const name = this.#number === 1 ? wanted.name : `${wanted.name}-${this.#number}`;
    const fail = (reason: string): void =>
      logger.warn('the agent is not announced on the local network', { name, reason });
    let thread: AdvertiserThread;
    try {
      thread = startThread({ ...wanted, name });
    } catch (error) {
      return fail(String(error));
    }
    this.#running = thread;
    thread.on('error', (error) => {
      if (this.#running !== thread) return;
      this.#running = undefined;
      fail(String(error));
    });
    thread.on('message', (news) => {
      if (this.#running !== thread) return;
      if (news.kind === 'failed') return fail(news.reason);
      if (news.kind === 'announced') {
        this.#host = name;
        this.#options.onHost?.(name);
        return logger.info('the agent is announced on the local network', { name: `${name}.local` });
      }
      if (this.#number >= MAX_NAMES) return fail('every name that was tried is taken');
      this.#number += 1;
      logger.warn('another machine has the name of this agent; trying the next', { name: `${name}.local` });
      void this.#begin();
    });
  }

  #ended(thread: AdvertiserThread): Promise<void> {
    return new Promise((resolve) => {
      const stopTimer = this.#options.clock.after(END_MS, () => {
        thread.terminate();
        resolve();
      });
      thread.once('exit', () => {
        stopTimer();
        resolve();
      });
      thread.postMessage('end');
    });
  }
}

/** In the source the thread lies beside this file; built, all programs lie below one folder. */
const THREAD_FILE = import.meta.url.endsWith('.ts') ? './mdns-worker.ts' : './addresses/mdns-worker.js';

function startWorker(logger: Logger): (advertised: Advertised) => AdvertiserThread {
  return (advertised) => {
    const worker = new Worker(new URL(THREAD_FILE, import.meta.url), {
      workerData: advertised,
      stdout: true,
      stderr: true,
    });
    // The library speaks only of trouble.
    for (const stream of [worker.stdout, worker.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => logger.debug('mDNS', { text: text.trim() }));
    worker.unref();
    return worker;
  };
}
