// Pictures one after the other in one answer (multipart/x-mixed-replace, known as MJPEG): asked for as fast as they are read, and no
// faster than agreed. Pure.
import type { Clock } from '../clock.ts';
import { asQiwayError, type ErrorCode } from '../errors.ts';
import type { PictureFile } from './pictures.ts';

export const FRAME_BOUNDARY = 'qiway-frame';
/** What passes: a link that is made again, a bus that comes back. The picture stands meanwhile. */
const PASSING: readonly ErrorCode[] = ['offline', 'link-lost', 'bus-down', 'timeout'];
const RETRY_MS = 500;
/** For so long at a time. */
const MAX_TROUBLE_MS = 60_000;

export interface FrameStreamOptions {
  readonly clock: Clock;
  readonly framesPerSecond: number;
  /** The next picture; undefined when there is no new one. `onAborted`: takes how to stop asking. */
  readonly take: (onAborted: (stop: () => void) => void) => Promise<PictureFile | undefined>;
  /** Nothing is asked for any more. Called once, if the stream is read to its end or returned. */
  readonly ended: () => void;
}

/** Ends when the reader stops, or when pictures fail for good. */
export function frameStream({
  clock,
  framesPerSecond,
  take,
  ended,
}: FrameStreamOptions): AsyncIterableIterator<Uint8Array> {
  const intervalMs = 1000 / framesPerSecond;
  let isOver = false;
  let announced: string | undefined;
  let hasEnded = false;
  let dueAt = clock.now();
  let troubleSince: number | undefined;
  let interrupt = (): void => {};

  const pause = (until: number): Promise<void> =>
    new Promise((resolve) => {
      const stopTimer = clock.after(Math.max(0, until - clock.now()), resolve);
      interrupt = (): void => {
        stopTimer();
        resolve();
      };
    });
  const nextPicture = async (): Promise<PictureFile | undefined> => {
    while (!isOver) {
      await pause(dueAt);
      if (isOver) break;
      dueAt = clock.now() + intervalMs;
      try {
        const picture = await take((stop) => {
          interrupt = stop;
        });
        troubleSince = undefined;
        if (picture !== undefined) return picture;
      } catch (thrown) {
        troubleSince ??= clock.now();
        if (!PASSING.includes(asQiwayError(thrown).code) || clock.now() - troubleSince > MAX_TROUBLE_MS) break;
        dueAt = clock.now() + RETRY_MS;
      }
    }
    return undefined;
  };
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const picture = isOver ? undefined : await nextPicture();
    if (picture !== undefined && !isOver) {
      const value = frame(picture, announced);
      announced = picture.type;
      return { done: false, value };
    }
    return finish();
  };
  const finish = (): IteratorResult<Uint8Array> => {
    if (!hasEnded) ended();
    hasEnded = true;
    isOver = true;
    interrupt();
    return { done: true, value: undefined };
  };
  return {
    next,
    return: async () => finish(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/**
 * With the head of what comes next: Chromium (156) shows a picture when it has seen that, and the next picture may be long in
 * coming. So parts have no length, and the next is said to be of the same type; when it is not, an empty part is between.
 */
function frame({ type, bytes }: PictureFile, announced: string | undefined): Uint8Array {
  const encoder = new TextEncoder();
  const beginning = `--${FRAME_BOUNDARY}\r\ncontent-type: ${type}\r\n\r\n`;
  const head = encoder.encode(announced === type ? '' : announced === undefined ? beginning : `\r\n${beginning}`);
  const tail = encoder.encode(`\r\n${beginning}`);
  const whole = new Uint8Array(head.length + bytes.length + tail.length);
  whole.set(head);
  whole.set(bytes, head.length);
  whole.set(tail, head.length + bytes.length);
  return whole;
}
