// The one error of Qiway: a class with a string code, data typed per code, and a message that says what to do next.
// Layer 0: everything may throw it; it knows nothing of the rest.

/**
 * What is known beside the message, per code. Shapes are plain JSON so that an error crosses workers and the link.
 * `text`, where there is one: the words a qi peer used, or is told.
 */
export interface ErrorData {
  /** Bytes do not follow the format. `offset`: byte where it was seen. */
  'wire-invalid': { readonly offset?: number; readonly text?: string };
  /** A declared bound was passed. `limit`: its name, `maximum`: its value in its own unit. */
  'limit-exceeded': { readonly limit?: string; readonly maximum?: number };
  /** A value does not fit what was declared; nothing was sent. `expected`: a signature or a sentence. */
  'invalid-argument': { readonly expected?: string; readonly path?: string };
  /** No overload takes these arguments; nothing was sent. `candidates`: full names `name::(params)`. */
  'argument-mismatch': { readonly candidates?: readonly string[] };
  /** A value cannot be converted between two signatures. */
  'conversion-failed': { readonly from?: string; readonly to?: string };
  /** The bus has no service of that name. `nearest`: names that look alike. */
  'service-not-found': { readonly service?: string; readonly nearest?: readonly string[]; readonly text?: string };
  /** The object has no such method, signal or property. */
  'member-not-found': { readonly member?: string; readonly nearest?: readonly string[]; readonly text?: string };
  /** The service left the bus, or its host died; a proxy of it is dead for good. */
  'service-gone': { readonly service?: string };
  /** The object was released or its host ended it. */
  'object-gone': { readonly object?: number; readonly text?: string };
  /** The name is registered already. */
  'service-name-taken': { readonly service?: string; readonly text?: string };
  /** The method itself failed on the robot. `text`: what it said, unchanged. */
  'call-failed': { readonly text?: string };
  /** The call was cancelled, and the callee agreed or the caller stopped waiting. */
  canceled: { readonly text?: string };
  /** No answer in time. `timeoutMs`: the time waited. */
  timeout: { readonly timeoutMs?: number };
  /** The link broke before the answer came. */
  'link-lost': { readonly reason?: string };
  /** No link to the robot at the moment; the session goes on dialling. Nothing was sent. */
  offline: Empty;
  /** A newer one took the place: of a call that waited as the latest of its kind, of a link by a newer link. */
  superseded: { readonly reason?: string };
  /** A call waited longer than it may. `ttlMs`: how long that is. */
  expired: { readonly ttlMs?: number };
  /** The agent ended while it made the call, which is not made again. */
  interrupted: { readonly service?: string; readonly method?: string };
  /** The call ran, or failed on the robot; what came of it is not known here any more. */
  'result-not-kept': { readonly reason?: string };
  /**
   * No link could be made. `url`: without its fragment. `attempts`: where several addresses were tried, all of them.
   * `why`: for programs; browsers hide reasons, so it may be the most probable one only.
   */
  'dial-failed': {
    readonly url?: string;
    readonly reason?: string;
    readonly why?: DialFault;
    readonly attempts?: readonly { readonly url: string; readonly reason: string; readonly why?: DialFault }[];
  };
  /** Who answers at the address is not the robot that was expected; nothing was sent to it. Ids of robots. */
  'robot-identity-mismatch': { readonly expected?: string; readonly found?: string };
  /** The other side did not say who it is, or could not be understood. `reason`: what was wrong. */
  'handshake-failed': { readonly reason?: HandshakeFault };
  /** The other side speaks something else. */
  'protocol-mismatch': { readonly reason?: string };
  /** The token or the credentials were refused. */
  unauthorized: Empty;
  /** Known, and not allowed. */
  forbidden: { readonly reason?: string };
  /** Another session has exclusive control of the service; nothing ran. `holder`: who, in words, for `heldMs` by now. */
  'lease-held': { readonly service?: string; readonly holder?: string; readonly heldMs?: number };
  /** Exclusive control ended although its holder did not give it back. `holder`: who took it over, in words. */
  'lease-lost': {
    readonly reason?: 'taken-over' | 'silence' | 'stopped' | 'agent-restarted';
    readonly holder?: string;
  };
  /** A call that moves the robot came too late to be made, after a silence of the link; nothing ran. */
  'motion-stale': { readonly service?: string; readonly member?: string };
  /** The robot's bus cannot be reached at the moment; the agent goes on trying. */
  'bus-down': { readonly url?: string };
  /** A host of services could not be reached at any of its endpoints. */
  'endpoint-unreachable': { readonly endpoints?: readonly string[] };
  /** A configuration value is not acceptable. `key`: which. */
  'config-invalid': { readonly key?: string };
  /** The port is in use, or the address is not ours. */
  'listen-failed': { readonly address?: string };
  /** What was used is closed. */
  closed: Empty;
  /** The other side cannot do this. */
  unsupported: { readonly what?: string };
  /** A fault of our own: worth a bug report. */
  internal: Empty;
}

