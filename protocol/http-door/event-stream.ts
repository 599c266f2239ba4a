// Server-sent events (HTML standard, section 9.2) from an event log. Pure.
// Ids are `epoch-number`: a reader that comes back with one gets what it missed, or an event `gap` that says how many are lost.
import type { Clock } from '../clock.ts';
import type { LogEntry } from './event-log.ts';
import type { LogHold } from './event-logs.ts';
import { problemRecord } from './responses.ts';

/** A comment this often keeps proxies from closing a silent stream, and finds out that nobody reads. */
export const HEARTBEAT_MS = 15_000;
/** What a browser is told to wait before it comes back. */
const RETRY_MS = 2000;
/** Events joined into one chunk, at most, characters. */
const CHUNK_CHARACTERS = 65_536;

export interface EventStreamOptions {
  readonly clock: Clock;
  readonly hold: LogHold;
  readonly lastEventId: string | undefined;
}

/** Ends when the object is gone, or when the reader stops. The hold is released then. */
export function eventStream(options: EventStreamOptions): AsyncIterableIterator<Uint8Array> {
  const { clock, hold, lastEventId } = options;
  const { log } = hold;
  const encoder = new TextEncoder();
  const start = resume(log, lastEventId);
  let position = start.position;
  let pending = `retry: ${RETRY_MS}\n: ${start.greeting}\n\n${start.events}`;
  let isOver = false;
  let wake = (): void => {};

  const take = (): string => {
    let text = pending;
    pending = '';
    while (!isOver && text.length < CHUNK_CHARACTERS) {
      const entry = log.after(position);
      if (entry === undefined) break;
      text += eventText(log.epoch, entry);
      if (entry.kind === 'gone') isOver = true;
      else position = entry.kind === 'gap' ? entry.next - 1 : entry.number;
    }
    return text;
  };
  const finish = (): IteratorResult<Uint8Array> => {
    isOver = true;
    hold.release();
    wake();
    return { done: true, value: undefined };
  };
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    let text = isOver ? '' : take();
    if (text === '' && !isOver) {
      const isBeat = await new Promise<boolean>((resolve) => {
        const stopWatching = log.watch(() => wake());
        const stopTimer = clock.after(HEARTBEAT_MS, () => settle(true));
        const settle = (beat: boolean): void => {
          stopWatching();
          stopTimer();
          wake = (): void => {};
          resolve(beat);
        };
        wake = () => settle(false);
      });
      text = isBeat ? ': still here\n\n' : isOver ? '' : take();
    }
    return text === '' ? finish() : { done: false, value: encoder.encode(text) };
  };
  return {
    next,
    return: async () => finish(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function resume(
  log: LogHold['log'],
  lastEventId: string | undefined,
): { position: number; greeting: string; events: string } {
  if (lastEventId === undefined || lastEventId === '') return { position: log.newest, greeting: 'live', events: '' };
  const match = /^(.+)-(\d{1,15})$/.exec(lastEventId);
  const number = Number(match?.[2]);
  if (match?.[1] === log.epoch && number <= log.newest) return { position: number, greeting: 'resumed', events: '' };
  return { position: log.newest, greeting: 'not resumed', events: gapText(log.epoch, log.newest, null) };
}

function eventText(epoch: string, entry: LogEntry & object): string {
  if (entry.kind === 'gap') return gapText(epoch, entry.next - 1, entry.missed);
  if (entry.kind === 'gone') return `event: gone\ndata: ${JSON.stringify(problemRecord(entry.error))}\n\n`;
  return `id: ${epoch}-${entry.number}\ndata: ${entry.text}\n\n`;
}

/** @param missed null when it is not known. The id is that of the last one missed, so that it is told once. */
function gapText(epoch: string, number: number, missed: number | null): string {
  return `id: ${epoch}-${number}\nevent: gap\ndata: ${JSON.stringify({ missed })}\n\n`;
}
