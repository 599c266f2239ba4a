// Both ends of a handshake, and a wire between that tests look at and tamper with.
import { type Accepted, type AcceptOptions, accept } from '@qiway/protocol/secure/accept';
import type { Crypto } from '@qiway/protocol/secure/crypto';
import type { Credentials } from '@qiway/protocol/secure/identity';
import { idOf } from '@qiway/protocol/secure/identity';
import { type Initiated, type InitiateOptions, initiate } from '@qiway/protocol/secure/initiate';
import type { Transport, TransportListener } from '@qiway/protocol/session/transport';
import { joined } from '@qiway/protocol/transport/joined';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { onNode } from './cryptos.ts';

export interface Party extends Credentials {
  readonly id: string;
}

export async function party(crypto: Crypto = onNode): Promise<Party> {
  const identity = await crypto.makeIdentity();
  return { identity, staticKey: await crypto.makeAgreementKey(), id: await idOf(crypto, identity.publicKey) };
}

export const HELLO: Uint8Array = new TextEncoder().encode('{"protocol":2}');

/** What one end puts on the wire, in whole messages; what it returns travels instead. */
export type Tamper = (message: Uint8Array, index: number) => readonly Uint8Array[];

export interface Wire {
  readonly left: Transport;
  readonly right: Transport;
  /** As it travelled. */
  readonly fromLeft: Uint8Array[];
  readonly fromRight: Uint8Array[];
}

export function wire(tamper: { readonly left?: Tamper; readonly right?: Tamper } = {}): Wire {
  const [left, right] = memoryTransports();
  const [fromLeft, fromRight]: [Uint8Array[], Uint8Array[]] = [[], []];
  return {
    left: tapped(left, fromLeft, tamper.left),
    right: tapped(right, fromRight, tamper.right),
    fromLeft,
    fromRight,
  };
}

function tapped(transport: Transport, seen: Uint8Array[], tamper: Tamper = (message) => [message]): Transport {
  let count = 0;
  return {
    route: transport.route,
    bufferedBytes: 0,
    send: (part, rest) => {
      for (const message of tamper(rest === undefined ? part : joined(part, rest), count++)) {
        seen.push(message.slice());
        transport.send(message);
      }
      return true;
    },
    close: (code, reason) => transport.close(code, reason),
    listen: (listener) => transport.listen(listener),
  };
}

export const robot: Party = await party();
export const client: Party = await party();

export function startAccept(
  transport: Transport,
  changes: Partial<AcceptOptions> & { clock: VirtualClock },
): Promise<Accepted> {
  return accept(transport, { crypto: onNode, ...robot, mustSeal: true, timeoutMs: 5000, ...changes });
}

export function startInitiate(
  transport: Transport,
  changes: Partial<InitiateOptions> & { clock: VirtualClock },
): Promise<Initiated> {
  return initiate(transport, {
    crypto: onNode,
    ...client,
    hello: () => HELLO,
    wantsSeal: true,
    timeoutMs: 3000,
    ...changes,
  });
}

export interface Met {
  readonly wire: Wire;
  readonly initiated: Initiated;
  readonly accepted: Accepted;
  readonly clock: VirtualClock;
}

export async function meet({
  initiating = {},
  accepting = {},
  tamper = {},
}: {
  readonly initiating?: Partial<InitiateOptions>;
  readonly accepting?: Partial<AcceptOptions>;
  readonly tamper?: { readonly left?: Tamper; readonly right?: Tamper };
} = {}): Promise<Met> {
  const between = wire(tamper);
  const clock = virtualClock();
  const [accepted, initiated] = await Promise.all([
    startAccept(between.right, { ...accepting, clock }),
    startInitiate(between.left, { ...initiating, clock }),
  ]);
  return { wire: between, initiated, accepted, clock };
}

/** What an end was told. */
export class Told implements TransportListener {
  readonly messages: Uint8Array[] = [];
  readonly closes: { readonly reason: string; readonly code: number | undefined }[] = [];
  drains = 0;
  readonly #changed = new Set<() => void>();

  message(bytes: Uint8Array): void {
    this.messages.push(bytes);
    this.#tell();
  }

  drain(): void {
    this.drains++;
    this.#tell();
  }

  close(reason: string, code?: number): void {
    this.closes.push({ reason, code });
    this.#tell();
  }

  /** Resolves as soon as it holds. */
  async until(holds: (told: Told) => boolean): Promise<this> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#changed.add(resolve));
    return this;
  }

  #tell(): void {
    for (const resolve of this.#changed) resolve();
    this.#changed.clear();
  }
}

/** Listens to a bare transport. */
export function listenTo(transport: Transport): Told {
  const told = new Told();
  transport.listen(told);
  return told;
}
