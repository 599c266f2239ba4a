// The checker sees what it is there to see: networks that do what no network may, and histories that break one law each.
import { describe, expect, it } from 'vitest';
import { ControlType, emptyFrameHeader, readFrameHeader } from '../../protocol/wire/link-frame.ts';
import type { Side } from './cable.ts';
import { History, type Operation } from './history.ts';
import { simulate } from './simulation.ts';

/** Messages after which a link is past its handshake. */
const SPARED = 12;
/** Many do nothing that such a network would spoil. */
const SEEDS = 200;
const ENOUGH = 3;

/** Messages that are spared at first; then every tenth is given to `change`. */
function everyTenth(change: (message: Uint8Array) => readonly Uint8Array[]) {
  let count = 0;
  return (message: Uint8Array, _to: Side): readonly Uint8Array[] => {
    count += 1;
    return count > SPARED && count % 10 === 0 ? change(message) : [message];
  };
}

function isNumbered(message: Uint8Array): boolean {
  return readFrameHeader(message, 0, emptyFrameHeader()).type < 32;
}

const NETWORKS = {
  'that doubles messages': () => everyTenth((message) => [message, message]),
  'that loses a message and goes on': () => everyTenth((message) => (isNumbered(message) ? [] : [message])),
  'that changes the order': () => {
    let held: Uint8Array | undefined;
    return (message: Uint8Array): readonly Uint8Array[] => {
      if (held !== undefined) {
        const both = [message, held];
        held = undefined;
        return both;
      }
      if (message.length < 100 || !isNumbered(message)) return [message];
      held = message;
      return [];
    };
  },
  'between outboxes that replay one frame too few': () => replaying(1),
  'between outboxes that replay one frame too many': () => replaying(-1),
} as const;

/** A resume that begins so many frames later than the other side believes. */
function replaying(tooFew: number) {
  return (message: Uint8Array): readonly Uint8Array[] => {
    const header = readFrameHeader(message, 0, emptyFrameHeader());
    if (header.type !== ControlType.attached || header.id < 2) return [message];
    const changed = message.slice();
    new DataView(changed.buffer).setUint32(8, header.id - tooFew, true);
    return [changed];
  };
}

describe('the checker of simulations', () => {
  for (const [what, make] of Object.entries(NETWORKS))
    it(`sees a network ${what}`, async () => {
      const seen: string[] = [];
      for (let seed = 1; seed <= SEEDS && seen.length < ENOUGH; seed += 1) {
        const { violation } = await simulate({ seed, tamper: make() });
        if (violation !== undefined) seen.push(violation);
      }
      expect(seen).toHaveLength(ENOUGH);
      expect(seen.filter((violation) => violation.includes('it broke'))).toEqual([]);
    }, 120_000);
});

/** A history on a clock that a test sets. */
function history(): { readonly history: History; at(ms: number): void; on(cable: number | undefined): void } {
  let nowMs = 0;
  let cable: number | undefined = 1;
  return {
    history: new History({
      now: () => nowMs,
      deliveringOn: () => cable,
      mostDelayMs: () => 10,
      staleAfterMs: 500,
      trace: () => {},
    }),
    at: (ms) => {
      nowMs = ms;
    },
    on: (id) => {
      cable = id;
    },
  };
}

function call(of: History, changes: Partial<Operation> = {}): Operation {
  const answer = { how: 'reply', delayMs: 0, bytes: 0 } as const;
  return of.make({
    kind: 'call',
    isMotion: false,
    caller: 'client',
    callee: 'Robot',
    bodyBytes: 4,
    answer,
    madeOn: 1,
    isTaken: true,
    ...changes,
  });
}

const lost = (maybeExecuted: boolean) => ({ kind: 'error', code: 'link-lost', maybeExecuted }) as const;
const replied = { kind: 'reply', isRight: true } as const;

