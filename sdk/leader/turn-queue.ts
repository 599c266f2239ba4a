// Whose turn it is, where there are no Web Locks: the owner keeps a line for each name, and tells the first. For the owner;
// knows no ports.
import { overLimit, QiwayError } from '@qiway/protocol/errors';
import type { TurnGiver } from './turn.ts';

/** A page leads a robot or two; more is a page that has lost count. */
const MAX_TICKETS_OF_A_TAB = 64;

interface Waiting {
  readonly call: () => void;
  readonly turnAway: (error: QiwayError) => void;
}

/** The tickets of one tab. */
export interface TabTurns extends TurnGiver {
  dropTurn(ticket: string): void;
  /** The tab is gone, or whoever asked in its name: gives all back. Idempotent. */
  leave(): void;
}

export class TurnQueue {
  /** By name, the one whose turn it is first. */
  readonly #lines = new Map<string, Waiting[]>();

  /** A tab that may ask. */
  tab(): TabTurns {
    const tickets = new Map<string, { readonly name: string; readonly waiting: Waiting }>();
    const drop = (ticket: string): void => {
      const held = tickets.get(ticket);
      tickets.delete(ticket);
      if (held !== undefined) this.#leaveLine(held.name, held.waiting);
    };
    return {
      takeTurn: (name, ticket) =>
        new Promise((resolve, reject) => {
          if (tickets.size >= MAX_TICKETS_OF_A_TAB)
            return reject(
              overLimit('This tab asks for more turns at once than there are things to lead; give back what it has.', {
                limit: 'turns',
                maximum: MAX_TICKETS_OF_A_TAB,
              }),
            );
          if (tickets.has(ticket))
            return reject(new QiwayError('internal', 'A ticket was used twice; each turn needs one of its own.'));
          const waiting = { call: resolve, turnAway: reject };
          tickets.set(ticket, { name, waiting });
          this.#joinLine(name, waiting);
        }),
      dropTurn: drop,
      leave: () => {
        for (const ticket of [...tickets.keys()]) drop(ticket);
      },
    };
  }

  #joinLine(name: string, waiting: Waiting): void {
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    line.push(waiting);
    if (line.length === 1) waiting.call();
  }

  #leaveLine(name: string, waiting: Waiting): void {
    const line = this.#lines.get(name) ?? [];
    const place = line.indexOf(waiting);
    line.splice(place, 1);
    // Changes nothing for one whose turn it was.
    waiting.turnAway(new QiwayError('closed', 'The turn was given back before it came.'));
    if (line.length === 0) this.#lines.delete(name);
    else if (place === 0) line[0]?.call();
  }
}