/**
 * What was wrong with a handshake: it broke off; a message that is none; one that no key opens; a proof that is false; a
 * static key that the other side has no longer, so that one without it is to be tried.
 */
export type HandshakeFault = 'closed' | 'malformed' | 'unreadable' | 'proof' | 'static-key-unknown';

/**
 * Why there is no link over an address. The browser forbids it: `mixed-content`, `permission-denied`, `permission-prompt`
 * (the user has not answered). Nobody is there: `name` (nobody knows it), `refused`, `timeout`, `offline` (this device),
 * `unreachable` (one of these; it cannot be told which). Somebody is there: `certificate` (not trusted), `no-tls` (an agent without
 * it, and the URL is https), `no-agent`, `origin`
 * (the agent does not let in pages of this origin), `websocket` (HTTP passes, a WebSocket does not), `identity`,
 * `handshake`, `unauthorized`.
 */
export type DialFault =
  | 'mixed-content'
  | 'permission-denied'
  | 'permission-prompt'
  | 'name'
  | 'refused'
  | 'timeout'
  | 'offline'
  | 'unreachable'
  | 'certificate'
  | 'no-tls'
  | 'no-agent'
  | 'origin'
  | 'websocket'
  | 'identity'
  | 'handshake'
  | 'unauthorized';

type Empty = { readonly [key: string]: never };

/** Every code an error of Qiway can carry; `docs/errors.md` tells what each means and what to do. */
export type ErrorCode = keyof ErrorData;

/** What may be said about an error when it is made. */
export interface ErrorDetails<C extends ErrorCode = ErrorCode> {
  readonly data?: ErrorData[C];
  readonly cause?: unknown;
  /** True when the call may have run on the robot although no answer came. */
  readonly maybeExecuted?: boolean;
}

/** The plain form of an error, as it crosses a worker's port or the link. */
export interface ErrorRecord {
  readonly name: 'QiwayError';
  readonly code: ErrorCode;
  readonly message: string;
  readonly data: ErrorData[ErrorCode];
  readonly maybeExecuted: boolean;
}

/** Every failure of Qiway. The message begins with `[code]`. */
export class QiwayError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'QiwayError';
  readonly code: C;
  readonly data: ErrorData[C];
  /** After a lost link: may the call have run on the robot? False means it certainly has not. */
  readonly maybeExecuted: boolean;

  constructor(code: C, sentence: string, details: ErrorDetails<C> = {}) {
    super(`[${code}] ${sentence}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.data = details.data ?? ({} as ErrorData[C]);
    this.maybeExecuted = details.maybeExecuted ?? false;
  }

  /** The plain form; {@link reviveError} makes an error of it again. */
  toJSON(): ErrorRecord {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      data: this.data,
      maybeExecuted: this.maybeExecuted,
    };
  }
}

/** Recognises an error of Qiway by its shape, also one that was made in another realm or bundle. */
export function isQiwayError(value: unknown): value is QiwayError {
  return (
    typeof value === 'object' && value !== null && 'name' in value && value.name === 'QiwayError' && 'code' in value
  );
}

/** The message without the code in front: for people, and to be said again with another code. */
export function sentenceOf({ code, message }: { readonly code: string; readonly message: string }): string {
  const prefix = `[${code}] `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

/** A declared bound was passed: `limit` is its name, `maximum` its value in its own unit. */
export function overLimit(
  sentence: string,
  data: { readonly limit: string; readonly maximum: number },
): QiwayError<'limit-exceeded'> {
  return new QiwayError('limit-exceeded', sentence, { data });
}

/** The same error for a call that was under way: it may have run. */
export function ofCallUnderWay(error: QiwayError): QiwayError {
  return new QiwayError(error.code, sentenceOf(error), { data: error.data, cause: error, maybeExecuted: true });
}

/** An error again from its plain form; code and message must be there. */
export function reviveError(record: Omit<ErrorRecord, 'name'>): QiwayError {
  const { code, data, maybeExecuted } = record;
  return new QiwayError(code, sentenceOf(record), { data, maybeExecuted: maybeExecuted === true });
}

/** Whatever was thrown, as an error of Qiway; what is not one becomes `code`. */
export function asQiwayError(thrown: unknown, code: ErrorCode = 'internal'): QiwayError {
  if (isQiwayError(thrown)) return thrown;
  const sentence = thrown instanceof Error ? thrown.message : String(thrown);
  return new QiwayError(code, sentence, { cause: thrown });
}
