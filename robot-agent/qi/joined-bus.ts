// A robot's bus over TCP: client of its directory and host of services, across the directory's restarts if wanted.
import type { Bus, BusListener, BusObject, BusState, HostedService, ServiceInfo } from '@qiway/protocol/bus/bus';
import type { BusClient } from '@qiway/protocol/directory/bus-client';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';
import type { Attachment } from './attachment.ts';
import { KeptService } from './kept-service.ts';
import type { QiListener } from './listener.ts';
import type { MovedService } from './update-endpoints.ts';

/** A bus over TCP. */
export interface JoinedBus extends Bus {
  /** The directory's URL. */
  readonly url: string;
  /** Where this process offers its services; empty until the first `host`. */
  readonly endpoints: readonly string[];
}

export interface TcpBusOptions {
  readonly url: string;
  readonly keepTrying: boolean;
  readonly onAttemptFailed: ((reason: QiwayError) => void) | undefined;
  readonly attach: (hooks: {
    readonly abort: AbortSignal;
    readonly endpoints: () => readonly string[];
    readonly onServiceRemoved: (serviceId: number, error: QiwayError) => void;
  }) => Promise<Attachment>;
  /** Opens the ports for those who want the services hosted here. */
  readonly listen: (options: {
    readonly services: (serviceId: number) => BusObject | undefined;
    /** Faces the directory. */
    readonly localAddress: string;
    /** This machine has other addresses than before. */
    readonly onEndpoints: () => void;
  }) => Promise<readonly QiListener[]>;
  readonly updateEndpoints: (client: BusClient, service: MovedService) => Promise<void>;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly logger: Logger | undefined;
}

/** First wait before trying again, ms; it doubles up to the last (a robot's directory takes some ten seconds to start). */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 5000;

type State =
  | { readonly name: 'down'; readonly reason: QiwayError; stopWaiting: () => void }
  | { readonly name: 'up'; readonly attachment: Attachment }
  | { readonly name: 'closed'; readonly reason: QiwayError };

export class TcpBus implements JoinedBus {
  readonly #options: TcpBusOptions;
  readonly #listeners = new Set<BusListener>();
  readonly #kept = new Set<KeptService>();
  #state: State;
  #ports: Promise<readonly QiListener[]> | undefined;
  #openPorts: readonly QiListener[] = [];
  readonly #closing = new AbortController();
  /** The local address that the open ports were made for. */
  #listensFor = '';
  #machineId = '';
  #retryMs = FIRST_RETRY_MS;

