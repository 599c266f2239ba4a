// The session object's members for failsafes: calls that the agent makes itself when a session falls silent or ends
// uncleanly, so that a robot does not drive on when its operator is gone.
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, isQiwayError, overLimit, QiwayError } from '@qiway/protocol/errors';
import { type Members, type MethodMember, method, signal } from '@qiway/protocol/objects/hosted-object';
import { watchSilence } from '@qiway/protocol/silence';
import type { Logger } from '../logger.ts';
import type { CallGuard } from './call-guard.ts';
import { type FailsafeBus, FailsafeCall } from './failsafe-call.ts';
import type { Lateness } from './lateness.ts';
import type { MemberRules } from './member-rules.ts';
import type { SafetySession } from './safety-session.ts';

export interface FailsafeParts {
  readonly bus: FailsafeBus;
  readonly clock: Clock;
  /** Milliseconds since the epoch: when it fired, for people. */
  readonly date: () => number;
  readonly logger: Logger;
  readonly guard: CallGuard;
  readonly rules: MemberRules;
  readonly latenessOf: (session: SafetySession) => Lateness;
  readonly counts: { failsafesFired: number; failsafeCallsFailed: number };
  /** Emits a signal of the session object. */
  readonly emit: (signal: string, ...args: unknown[]) => void;
}

/** Below it a busy radio would stop the robot again and again; above it nobody could call it a failsafe. */
const MIN_AFTER_MS = 200;
const MAX_AFTER_MS = 60_000;
const MAX_FAILSAFES = 16;
const MAX_CALLS = 16;
const MAX_ARGUMENT_BYTES = 65_536;
/** For the robot to answer; a stop is answered at once. */
const CALL_TIMEOUT_MS = 5_000;
/** A stop that could not be delivered is tried again this often, and as long as nobody is there to do it. */
const AGAIN_MS = 250;
const GIVE_UP_MS = 10_000;

/** `setFailsafe`, `clearFailsafe`, `tellSilence`, and the signal `failsafeChanged` (id, afterMs, state, firedAtMs, failures). */
export function failsafeMembers(session: SafetySession, parts: FailsafeParts): Members {
  const failsafes = new Map<number, Failsafe>();
  let nextId = 1;
  let underWay = 0;
  let isClosed = false;
  const end = (id: number): boolean => {
    const failsafe = failsafes.get(id);
    failsafe?.end();
    return failsafes.delete(id);
  };
  session.listen({
    closed: (error) => {
      isClosed = true;
      for (const failsafe of failsafes.values()) {
        if (error === undefined) failsafe.end();
        else failsafe.endUncleanly();
      }
      failsafes.clear();
    },
  });
  return {
    setFailsafe: asQuestion(
      '(I[(ss[m])])',
      'I',
      async (afterMs: number, wanted: readonly (readonly [string, string, readonly unknown[]])[]): Promise<number> => {
        if (afterMs < MIN_AFTER_MS || afterMs > MAX_AFTER_MS)
          throw new QiwayError(
            'invalid-argument',
            `afterMs must be from ${MIN_AFTER_MS} to ${MAX_AFTER_MS}, not ${afterMs}.`,
            { data: { expected: 'I', path: 'afterMs' } },
          );
        if (wanted.length === 0)
          throw new QiwayError('invalid-argument', 'A failsafe needs at least one call.', { data: { path: 'calls' } });
        if (wanted.length > MAX_CALLS)
          throw overLimit(`A failsafe has at most ${MAX_CALLS} calls.`, { limit: 'calls', maximum: MAX_CALLS });
        if (failsafes.size + underWay >= MAX_FAILSAFES)
          throw overLimit(`A session has at most ${MAX_FAILSAFES} failsafes; clear some.`, {
            limit: 'failsafes',
            maximum: MAX_FAILSAFES,
          });
        underWay += 1;
        let calls: FailsafeCall[];
        try {
          calls = await prepareAll(session, { parts, wanted });
        } finally {
          underWay -= 1;
        }
        const id = nextId++;
        const failsafe = new Failsafe(session, { parts, id, afterMs, calls });
        // It ended while the robot was asked: then nobody is there to drive, and nothing was promised.
        if (isClosed) failsafe.end();
        else failsafes.set(id, failsafe);
        return id;
      },
      {
        description:
          'Calls that the agent makes when nothing was heard from this session for afterMs, or when it ends uncleanly: once for each silence. Heard again, it is armed again.',
        parameters: [
          { name: 'afterMs', description: 'Milliseconds, 200 to 60000' },
          { name: 'calls', description: 'Service, method (or its full name), arguments' },
        ],
        returnDescription: 'The id of the failsafe',
      },
    ),
    clearFailsafe: method('(I)', 'b', (id: number) => end(id), {
      description: 'Takes a failsafe back.',
      parameters: ['id'],
      returnDescription: 'False: there is none of that id',
    }),
    tellSilence: method(
      '(Ib)',
      'b',
      (id: number, isSilent: boolean) => {
        const failsafe = failsafes.get(id);
        failsafe?.tellSilence(isSilent);
        return failsafe !== undefined;
      },
      {
        description:
          'Says that whoever drives behind this session has fallen silent: the calls are made at once. False: is heard again.',
        parameters: ['id', 'isSilent'],
        returnDescription: 'False: there is none of that id',
      },
    ),
    failsafeChanged: signal('(IIsd[s])'),
  };
}

