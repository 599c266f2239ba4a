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

/** @param write takes one line, with its end. @param level the least that is written */
export function createLogger(write: (line: string) => void, level: LogLevel): Logger {
  const least = LOG_LEVELS.indexOf(level);
  const at = (name: LogLevel) => {
    const isWritten = LOG_LEVELS.indexOf(name) >= least;
    return (sentence: string, data: LogData = {}): void => {
      if (isWritten) write(`${new Date().toISOString()} ${name} ${oneLine(sentence)}${formatData(data)}\n`);
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function formatData(data: LogData): string {
  let text = '';
  for (const [key, value] of Object.entries(data)) {
    if (value === undefined) continue;
    const shown = String(value);
    text += ` ${key}=${/^[\w.:/@[\]-]+$/.test(shown) ? shown : JSON.stringify(shown)}`;
  }
  return text;
}

/** What a client sent must not begin lines of its own, nor colour the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
