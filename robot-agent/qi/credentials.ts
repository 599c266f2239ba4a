// Credentials in files: what a client proves itself with, and whom a server knows. Files are small and read as a whole;
// what is written is written beside and moved into place, for its owner's eyes only.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { QiwayError } from '@qiway/protocol/errors';
import * as z from 'zod';
import { type AuthenticationProvider, type Authenticator, tokenAuthenticator, type Verdict } from './authentication.ts';

/** 256 bits of chance: nobody guesses it, so that a plain hash of it is enough to keep. */
const TOKEN_BYTES = 32;
/** Tokens offered to clients of one user that pair at the same time. */
const MAX_OFFERS = 16;
const HASH = /^sha256:[0-9a-f]{64}$/i;
/** One sentence for an unknown user and a wrong token: which it was is not told. */
const REFUSED: Verdict = { state: 'refused', reason: 'wrong user or token' };

/** What a file must look like, told where it does not. */
const CLIENT_SHAPE = 'must be the name of the user, as in { "user": "nao", "token": "…" }';
const USERS_SHAPE = 'must hold names and tokens, as in { "users": { "lab": { "token": "…" } } }';

const token = z
  .string()
  .min(1, 'must not be empty: leave it out for a user that is to be paired')
  .refine((text) => !/^sha256:/i.test(text) || HASH.test(text), 'must be sha256: and 64 hex digits, or a plain token');
const clientFile = z.strictObject({ user: z.string(CLIENT_SHAPE).min(1, CLIENT_SHAPE), token: z.optional(z.string()) });
const usersFile = z.strictObject({
  users: z.record(z.string().min(1), z.strictObject({ token: z.optional(token) }), USERS_SHAPE),
});

/**
 * A user with a token as a JSON file has it: `{ "user": "nao", "token": "…" }`. Without `token` the robot is asked to pair:
 * the new token it gives is kept in the file.
 * @throws `config-invalid` naming the file
 */
export function fileAuthenticator(path: string): Authenticator {
  let known = read(path, clientFile);
  return {
    begin: () => tokenAuthenticator(plain(known)).begin(),
    next: (data) => {
      const { user } = known;
      return (
        tokenAuthenticator({
          user,
          // Before it is repeated to the robot: once the robot has taken it, nobody else knows it.
          onNewToken: (newToken) => {
            known = { user, token: newToken };
            write(path, known);
          },
        }).next?.(data) ?? {}
      );
    },
  };
}

/**
 * Users as a JSON file has them: `{ "users": { "nao": { "token": "sha256:…" }, "tablet": {} } }`, a token plain or as its
 * SHA-256. A user without one is paired with the first client that comes: it is given a token, and when it has shown that it
 * has it, its hash is kept in the file. The file is read again for each client: what changes in it holds at once.
 * @throws `config-invalid` naming the file; later such an error refuses the client
 */
export function fileUsers(path: string): AuthenticationProvider {
  read(path, usersFile);
  /** Hashes of tokens that were given away and not repeated yet. */
  const offers = new Map<string, Buffer[]>();
  return ({ user, token: given }) => {
    const file = readUsers(path);
    const name = typeof user === 'string' ? user : '';
    const digest = sha256(typeof given === 'string' ? given : '');
    const entry = Object.hasOwn(file.users, name) ? file.users[name] : undefined;
    const kept = entry?.token;
    // Compared for a stranger too: the time of the answer tells nothing.
    const isRight = timingSafeEqual(digest, kept === undefined ? Buffer.alloc(digest.length) : digestOf(kept));
    if (entry === undefined) return REFUSED;
    if (kept !== undefined) return isRight ? { state: 'done' } : REFUSED;
    const offered = offers.get(name) ?? [];
    if (offered.some((offer) => timingSafeEqual(offer, digest))) {
      keepUsers(path, { users: { ...file.users, [name]: { token: `sha256:${digest.toString('hex')}` } } });
      offers.delete(name);
      return { state: 'done' };
    }
    const newToken = randomBytes(TOKEN_BYTES).toString('base64url');
    offers.set(name, [...offered, sha256(newToken)].slice(-MAX_OFFERS));
    return { state: 'continue', data: { newToken } };
  };
}

type UsersFile = z.infer<typeof usersFile>;

/** For a client: paths are not for its eyes. */
function readUsers(path: string): UsersFile {
  try {
    return read(path, usersFile);
  } catch (cause) {
    throw new QiwayError('unauthorized', 'the users cannot be looked up at the moment', { cause });
  }
}

function keepUsers(path: string, file: UsersFile): void {
  try {
    write(path, file);
  } catch (cause) {
    throw new QiwayError('unauthorized', 'the new token could not be kept, so it does not hold', { cause });
  }
}

function plain({ user, token: kept }: z.infer<typeof clientFile>): { readonly user: string; readonly token?: string } {
  return kept === undefined || kept === '' ? { user } : { user, token: kept };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function digestOf(kept: string): Buffer {
  return HASH.test(kept) ? Buffer.from(kept.slice('sha256:'.length), 'hex') : sha256(kept);
}

function read<T>(path: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    // The message of the parser would quote what it read.
    const why =
      cause instanceof SyntaxError
        ? 'it is not JSON'
        : (cause as { readonly code?: string }).code === 'ENOENT'
          ? 'there is no such file'
          : cause instanceof Error
            ? cause.message
            : String(cause);
    return refuse(path, `cannot be read: ${why}`, cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join('.') ?? '';
  return refuse(path, `is not as it must be: ${place === '' ? '' : `${place}: `}${issue?.message ?? 'unknown shape'}`);
}

/** All or nothing, also when the machine stops in between; the file a link points to, not the link. */
function write(path: string, json: unknown): void {
  let temporary: string | undefined;
  try {
    const target = realpathSync(path);
    const beside = `${target}.${randomBytes(6).toString('hex')}.tmp`;
    temporary = beside;
    writeFileSync(beside, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(beside, target);
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    refuse(path, `cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function refuse(path: string, why: string, cause?: unknown): never {
  throw new QiwayError('config-invalid', `The file of credentials ${path} ${why}.`, {
    data: { key: 'credentials' },
    cause,
  });
}