/** When it fails, nothing was done. */
function asQuestion(...args: Parameters<typeof method>): MethodMember {
  return { ...method(...args), isQuestion: true };
}

/** All of them, or none. */
async function prepareAll(
  session: SafetySession,
  {
    parts: { bus, guard },
    wanted,
  }: { readonly parts: FailsafeParts; readonly wanted: readonly (readonly [string, string, readonly unknown[]])[] },
): Promise<FailsafeCall[]> {
  const calls: FailsafeCall[] = [];
  try {
    for (const [service, name, args] of wanted) {
      const call = await FailsafeCall.prepare(bus, { service, method: name, args });
      calls.push(call);
      const refusal = guard.refusal(session, service, call.member);
      if (refusal !== undefined) throw refusal;
    }
    if (calls.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_ARGUMENT_BYTES)
      throw overLimit(`The arguments of a failsafe have at most ${MAX_ARGUMENT_BYTES} bytes.`, {
        limit: 'argumentBytes',
        maximum: MAX_ARGUMENT_BYTES,
      });
    return calls;
  } catch (error) {
    for (const call of calls) call.release();
    throw isQiwayError(error) ? error : asQiwayError(error);
  }
}

interface FailsafeDetails {
  readonly parts: FailsafeParts;
  readonly id: number;
  readonly afterMs: number;
  readonly calls: readonly FailsafeCall[];
}

/**
 * Armed, or fired. It fires once for each silence: whoever comes back has the robot at rest and decides anew, and is
 * watched again from the first message on, since the next silence is as dangerous as the one before.
 */
class Failsafe {
  readonly #session: SafetySession;
  readonly #details: FailsafeDetails;
  readonly #stopWatching: () => void;
  #state: 'armed' | 'fired' | 'ended' = 'armed';
  /** As the session told: one of several that it speaks for is silent, although the session itself is heard. */
  #isToldSilent = false;
  /** 0: never. */
  #firedAtMs = 0;
  #callsUnderWay = 0;
  /** Counts, so that what was begun in one silence does not go on in the next. */
  #silence = 0;

  constructor(session: SafetySession, details: FailsafeDetails) {
    this.#session = session;
    this.#details = details;
    const { parts, afterMs } = details;
    const { clock } = parts;
    this.#stopWatching = watchSilence(session, {
      clock,
      afterMs,
      isStallSilence: true,
      silent: () => {
        // Fired already for who fell silent behind it.
        if (this.#state === 'fired') parts.latenessOf(session).begin();
        else this.#fire(clock.now() - session.lastHeardMs < afterMs ? 'the agent was held up' : 'silent');
      },
      heardAgain: () => {
        parts.latenessOf(session).heard();
        if (!this.#isToldSilent) this.#arm();
      },
    });
    this.#tell([]);
  }

