// The owner's memory of requests that do something, for as long as their answer has not arrived. A worker that is stopped in the
// middle is started again by Chromium (156) and given the same request a second time: it must not be made twice.
import type { Clock } from '@qiway/protocol/clock';
import type { DoorResponse } from '@qiway/protocol/http-door/door-types';
import { REQUEST_ID_HEADER, type RequestHead } from './gateway-messages.ts';

/** A stopped worker is started again within milliseconds; an answer that nobody fetched by then is forgotten. */
const KEEP_MS = 10_000;

/** What the door does for a request. */
export interface Call {
  readonly response: Promise<DoorResponse>;
  /** All of the request has arrived: it has been made, or will be. */
  readonly isWhole: () => boolean;
  /** Nobody wants the answer any more. */
  readonly stop: () => void;
}

/** A request that is being made. */
export interface UnderWay extends Call {
  /** Its worker is gone, and somebody else takes the answer: the call goes on. */
  handOver(): Call;
  /** Its worker is gone, and nobody takes the answer. */
  abandon(): void;
}

interface Entry extends UnderWay {
  readonly head: RequestHead;
}

export class RequestsUnderWay {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of an earlier run of the same worker; it is forgotten here. Requests that broke off while they came are ended. */
  takeSame(head: RequestHead): UnderWay | undefined {
    let same: Entry | undefined;
    for (const entry of [...this.#entries]) {
      if (entry.head.scope !== head.scope || entry.head.run === head.run) continue;
      if (!entry.isWhole()) {
        this.#entries.delete(entry);
        entry.abandon();
      } else if (same === undefined && doesSomething(head) && isSame(entry.head, head)) same = entry;
    }
    if (same !== undefined) this.#entries.delete(same);
    return same;
  }

  /** Returns how to forget it: the answer has arrived. */
  add(head: RequestHead, underWay: UnderWay): () => void {
    const entry: Entry = { head, ...underWay };
    this.#entries.add(entry);
    const forget = (): void => void this.#entries.delete(entry);
    void underWay.response.then(() => this.#clock.after(KEEP_MS, forget));
    return forget;
  }
}

function doesSomething({ method }: RequestHead): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

function isSame(one: RequestHead, other: RequestHead): boolean {
  return (
    one.client === other.client &&
    one.method === other.method &&
    one.path === other.path &&
    one.headers[REQUEST_ID_HEADER] === other.headers[REQUEST_ID_HEADER]
  );
}