/** What happens, and how it is called. */
const BROKEN: readonly (readonly [law: RegExp, happens: (of: ReturnType<typeof history>) => void])[] = [
  [
    /ran twice/,
    ({ history: of }) => {
      const { id } = call(of);
      of.ran(id, 4);
      of.ran(id, 4);
    },
  ],
  [
    /which was made later/,
    ({ history: of }) => {
      const [one, other] = [call(of), call(of)];
      of.ran(other.id, 4);
      of.ran(one.id, 4);
    },
  ],
  [/nobody made/, ({ history: of }) => void of.ran(7, 4)],
  [/instead of 4/, ({ history: of }) => void of.ran(call(of).id, 5)],
  [/was answered and did not run/, ({ history: of }) => of.settled(call(of), replied)],
  [
    /settled twice/,
    ({ history: of }) => {
      const one = call(of);
      of.settled(one, lost(true));
      of.settled(one, lost(true));
    },
  ],
  [
    /ran, and its caller was told link-lost/,
    ({ history: of }) => {
      const one = call(of);
      of.ran(one.id, 4);
      of.settled(one, lost(false));
    },
  ],
  [
    /ran after its caller was told link-lost/,
    ({ history: of }) => {
      const one = call(of);
      of.settled(one, lost(false));
      of.ran(one.id, 4);
    },
  ],
  [
    /the answer of another/,
    ({ history: of }) => {
      const one = call(of);
      of.ran(one.id, 4);
      of.settled(one, { kind: 'reply', isRight: false });
    },
  ],
  [/never settles/, ({ history: of }) => void [call(of), of.checkEnd(new Set(), false)]],
  [/was sent, and lost/, ({ history: of }) => void [call(of, { kind: 'post' }), of.checkEnd(new Set(), true)]],
  [
    /although its session went on/,
    ({ history: of }) => {
      of.settled(call(of), lost(true));
      of.checkEnd(new Set(), true);
    },
  ],
  [
    /a promise of somebody never settles/,
    ({ history: of }) => {
      void of.waitFor({ owner: 'somebody', what: 'a promise' }, new Promise(() => {}));
      of.checkEnd(new Set(), false);
    },
  ],
  [
    /replayed 600 ms after/,
    ({ history: of, at, on }) => {
      const { id } = call(of, { isMotion: true });
      at(600);
      on(2);
      of.ran(id, 4);
    },
  ],
  [
    /given up/,
    ({ history: of, at, on }) => {
      const one = call(of, { isMotion: true });
      of.settled(one, lost(true));
      at(11);
      on(2);
      of.ran(one.id, 4);
    },
  ],
  [/heard event 1 after 1/, (one) => hear(one.history, [1, 1])],
  [/heard event 1 after 2/, (one) => hear(one.history, [2, 1])],
  [/neither event nor gap/, (one) => hear(one.history, [1, 3])],
  [/neither event nor gap/, (one) => hear(one.history, [1, { missed: 1 }, 4])],
  [/which was told as missed/, (one) => hear(one.history, [1, { missed: 2 }, 3])],
  [/did not hear the last event/, (one) => hear(one.history, [1, 2])],
];

/** One subscription to four events, confirmed before the first. */
function hear(of: History, what: readonly (number | { readonly missed: number })[]): void {
  const listening = of.listen('Robot');
  of.confirmed(listening);
  for (let count = 0; count < 4; count += 1) of.emit('Robot');
  for (const one of what) {
    if (typeof one === 'number') of.heard(listening, one);
    else of.missed(listening, one.missed);
  }
  of.checkUpToDate(listening);
}

describe('a history', () => {
  for (const [index, [law, happens]] of BROKEN.entries())
    it(`of kind ${index + 1} is refused: ${law.source}`, () => {
      const one = history();
      happens(one);
      expect(one.history.violation).toMatch(law);
    });

  it('that keeps all laws is taken', () => {
    const { history: of } = history();
    const [one, other] = [call(of), call(of)];
    of.ran(one.id, 4);
    of.settled(one, replied);
    of.settled(other, lost(true));
    hear(of, [1, { missed: 2 }, 4]);
    of.checkEnd(new Set(), false);
    expect(of.violation).toBeUndefined();
  });
});
