// Two peers joined in memory: what one sends the other receives, in order, a microtask later.
import { randomBytes } from 'node:crypto';
import { decodeError } from '../../protocol/bus/error-payload.ts';
import { Peer, type PeerAgreement, type PeerLimits } from '../../protocol/bus/peer.ts';
import { serving } from '../../protocol/bus/serving.ts';
import type { ServiceLookup, ServingGuard } from '../../protocol/bus/serving-side.ts';
import { QiwayError } from '../../protocol/errors.ts';
import type { MessageHeader } from '../../protocol/wire/message.ts';

export interface SentMessage {
  readonly header: MessageHeader;
  readonly payload: Uint8Array;
}

export interface PeerPair {
  /** Serves what `services` gives. */
  readonly server: Peer;
  readonly client: Peer;
  /** All that went over, by who sent it. */
  readonly sent: { readonly server: readonly SentMessage[]; readonly client: readonly SentMessage[] };
  /** Closes both, as when a link breaks. */
  cut(): void;
}

export interface PeerPairOptions {
  readonly services?: ServiceLookup;
  readonly clientServices?: ServiceLookup;
  /** Of the server. */
  readonly guard?: ServingGuard;
  /** Of both sides. */
  readonly agreement?: () => PeerAgreement;
  readonly limits?: Partial<PeerLimits>;
  readonly errors?: 'text' | 'record';
}

export function peerPair({
  services = () => undefined,
  clientServices = () => undefined,
  guard,
  agreement,
  limits,
  errors = 'text',
}: PeerPairOptions): PeerPair {
  const sent = { server: [] as SentMessage[], client: [] as SentMessage[] };
  const make = (from: 'server' | 'client', lookup: ServiceLookup): Peer =>
    new Peer({
      send: (header, payload) => {
        const message = { header: { ...header }, payload };
        sent[from].push(message);
        queueMicrotask(() => (from === 'server' ? client : server).receive(message.header, payload));
      },
      serving: serving({ services: lookup, errors, ...(guard !== undefined && from === 'server' ? { guard } : {}) }),
      randomUid: () => new Uint8Array(randomBytes(20)),
      decodeError,
      ...(limits === undefined ? {} : { limits }),
    });
  const server: Peer = make('server', services);
  const client: Peer = make('client', clientServices);
  if (agreement !== undefined) for (const peer of [server, client]) peer.agree(agreement());
  const cut = (): void => {
    const error = new QiwayError('link-lost', 'The link broke.');
    server.close(error);
    client.close(error);
  };
  return { server, client, sent, cut };
}