  tellSilence(isSilent: boolean): void {
    if (this.#isToldSilent === isSilent || this.#state === 'ended') return;
    this.#isToldSilent = isSilent;
    if (!isSilent) this.#arm();
    // Whoever else speaks through the session is heard, so what comes from them is not late.
    else if (this.#state === 'armed') this.#fire('told by its session', false);
  }

  #arm(): void {
    this.#silence += 1;
    this.#state = 'armed';
    this.#tell([]);
  }

  /** Cleared, or the app closed in order. */
  end(): void {
    // Cleared by what came after a silence: nobody tells of it here any more.
    if (this.#state === 'fired' && !this.#isToldSilent) this.#details.parts.latenessOf(this.#session).heard();
    this.#stopWatching();
    this.#state = 'ended';
    this.#releaseWhenIdle();
  }

  endUncleanly(): void {
    if (this.#state === 'armed') this.#fire('session ended');
    this.end();
  }

  #fire(reason: string, isSessionSilent = true): void {
    const { parts, calls, afterMs } = this.#details;
    const { logger, counts, clock, date } = parts;
    this.#state = 'fired';
    if (isSessionSilent) parts.latenessOf(this.#session).begin();
    this.#firedAtMs = date();
    counts.failsafesFired++;
    this.#callsUnderWay += calls.length;
    const made = calls.map((call) => this.#make(call));
    logger.warn('failsafe fired', {
      session: this.#session.id,
      client: this.#session.client,
      reason,
      calls: calls.map(({ service, member }) => `${service}.${member}`).join(' '),
      afterMs,
      silentMs: Math.round(clock.now() - this.#session.lastHeardMs),
    });
    this.#tell([]);
    void Promise.all(made).then((results) => {
      this.#callsUnderWay -= calls.length;
      const failures = results.filter((failure) => failure !== undefined);
      if (failures.length > 0) this.#tell(failures);
      this.#releaseWhenIdle();
    });
  }

  /** Resolves with what went wrong, in words. */
  async #make(call: FailsafeCall): Promise<string | undefined> {
    const { clock, rules, logger, counts } = this.#details.parts;
    const beganMs = clock.now();
    const silence = this.#silence;
    const mayTryAgain = (): boolean =>
      rules.isStopping(call.service, call.member) && silence === this.#silence && clock.now() - beganMs < GIVE_UP_MS;
    let error = await this.#attempt(call);
    while (error !== undefined && isUndelivered(error) && mayTryAgain()) {
      await new Promise<void>((resolve) => {
        clock.after(AGAIN_MS, resolve);
      });
      if (mayTryAgain()) error = await this.#attempt(call);
    }
    if (error === undefined) return undefined;
    const name = `${call.service}.${call.member}`;
    counts.failsafeCallsFailed++;
    logger.error('a call of a failsafe failed', { session: this.#session.id, call: name, reason: error.message });
    return `${name}: ${error.message}`;
  }

  /** Begins in the turn in which it is asked for. */
  async #attempt(call: FailsafeCall): Promise<QiwayError | undefined> {
    const { clock, guard } = this.#details.parts;
    const refusal = guard.refusal(this.#session, call.service, call.member);
    if (refusal !== undefined) return refusal;
    try {
      await call.make({ clock, timeoutMs: CALL_TIMEOUT_MS });
      return undefined;
    } catch (error) {
      return asQiwayError(error);
    }
  }

  #tell(failures: readonly string[]): void {
    const { id, afterMs, parts } = this.#details;
    if (this.#state !== 'ended') parts.emit('failsafeChanged', id, afterMs, this.#state, this.#firedAtMs, failures);
  }

  #releaseWhenIdle(): void {
    if (this.#state !== 'ended' || this.#callsUnderWay > 0) return;
    for (const call of this.#details.calls) call.release();
  }
}

/** The robot's bus was away: to stop is still right when it is back. What moves is never tried again. */
function isUndelivered({ code }: QiwayError): boolean {
  return code === 'bus-down' || code === 'service-gone' || code === 'service-not-found';
}
