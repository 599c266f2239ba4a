// Dials of a simulated client, without handshake: some fail, some hang, some come late or twice. Support of the tests.
import { QiwayError } from '../../protocol/errors.ts';
import type { Dialed, DialRequest } from '../../protocol/session/attempt.ts';
import { Cable, type CableOptions, type Tamper } from './cable.ts';
import type { Chance } from './chance.ts';
import type { SimAgent } from './sim-agent.ts';
import type { SimClock } from './sim-clock.ts';

export interface DialerOptions {
  readonly clock: SimClock;
  readonly chance: Chance;
  readonly clientId: string;
  /** Who answers now. */
  readonly agent: () => SimAgent;
  readonly trace: (line: () => string) => void;
  readonly tamper?: Tamper | undefined;
  readonly delivering: (cable: Cable | undefined) => void;
  /** Of one message, ms. */
  readonly delayMs: (chance: Chance) => number;
  /** A message has arrived after so long. */
  readonly delayed: (delayMs: number) => void;
  /** The number of one more cable. */
  readonly made: () => number;
}

/** How dials go at the moment. */
export interface Weather {
  /** Probabilities. */
  fails: number;
  hangs: number;
  /** The hello arrives long after the client gave up, or a copy of it arrives. */
  comesLate: number;
  comesTwice: number;
}

export const CALM: Weather = { fails: 0, hangs: 0, comesLate: 0, comesTwice: 0 };

export class Dialer {
  readonly #options: DialerOptions;
  /** All cables of the client, the last one made last. */
  readonly cables: Cable[] = [];
  weather: Weather = CALM;
  #isAlive = true;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  get last(): Cable | undefined {
    return this.cables.at(-1);
  }

  /** The client's program ended. */
  kill(isTold: boolean): void {
    this.#isAlive = false;
    for (const cable of this.cables) cable.abandon('client', isTold);
  }

  readonly dial = (request: DialRequest): Promise<Dialed> =>
    new Promise((resolve, reject) => {
      const { clock, chance, trace } = this.#options;
      const { fails, hangs, comesLate, comesTwice } = this.weather;
      let isWanted = true;
      const giveUp = (error: QiwayError): void => {
        if (!isWanted) return;
        isWanted = false;
        stopTimer();
        trace(() => `dial (${request.reason}) ends: ${error.code}`);
        reject(error);
      };
      trace(() => `dial (${request.reason})`);
      const { timeoutMs } = request;
      const stopTimer = clock.after(timeoutMs, () =>
        giveUp(new QiwayError('timeout', `No answer within ${timeoutMs} ms.`, { data: { timeoutMs } })),
      );
      if (chance.happens(fails)) {
        clock.after(chance.between(1, 300), () =>
          giveUp(new QiwayError('dial-failed', 'Nobody listens there.', { data: { reason: 'refused' } })),
        );
        return;
      }
      const hangsHere = chance.happens(hangs);
      const isLate = hangsHere && chance.happens(comesLate);
      if (hangsHere && !isLate) return;
      const isDouble = chance.happens(comesTwice);
      /** Handshakes of two kinds: in one of them the client hears of the agent once more, before or after its hello arrives. */
      const knowsEarly = chance.happens(0.5);
      clock.after(chance.between(1, 60), () => {
        if (!isWanted || !this.#isAlive) return;
        const hello = request.hello();
        // The way back is lost; what went is not.
        if (isLate) return this.#arrive(this.#cable(), hello, chance.between(timeoutMs / 2, timeoutMs * 3));
        const travelMs = chance.between(1, 40);
        if (isDouble) this.#arrive(this.#cable(), hello, travelMs + chance.between(0, 8000));
        const cable = this.#cable();
        this.cables.push(cable);
        if (this.cables.length > 8) this.cables.shift();
        this.#arrive(cable, hello, travelMs);
        const knownMs = knowsEarly ? 0 : travelMs + chance.between(1, 40);
        cable.notBefore('client', clock.now() + knownMs + 1);
        clock.after(knownMs, () => {
          if (!isWanted || !this.#isAlive) return cable.abandon('client', chance.happens(0.5));
          isWanted = false;
          stopTimer();
          trace(() => `dial (${request.reason}) leads to cable ${cable.id}`);
          resolve({
            transport: cable.client,
            robot: { id: 'robot', staticKey: new Uint8Array(32) },
            address: `simulated:${cable.id}`,
            isSealed: false,
          });
        });
      });
    });

  #cable(): Cable {
    const { clock, chance, trace, tamper, delivering, delayMs, delayed, made } = this.#options;
    const own = chance.fork();
    const options: CableOptions = {
      id: made(),
      clock,
      chance: own,
      trace,
      tamper,
      delivering,
      delayed,
      delayMs: () => delayMs(own),
    };
    return new Cable(options);
  }

  /** The hello reaches whoever is the agent then. */
  #arrive(cable: Cable, hello: Uint8Array, travelMs: number): void {
    const { clock, clientId, agent, trace } = this.#options;
    cable.notBefore('agent', clock.now() + travelMs);
    clock.after(travelMs, () => {
      if (!cable.isWhole) return;
      trace(() => `hello arrives over cable ${cable.id}: ${new TextDecoder().decode(hello)}`);
      agent().accept(cable, { hello, clientId });
    });
  }
}
