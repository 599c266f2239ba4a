// The port between a leader tab and the owner: turns, offers, and requests for transports. Every message goes one way and is not
// answered for its own sake: a page that is put into the back/forward cache is thrown out of it by a message of its SharedWorker
// (measured in Chromium: `sharedworker-message`), so the end of a turn must not be confirmed.
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, type ErrorRecord, overLimit, QiwayError, reviveError } from '@qiway/protocol/errors';
import type { LeaderOwner, TabLending } from './lending.ts';
import type { LendRequest, OpenLent, WayOffer } from './lent-ways.ts';

type FromTab =
  | { readonly kind: 'take'; readonly name: string; readonly ticket: string }
  | { readonly kind: 'drop'; readonly ticket: string }
  | { readonly kind: 'offer'; readonly way: WayOffer }
  | { readonly kind: 'withdraw'; readonly name: string; readonly reason: string }
  | { readonly kind: 'opened'; readonly id: number; readonly port: MessagePort }
  | { readonly kind: 'notOpened'; readonly id: number; readonly error: ErrorRecord }
  | { readonly kind: 'here' };

type FromOwner =
  | { readonly kind: 'turn'; readonly ticket: string }
  | { readonly kind: 'noTurn'; readonly ticket: string; readonly error: ErrorRecord }
  | { readonly kind: 'lost'; readonly ticket: string }
  | { readonly kind: 'areYouHere' }
  | { readonly kind: 'open'; readonly id: number; readonly name: string; readonly request: LendRequest };

/** Requests that a page has not answered; each is given up in time by who made it. */
const MAX_UNANSWERED = 64;
/**
 * A page that has a turn is asked so often whether it is there, and loses the turn when it did not answer so many times: where there
 * are no locks a crash is told by nothing else (measured in Chromium: the port of a page that crashed does not close). Hidden pages
 * answer, although their timers are slow.
 */
const ASK_MS = 1000;
const MAX_MISSED = 5;

/** The owner as the leader tab at this end of the port sees it. Takes over the port. */
export function leaderOwnerAt(port: MessagePort): LeaderOwner {
  const asked = new Map<string, PromiseWithResolvers<void>>();
  const losers = new Map<string, () => void>();
  const offers = new Map<string, OpenLent>();
  const say = (message: FromTab, moved: Transferable[] = []): void => port.postMessage(message, moved);
  const lend = async (id: number, name: string, request: LendRequest): Promise<void> => {
    try {
      const open = offers.get(name);
      if (open === undefined) throw new QiwayError('dial-failed', `This tab does not offer the way ${name} any more.`);
      const lent = await open(request);
      say({ kind: 'opened', id, port: lent }, [lent]);
    } catch (error) {
      say({ kind: 'notOpened', id, error: recordOf(error) });
    }
  };
  port.addEventListener('message', ({ data }: MessageEvent<FromOwner>) => {
    if (data.kind === 'open') return void lend(data.id, data.name, data.request);
    if (data.kind === 'areYouHere') return say({ kind: 'here' });
    if (data.kind === 'lost') {
      const lose = losers.get(data.ticket);
      losers.delete(data.ticket);
      return lose?.();
    }
    const turn = asked.get(data.ticket);
    asked.delete(data.ticket);
    if (data.kind === 'turn') turn?.resolve();
    else turn?.reject(reviveError(data.error));
  });
  port.start();
  return {
    takeTurn: (name, ticket, onLost) => {
      const turn = Promise.withResolvers<void>();
      asked.set(ticket, turn);
      if (onLost !== undefined) losers.set(ticket, onLost);
      say({ kind: 'take', name, ticket });
      return turn.promise;
    },
    dropTurn: (ticket) => {
      asked.get(ticket)?.reject(new QiwayError('closed', 'The turn was given back before it came.'));
      asked.delete(ticket);
      losers.delete(ticket);
      say({ kind: 'drop', ticket });
    },
    offerWay: async (way, open) => {
      offers.set(way.name, open);
      say({ kind: 'offer', way });
    },
    withdrawWay: async (name, reason) => {
      offers.delete(name);
      say({ kind: 'withdraw', name, reason });
    },
  };
}

