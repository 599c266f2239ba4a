// A network in memory: what answers at a URL, how late, and what came to it. Sockets have the face of `WebSocket`; agents
// are the real handshake. Time is a clock that the test moves.
import crypto from 'node:crypto';
import { type Accepted, accept } from '../../protocol/secure/accept.ts';
import type { AgreementKey, IdentityKey } from '../../protocol/secure/crypto.ts';
import { idOf } from '../../protocol/secure/identity.ts';
import { initiate, isStaticKeyUnknown } from '../../protocol/secure/initiate.ts';
import { type NodeCrypto, type NodeCryptoModule, nodeCrypto } from '../../protocol/secure/node-crypto.ts';
import type { CloseCode, Transport, TransportListener } from '../../protocol/session/transport.ts';
import type { WebSocketClass } from '../../protocol/transport/websocket.ts';
import type { Secure } from '../../sdk/dial/way.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

export const primitives: NodeCrypto = nodeCrypto(crypto as NodeCryptoModule);

/** Who somebody is. */
export interface Being {
  readonly id: string;
  readonly identity: IdentityKey;
  readonly staticKey: AgreementKey;
}

export async function being(): Promise<Being> {
  const identity = await primitives.makeIdentity();
  return { id: await idOf(primitives, identity.publicKey), identity, staticKey: await primitives.makeAgreementKey() };
}

/** What is at an address. `mute` opens and says nothing; `silent` never opens. */
export type Place =
  | { readonly kind: 'agent'; readonly who: Being; readonly delayMs?: number }
  | { readonly kind: 'refuses'; readonly delayMs?: number }
  | { readonly kind: 'mute' }
  | { readonly kind: 'silent' };

/** A socket that somebody opened, as the other side sees it. */
export interface Visit {
  readonly url: string;
  readonly atMs: number;
  /** Bytes of each message that came. */
  readonly messages: Uint8Array[];
  isClosed: boolean;
}

type Events = Map<string, (event: never) => void>;

export class FakeNetwork {
  readonly places: Map<string, Place> = new Map();
  readonly visits: Visit[] = [];
  readonly accepted: Accepted[] = [];
  readonly WebSocket: WebSocketClass;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    const open = (socket: FakeSocket, url: string): void => this.#open(socket, url);
    this.WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super();
        open(this, url);
      }
    };
  }

  /** When each address was dialled, ms. */
  get dialled(): readonly (readonly [url: string, atMs: number])[] {
    return this.visits.map(({ url, atMs }) => [url, atMs]);
  }

  #open(socket: FakeSocket, url: string): void {
    const visit: Visit = { url, atMs: this.#clock.now(), messages: [], isClosed: false };
    this.visits.push(visit);
    socket.onEnd = () => {
      visit.isClosed = true;
    };
    const place = this.places.get(url) ?? { kind: 'refuses' };
    if (place.kind === 'silent') return;
    const delayMs = ('delayMs' in place ? place.delayMs : undefined) ?? 5;
    this.#clock.after(delayMs, () => {
      if (socket.readyState !== 0) return;
      if (place.kind === 'refuses') return socket.end(1006);
      const transport = agentSide(socket, visit);
      socket.opened();
      if (place.kind === 'mute') return transport.listen({ message: () => {}, drain: () => {}, close: () => {} });
      const { identity, staticKey } = place.who;
      accept(transport, {
        identity,
        staticKey,
        crypto: primitives,
        mustSeal: false,
        clock: this.#clock,
        timeoutMs: 5000,
      }).then(
        (accepted) => this.accepted.push(accepted),
        () => {},
      );
    });
  }
}

/** The handshake of a client, as a page has it loaded. */
export function secureAs(client: Being): Secure {
  return {
    initiate: (transport, options) => initiate(transport, { ...client, ...options, crypto: primitives }),
    isStaticKeyUnknown,
  };
}

class FakeSocket {
  binaryType = '';
  readonly bufferedAmount = 0;
  readyState = 0;
  onEnd: () => void = () => {};
  /** Of the other side. */
  onMessage: (bytes: Uint8Array) => void = () => {};
  onClosed: (code: number) => void = () => {};
  readonly #listeners: Events = new Map();

  addEventListener(type: string, listener: (event: never) => void): void {
    const before = this.#listeners.get(type);
    this.#listeners.set(type, (event) => {
      before?.(event);
      listener(event);
    });
  }

  send(bytes: Uint8Array): void {
    const copy = bytes.slice();
    queueMicrotask(() => this.onMessage(copy));
  }

  close(code = 1000): void {
    this.end(code);
  }

  opened(): void {
    this.readyState = 1;
    this.#emit('open', {});
  }

  message(bytes: Uint8Array): void {
    if (this.readyState === 1) this.#emit('message', { data: Uint8Array.from(bytes).buffer });
  }

  end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onEnd();
    queueMicrotask(() => {
      this.#emit('close', { code, reason: '' });
      this.onClosed(code);
    });
  }

  #emit(type: string, event: object): void {
    this.#listeners.get(type)?.(event as never);
  }
}

function agentSide(socket: FakeSocket, visit: Visit): Transport {
  let listener: TransportListener | undefined;
  socket.onMessage = (bytes) => {
    visit.messages.push(bytes);
    listener?.message(bytes);
  };
  socket.onClosed = (code) => listener?.close('closed', code);
  return {
    route: 'direct',
    bufferedBytes: 0,
    send: (part, rest = []) => {
      const whole = Buffer.concat([part, ...rest]);
      queueMicrotask(() => socket.message(whole));
      return true;
    },
    close: (code: CloseCode) => socket.end(code),
    listen: (given) => {
      listener = given;
    },
  };
}
