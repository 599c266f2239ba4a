// The agent's bus and the session object, as a client has them: joined with its first session, and again with each that takes
// the place of another. Layer 5. It knows no links.
import type { BusObject } from '../bus/bus.ts';
import type { Peer } from '../bus/peer.ts';
import type { Clock } from '../clock.ts';
import { BusClient } from '../directory/bus-client.ts';
import { describeServices } from '../directory/describe-services.ts';
import { fetchObject } from '../directory/fetch-object.ts';
import type { KnownServices } from '../directory/known-services.ts';
import { DIRECTORY_ID } from '../directory/registry.ts';
import { QiwayError } from '../errors.ts';
import { toHex } from '../hex.ts';

export interface JoinedBusOptions {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly random: (count: number) => Uint8Array;
  /** Told whenever a session has been joined. */
  readonly joined: () => void;
  /** What is remembered of the robot's services. */
  readonly known?: KnownServices | undefined;
  /** Does the link stand? While it does not, answers come from what is known. Default: it does. */
  readonly isOnline?: () => boolean;
}

const OWN_OBJECT = 0;

export class JoinedBus {
  readonly #options: JoinedBusOptions;
  #session = '';
  #isJoined = false;
  #bus: BusClient | undefined;
  #own: Promise<BusObject> | undefined;
  /** What is known of the robot is read. */
  #opened: Promise<void> | undefined;
  /** Of the session of now; its questions survive a link. */
  #joining: Promise<void> | undefined;
  /** Services that others host through this session, by id. */
  readonly #lent = new Map<number, () => BusObject | Promise<BusObject>>();

  constructor(options: JoinedBusOptions) {
    this.#options = options;
  }

  /** Once it was joined for the first time, or is known from before. */
  get now(): BusClient | undefined {
    return this.#bus;
  }

  /** @throws `closed` before it was joined */
  needed(): BusClient {
    if (this.#bus === undefined) throw new QiwayError('closed', 'The session is not open yet.');
    return this.#bus;
  }

  /** What this side serves: hosted here, or lent. */
  served(serviceId: number): BusObject | Promise<BusObject> | undefined {
    return this.#bus?.ownService(serviceId) ?? this.#lent.get(serviceId)?.();
  }

  /** The main object of a service of the session of now, with one reference. @throws as `fetchObject` */
  async object(serviceId: number): Promise<BusObject> {
    const { peer, clock, timeoutMs } = this.#options;
    const known = serviceId > DIRECTORY_ID ? await this.#bus?.serviceAt(serviceId) : undefined;
    if (known !== undefined) return known;
    return fetchObject(peer, serviceId, { clock, timeoutMs });
  }

  /** Serves a service that somebody registered through this session; returns how to stop. */
  lend(serviceId: number, object: () => BusObject | Promise<BusObject>): () => void {
    this.#lent.set(serviceId, object);
    return () => {
      if (this.#lent.get(serviceId) !== object) return;
      this.#lent.delete(serviceId);
      const gone = new QiwayError('service-gone', `Service #${serviceId} was taken off the bus.`);
      this.#options.peer.stopServing(serviceId, gone);
    };
  }

  /** The session object; of each session another. @throws as calls do */
  own(): Promise<BusObject> {
    const { peer, clock, timeoutMs } = this.#options;
    const own = this.#own ?? fetchObject(peer, OWN_OBJECT, { clock, timeoutMs });
    this.#own = own;
    own.catch(() => {
      if (this.#own === own) this.#own = undefined;
    });
    return own;
  }

  /** There is no session yet: what is known answers for it. */
  beginsKnown(): void {
    this.#bus ??= this.#makeBus();
  }

  /** A session that knows nothing of this side; `join` is to follow. */
  begins(session: string, robotId: string): void {
    this.#opened = this.#options.known?.open(robotId);
    this.#session = session;
    this.#isJoined = false;
  }

  /** The session is over; another may begin. */
  ends(): void {
    this.#own?.then((own) => own.release()).catch(() => {});
    this.#own = undefined;
    this.#bus?.forgotten();
    this.#joining = undefined;
  }

  /** Is the session of now joined? */
  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** @throws what is to be asked again */
  async join(): Promise<void> {
    const joining = this.#joining ?? this.#join();
    this.#joining = joining;
    try {
      await joining;
    } finally {
      if (this.#joining === joining) this.#joining = undefined;
    }
  }

  /** The link stands again: services that were answered from memory meanwhile are looked for. @throws what is to be asked again */
  async lookForRemembered(): Promise<void> {
    await this.#bus?.lookForRemembered();
  }

  /** The directory, for the first time or again. */
  async #join(): Promise<void> {
    const session = this.#session;
    const bus = this.#bus ?? this.#makeBus();
    await this.#opened;
    await bus.join();
    this.#bus = bus;
    if (this.#session !== session) return; // another one took its place, and joins itself
    this.#isJoined = true;
    this.#options.joined();
  }

  #makeBus(): BusClient {
    const { peer, clock, timeoutMs, random, known, isOnline } = this.#options;
    const limit = { clock, timeoutMs };
    const session = (): string => this.#session;
    return new BusClient({
      peer,
      ...limit,
      identity: {
        machineId: toHex(random(16)),
        processId: 0,
        get sessionId() {
          return session();
        },
        endpoints: () => [],
      },
      ...(known !== undefined && { known, describe: () => describeServices(peer, limit) }),
      ...(isOnline !== undefined && { isReachable: isOnline }),
    });
  }
}
