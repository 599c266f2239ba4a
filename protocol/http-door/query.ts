// What the query of a URL says, for what an <img>, an EventSource or a link cannot say in headers or a body. Pure.
import { QiwayError } from '../errors.ts';
import { EVENT_STREAM, FRAMES, JSON_TYPE, OCTETS } from './accept.ts';

export interface Query {
  /** Of `args`: the arguments of a call, a JSON array. */
  readonly args: readonly unknown[];
  /** Of `as`: the media type wanted, in place of the header Accept. */
  readonly as: string | undefined;
  /** Of `fps`: pictures a second, at most. */
  readonly framesPerSecond: number | undefined;
  /** Of `lastEventId`: for an EventSource that is made anew, which cannot send the header. */
  readonly lastEventId: string | undefined;
}

/** Short words for `as`. */
const FORMS: Readonly<Record<string, string>> = {
  json: JSON_TYPE,
  bytes: OCTETS,
  events: EVENT_STREAM,
  png: 'image/png',
  image: 'image/*',
  mjpeg: FRAMES,
};
const MAX_FRAMES_PER_SECOND = 30;

/** @param path path and query, as they came. @throws `invalid-argument`; names that are not known are left to others */
export function readQuery(path: string): Query {
  const at = path.indexOf('?');
  const values = new Map<string, string>();
  for (const pair of at < 0 ? [] : path.slice(at + 1).split('&')) {
    const [name = '', ...rest] = pair.split('=');
    values.set(decode(name), decode(rest.join('=')));
  }
  const as = values.get('as');
  return {
    args: readArguments(values.get('args')),
    as: as === undefined ? undefined : (FORMS[as] ?? as),
    framesPerSecond: readRate(values.get('fps')),
    lastEventId: values.get('lastEventId'),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new QiwayError('invalid-argument', 'The query is not percent-encoded UTF-8.', { cause });
  }
}

function readArguments(text: string | undefined): readonly unknown[] {
  if (text === undefined || text === '') return [];
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch {
    args = undefined;
  }
  if (Array.isArray(args)) return args;
  throw new QiwayError('invalid-argument', '?args= must be a JSON array of the arguments, percent-encoded.', {
    data: { expected: 'array', path: 'args' },
  });
}

function readRate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (rate > 0 && rate <= MAX_FRAMES_PER_SECOND) return rate;
  throw new QiwayError('invalid-argument', `?fps= must be a number up to ${MAX_FRAMES_PER_SECOND}.`, {
    data: { expected: 'number', path: 'fps' },
  });
}