  constructor(options: TcpBusOptions) {
    this.#options = options;
    this.#state = {
      name: 'down',
      reason: new QiwayError('bus-down', `The service directory at ${options.url} was not reached yet.`, {
        data: { url: options.url },
      }),
      stopWaiting: () => {},
    };
  }

  get url(): string {
    return this.#options.url;
  }

  get state(): BusState {
    return this.#state.name;
  }

  /** Of the last directory reached; empty before. */
  get machineId(): string {
    return this.#machineId;
  }

  get endpoints(): readonly string[] {
    return this.#openPorts.flatMap((port) => port.endpoints);
  }

  async services(): Promise<readonly ServiceInfo[]> {
    return this.#client().services();
  }

  async service(name: string): Promise<BusObject> {
    return this.#client().service(name);
  }

  async serviceInfo(name: string): Promise<ServiceInfo> {
    return this.#client().serviceInfo(name);
  }

  async host(name: string, object: BusObject): Promise<HostedService> {
    const kept = new KeptService(name, object, { ...this.#options, onEnded: (ended) => this.#kept.delete(ended) });
    this.#kept.add(kept);
    try {
      this.#client();
      if (this.#state.name === 'up') await this.#openListeners(this.#state.attachment.localAddress);
      // The directory may have gone meanwhile: `client` says so.
      await kept.register(this.#client());
      return kept;
    } catch (error) {
      kept.abandon(asQiwayError(error));
      throw error;
    }
  }

  listen(listener: BusListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    const state = this.#state;
    if (state.name === 'closed') return;
    const reason = new QiwayError('closed', 'The bus was closed here.');
    this.#state = { name: 'closed', reason };
    this.#closing.abort();
    if (state.name === 'down') state.stopWaiting();
    for (const kept of [...this.#kept]) kept.abandon(undefined);
    if (state.name === 'up') await state.attachment.close(reason);
    await this.#closePorts(reason);
    this.#tell('closed', undefined);
  }

  /** The first attempt. @throws what `attach` throws, unless it is to be tried for ever */
  async begin(): Promise<void> {
    try {
      await this.#attach();
    } catch (error) {
      if (this.#options.keepTrying) return this.#attemptFailed(asQiwayError(error));
      this.#state = { name: 'closed', reason: asQiwayError(error) };
      throw error;
    }
  }

  async #attach(): Promise<void> {
    const attachment = await this.#options.attach({
      abort: this.#closing.signal,
      endpoints: () => this.endpoints,
      onServiceRemoved: (serviceId, error) => {
        for (const port of this.#openPorts) for (const { peer } of port.peers) peer.stopServing(serviceId, error);
      },
    });
    const { client } = attachment;
    if (this.#state.name !== 'down') {
      await attachment.close(new QiwayError('closed', 'The bus was closed here.'));
      return;
    }
    if (client.state !== 'up')
      throw new QiwayError('bus-down', `The service directory at ${this.url} went away at once.`, {
        data: { url: this.url },
      });
    this.#state = { name: 'up', attachment };
    this.#machineId = client.machineId;
    this.#retryMs = FIRST_RETRY_MS;
    client.listen({
      serviceAdded: (info) => {
        for (const listener of [...this.#listeners]) listener.serviceAdded?.(info);
      },
      serviceRemoved: (info) => {
        for (const listener of [...this.#listeners]) listener.serviceRemoved?.(info);
      },
      stateChanged: (_state, reason) => this.#lost(attachment, reason),
    });
    if (this.#kept.size > 0)
      await this.#openListeners(attachment.localAddress).catch((error: unknown) =>
        this.#options.logger?.warn('Services hosted here cannot be offered.', { reason: asQiwayError(error).message }),
      );
    if (this.#state.name !== 'up' || this.#state.attachment !== attachment) return;
    for (const kept of this.#kept) kept.restore(client);
    this.#tell('up', undefined);
  }

  #lost(attachment: Attachment, cause: QiwayError | undefined): void {
    if (this.#state.name !== 'up' || this.#state.attachment !== attachment) return;
    const { url, keepTrying } = this.#options;
    const code = keepTrying ? 'bus-down' : 'closed';
    const sentence = `The service directory at ${url} went away.`;
    const reason =
      code === 'closed'
        ? new QiwayError(code, sentence, { cause })
        : new QiwayError(code, sentence, { data: { url }, cause });
    // Those who came in by our port were told of services whose ids are void now (as libqi: the bus ends).
    for (const port of this.#openPorts) for (const peerSocket of [...port.peers]) peerSocket.close(reason);
    if (keepTrying) {
      this.#tryLater(reason);
      this.#tell('down', reason);
      return;
    }
    this.#state = { name: 'closed', reason };
    for (const kept of [...this.#kept]) kept.abandon(reason);
    void this.#closePorts(reason);
    this.#tell('closed', reason);
  }

  #attemptFailed(reason: QiwayError): void {
    if (this.#state.name === 'closed') return;
    this.#tryLater(reason);
    this.#options.onAttemptFailed?.(reason);
  }

  #tryLater(reason: QiwayError): void {
    if (this.#state.name === 'closed') return;
    const delayMs = this.#retryMs;
    this.#retryMs = Math.min(delayMs * 2, LAST_RETRY_MS);
    const stopWaiting = this.#options.after(delayMs, () => {
      this.#attach().catch((error: unknown) => this.#attemptFailed(asQiwayError(error)));
    });
    this.#state = { name: 'down', reason, stopWaiting };
  }

  #client(): BusClient {
    const state = this.#state;
    if (state.name === 'up') return state.attachment.client;
    if (state.name === 'closed')
      throw new QiwayError('closed', `The bus is closed: ${sentenceOf(state.reason)}`, { cause: state.reason });
    const { url } = this;
    throw new QiwayError(
      'bus-down',
      `The service directory at ${url} cannot be reached at the moment: ${sentenceOf(state.reason)} It is tried again.`,
      { data: { url }, cause: state.reason },
    );
  }

  /** Opens the ports; anew if this machine is in another network since. @throws what `listen` throws */
  async #openListeners(localAddress: string): Promise<void> {
    if (this.#ports !== undefined && this.#listensFor !== localAddress) {
      const closing = this.#closePorts(new QiwayError('closed', 'This machine has another address now.'));
      this.#ports = undefined;
      this.#openPorts = [];
      await closing;
      // The bus may have been lost or closed meanwhile: this says so.
      this.#client();
    }
    this.#ports ??= this.#options.listen({
      services: (serviceId) =>
        this.#state.name === 'up' ? this.#state.attachment.client.ownService(serviceId) : undefined,
      localAddress,
      onEndpoints: () => this.#announceEndpoints(),
    });
    this.#listensFor = localAddress;
    const ports = this.#ports;
    try {
      const open = await ports;
      if (this.#ports === ports) this.#openPorts = open;
    } catch (error) {
      if (this.#ports === ports) this.#ports = undefined;
      throw error;
    }
  }

  /** The directory sends those who want the services of this program to where it listens now. */
  #announceEndpoints(): void {
    if (this.#state.name !== 'up') return;
    const { client } = this.#state.attachment;
    const { updateEndpoints, logger } = this.#options;
    for (const { name, serviceId } of this.#kept) {
      updateEndpoints(client, { name, serviceId, endpoints: this.endpoints }).catch((error: unknown) =>
        logger?.warn('The directory was not told where a service is now.', {
          service: name,
          reason: asQiwayError(error).message,
        }),
      );
    }
  }

  async #closePorts(reason: QiwayError): Promise<void> {
    const ports = (await this.#ports?.catch(() => [])) ?? [];
    await Promise.all(ports.map((port) => port.close(reason)));
  }

  #tell(state: BusState, reason: QiwayError | undefined): void {
    for (const listener of [...this.#listeners]) listener.stateChanged?.(state, reason);
  }
}
