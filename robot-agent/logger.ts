// What the agent says of itself: one line for each change of state, to a stream that is handed in.

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What is known beside the sentence; written as `key=value`. */
export type LogData = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  debug(sentence: string, data?: LogData): void;
  info(sentence: string, data?: LogData): void;
  warn(sentence: string, data?: LogData): void;
  error(sentence: string, data?: LogData): void;
}

export interface LoggerOptions {
  /** Milliseconds, for the bound. Default: the platform's. */
  readonly now?: () => number;
  /** Lines a minute that begin with the same sentence; of what is beyond only the number is told. Default 100. */
  readonly maxSame?: number;
}

/** Strangers make most lines, and must not fill the disk: 20 kB a minute and sentence, and an agent has some 50. */
const MAX_SAME = 100;
const WINDOW_MS = 60_000;
/** Sentences counted apart, some hold a name; those beyond count as one. */
const MAX_SENTENCES = 200;
/** Characters of a sentence or a value that are shown. */
const MAX_SHOWN = 1000;

/** @param write takes one line, with its end. @param level the least that is written */
export function createLogger(write: (line: string) => void, level: LogLevel, options: LoggerOptions = {}): Logger {
  const least = LOG_LEVELS.indexOf(level);
  const { now = () => performance.now(), maxSame = MAX_SAME } = options;
  let began = now();
  let counts = new Map<string, number>();
  const line = (name: LogLevel, sentence: string, data: LogData): void =>
    write(`${new Date().toISOString()} ${name} ${oneLine(shorten(sentence))}${formatData(data)}\n`);
  const isWithinBound = (sentence: string): boolean => {
    if (now() - began >= WINDOW_MS) {
      const before = counts;
      began = now();
      counts = new Map();
      for (const [same, count] of before)
        if (count > maxSame) line('warn', 'lines were left out of this log', { lines: count - maxSame, like: same });
    }
    const key = counts.has(sentence) || counts.size < MAX_SENTENCES ? sentence : 'others';
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count <= maxSame;
  };
  const at = (name: LogLevel) => {
    const isWritten = LOG_LEVELS.indexOf(name) >= least;
    return (sentence: string, data: LogData = {}): void => {
      if (isWritten && isWithinBound(sentence)) line(name, sentence, data);
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function formatData(data: LogData): string {
  let text = '';
  for (const [key, value] of Object.entries(data)) {
    if (value === undefined) continue;
    const shown = shorten(String(value));
    text += ` ${key}=${/^[\w.:/@[\]-]+$/.test(shown) ? shown : JSON.stringify(shown)}`;
  }
  return text;
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** What a client sent must not begin lines of its own, nor colour the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
