// One attempt at a link, from dialing to the welcome. Layer 5; how to dial is given.
import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import { ControlType } from '../wire/link-frame.ts';
import { within } from '../within.ts';
import { encodeControl, type Hello, PROTOCOL_VERSION, readErrorBody, readWelcome, type Welcome } from './control.ts';
import { Link, type LinkOwner } from './link.ts';
import type { Transport } from './transport.ts';

/** Why a link is wanted: there was none yet, it is gone, or there may be a better way than the one in use. */
export type DialReason = 'first' | 'lost' | 'better';

export interface DialRequest {
  /** Body of hello; to be asked for when the handshake gets to it, for each anew. */
  readonly hello: () => Uint8Array;
  /** For everything until the agent has the hello. */
  readonly timeoutMs: number;
  readonly reason: DialReason;
}

/** A transport on which the agent has proved who it is, and has the hello: its first record is the answer. */
export interface Dialed {
  readonly transport: Transport;
  readonly robot: { readonly id: string; readonly staticKey: Uint8Array };
  /** For people: where the agent was found. */
  readonly address: string;
  readonly isSealed: boolean;
}

/** @throws `dial-failed`, `robot-identity-mismatch`, `handshake-failed` */
export type Dial = (request: DialRequest) => Promise<Dialed>;

export interface AttemptOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly reason: DialReason;
  readonly maxBufferedBytes: number;
  /** Asked once for each handshake that gets so far. */
  readonly hello: () => Omit<Hello, 'protocol'>;
}

export interface Made {
  readonly dialed: Dialed;
  readonly link: Link;
  readonly welcome: Welcome;
}

/** The link has no owner yet: it must be given one in the turn in which this resolves. @throws why there is no link */
export async function attempt(options: AttemptOptions): Promise<Made> {
  const { dial, clock, timeoutMs, reason, maxBufferedBytes, hello } = options;
  const beganMs = clock.now();
  const dialed = await dial({
    reason,
    timeoutMs,
    hello: () => encodeControl({ protocol: PROTOCOL_VERSION, ...hello() }),
  });
  const leftMs = Math.max(1, timeoutMs - (clock.now() - beganMs));
  let link: Link | undefined;
  const welcomed = new Promise<Welcome>((resolve, reject) => {
    const owner: LinkOwner = {
      frame: () => {
        throw new QiwayError('wire-invalid', 'The first frame of the agent must be a welcome.');
      },
      control: (type, _id, body) => {
        if (type === ControlType.welcome) resolve(readWelcome(body));
        else if (type === ControlType.refuse || type === ControlType.goodbye)
          reject(readErrorBody(body) ?? new QiwayError('link-lost', 'The agent does not want this client.'));
      },
      batchTaken: () => {},
      drained: () => {},
      rttMeasured: () => {},
      closed: reject,
    };
    link = new Link({ transport: dialed.transport, clock, owner, maxBufferedBytes });
  });
  const made = link as unknown as Link;
  try {
    const welcome = await within(welcomed, { clock, timeoutMs: leftMs }, 'The agent did not answer hello');
    return { dialed, link: made, welcome };
  } catch (error) {
    made.leave(1000, 'no welcome');
    throw error;
  }
}
