// The data of the authentication: what both sides put into the map of the first call. Pure; who is let in is decided elsewhere.
import { QiwayError } from '@qiway/protocol/errors';
import { Dynamic, decodeValue, encodeValue } from '@qiway/protocol/wire/value';

/** Data of the user's own, keys without the prefix of the wire: on NAOqi `user`, `token`, `newToken`. */
export type AuthenticationData = Readonly<Record<string, unknown>>;

/** How a client proves who it is. */
export interface Authenticator {
  /** What goes with the first message. */
  begin(): AuthenticationData;
  /** What the server wants to hear next. Absent: the server's wish to go on is a failure. */
  next?(data: AuthenticationData): AuthenticationData | Promise<AuthenticationData>;
}

/** What a server says to the data of a client. */
export type Verdict =
  | { readonly state: 'done'; readonly data?: AuthenticationData }
  /** The client is to call again with what it makes of `data`. */
  | { readonly state: 'continue'; readonly data: AuthenticationData }
  | { readonly state: 'refused'; readonly reason?: string };

/** Decides about a client. `data` also holds `remoteEndpoint`. What it throws refuses the client. */
export type AuthenticationProvider = (data: AuthenticationData) => Verdict | Promise<Verdict>;

export const AUTHENTICATE_ACTION = 8;
/** Values of `__qi_auth_state`. */
export const AuthenticationState = { error: 1, continue: 2, done: 3 } as const;

const USER_PREFIX = 'auth_';
const STATE_KEY = '__qi_auth_state';
const REASON_KEY = '__qi_auth_err_reason';

/** A user with a token, as NAOqi wants it; a robot that pairs gives a new token, to be kept by the caller. */
export function tokenAuthenticator(options: {
  readonly user: string;
  readonly token?: string;
  readonly onNewToken?: (token: string) => void;
}): Authenticator {
  const { user, token, onNewToken } = options;
  return {
    begin: () => (token === undefined ? { user } : { token, user }),
    next: ({ newToken }) => {
      if (typeof newToken !== 'string')
        throw new QiwayError(
          'unauthorized',
          'The robot wants to go on with the authentication in a way that is not known here.',
        );
      onNewToken?.(newToken);
      return { token: newToken, user };
    },
  };
}

/** A map of the handshake. @throws `wire-invalid` */
export function readMap(payload: Uint8Array): Readonly<Record<string, unknown>> {
  const map = decodeValue('{sm}', payload, { dynamics: 'unwrapped' });
  return map instanceof Map
    ? Object.fromEntries([...map].filter(([key]) => typeof key === 'string'))
    : (map as Readonly<Record<string, unknown>>);
}

export function encodeMap(entries: Readonly<Record<string, unknown>>): Uint8Array {
  return encodeValue(
    '{sm}',
    Object.fromEntries(Object.entries(entries).sort(([one], [other]) => (one < other ? -1 : 1))),
  );
}

/** Own keys out of a map of the handshake. */
export function userData(map: Readonly<Record<string, unknown>>): AuthenticationData {
  const own = Object.entries(map).filter(([key]) => key.startsWith(USER_PREFIX));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(USER_PREFIX.length), value]));
}

export function prefixed(data: AuthenticationData): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [USER_PREFIX + key, value]));
}

export function stateEntry(state: number): Record<string, Dynamic> {
  return { [STATE_KEY]: new Dynamic('I', state) };
}

/** libqi 2.5 wrote an `i`, libqi 4 writes an `I`. */
export function stateOf(map: Readonly<Record<string, unknown>>): unknown {
  return map[STATE_KEY];
}

export function reasonOf(map: Readonly<Record<string, unknown>>): string {
  const reason = map[REASON_KEY];
  return typeof reason === 'string' && reason !== '' ? reason : 'no reason given';
}