/**
 * Serves a leader tab at the other end of the port, in the name of `tab`, which leaves when the port tells that the page is gone;
 * not every platform does, so whoever knows better calls `tab.leave` as well. Takes over the port.
 */
export function serveLeaderTab(
  port: MessagePort,
  { tab, clock }: { readonly tab: TabLending; readonly clock: Clock },
): void {
  const tickets = new Set<string>();
  /** Of those tickets, the ones whose turn it is. */
  const held = new Set<string>();
  let missed = 0;
  let stopTimer: (() => void) | undefined;
  const unanswered = new Map<number, PromiseWithResolvers<MessagePort>>();
  let requests = 0;
  const say = (message: FromOwner): void => port.postMessage(message);
  const ask = (): void => {
    stopTimer = undefined;
    if (held.size === 0) return;
    if (missed < MAX_MISSED) {
      missed += 1;
      say({ kind: 'areYouHere' });
      stopTimer = clock.after(ASK_MS, ask);
      return;
    }
    tab.withdrawAll('its page does not answer');
    for (const ticket of held) {
      tickets.delete(ticket);
      tab.dropTurn(ticket);
      // It may only have been held up.
      say({ kind: 'lost', ticket });
    }
    held.clear();
  };
  const opener =
    (name: string): OpenLent =>
    (request) => {
      if (unanswered.size >= MAX_UNANSWERED)
        return Promise.reject(
          overLimit('The leader tab answers no requests any more.', { limit: 'unanswered', maximum: MAX_UNANSWERED }),
        );
      const answer = Promise.withResolvers<MessagePort>();
      requests += 1;
      unanswered.set(requests, answer);
      say({ kind: 'open', id: requests, name, request });
      return answer.promise;
    };
  const take = async (name: string, ticket: string): Promise<void> => {
    tickets.add(ticket);
    try {
      await tab.takeTurn(name, ticket);
      if (!tickets.has(ticket)) return;
      say({ kind: 'turn', ticket });
      held.add(ticket);
      missed = 0;
      stopTimer ??= clock.after(ASK_MS, ask);
    } catch (error) {
      // Who gave it back wants to hear nothing more of it.
      if (tickets.delete(ticket)) say({ kind: 'noTurn', ticket, error: recordOf(error) });
    }
  };
  const receive = (message: FromTab): void => {
    missed = 0;
    switch (message.kind) {
      case 'take':
        return void take(message.name, message.ticket);
      case 'drop':
        tickets.delete(message.ticket);
        held.delete(message.ticket);
        return void tab.dropTurn(message.ticket);
      case 'offer':
        // More than a page has to offer: it is not asked.
        return void tab.offerWay(message.way, opener(message.way.name)).catch(() => {});
      case 'withdraw':
        return void tab.withdrawWay(message.name, message.reason);
      case 'opened':
      case 'notOpened': {
        const answer = unanswered.get(message.id);
        unanswered.delete(message.id);
        if (message.kind === 'opened') answer?.resolve(message.port);
        else answer?.reject(reviveError(message.error));
        return;
      }
      case 'here':
    }
  };
  port.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isFromTab(data)) receive(data);
  });
  port.addEventListener('close', () => {
    held.clear();
    stopTimer?.();
    tab.leave('its page is gone');
  });
  port.start();
}

/** A page that is broken may say anything. */
function isFromTab(data: unknown): data is FromTab {
  if (!isRecord(data)) return false;
  const { kind, name, ticket, way, reason, id, port, error } = data;
  switch (kind) {
    case 'take':
      return typeof name === 'string' && typeof ticket === 'string';
    case 'drop':
      return typeof ticket === 'string';
    case 'offer':
      return isRecord(way) && typeof way['name'] === 'string' && typeof way['rank'] === 'number';
    case 'withdraw':
      return typeof name === 'string' && typeof reason === 'string';
    case 'opened':
      return typeof id === 'number' && isRecord(port) && typeof port['postMessage'] === 'function';
    case 'notOpened':
      return typeof id === 'number' && isRecord(error);
    default:
      return kind === 'here';
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function recordOf(thrown: unknown): ErrorRecord {
  const { name, code, message, data, maybeExecuted } = asQiwayError(thrown, 'dial-failed');
  return { name, code, message, data, maybeExecuted };
}
