// Finds a robot wherever it is: knows the addresses of one robot, races them, and believes only who proves to be that
// robot. Knows no session: it gives transports, and is told what the agent announces.
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import type { Initiated } from '@qiway/protocol/secure/initiate';
import type { Dial, Dialed, DialRequest } from '@qiway/protocol/session/client-session';
import type { WebSocketClass } from '@qiway/protocol/transport/websocket';
import type { AddressBook } from '../address-book/address-book.ts';
import { inOrder } from '../address-book/robot-record.ts';
import type { ExtraWay } from '../leader/lent-ways.ts';
import type { AgentUrl } from './agent-url.ts';
import { dialFailure, type Explain, isUnclear } from './dial-failure.ts';
import { type Failure, type RaceResult, race } from './race.ts';
import { barrierOf, isAnnounceable, isReachable, type PageFacts, type PageNow, withoutTls } from './reachable.ts';
import { type Secure, takeWay, type Way, webSocketWay } from './way.ts';

export interface DialerOptions {
  readonly agent: AgentUrl;
  readonly book: AddressBook;
  /** Asked with each dial, and first with the dialer: what it gives once it gives at once. */
  readonly loadSecure: () => Promise<Secure>;
  readonly WebSocket: WebSocketClass;
  readonly clock: Clock;
  readonly page?: PageFacts | undefined;
  /** Ways there are beside addresses; asked with each dial. */
  readonly extraWays?: () => readonly ExtraWay[];
  /** Looks why the first dial failed; without: what the sockets tell. */
  readonly explain?: Explain;
}

type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'racing';
      readonly reason: DialRequest['reason'];
      readonly beganMs: number;
      readonly stop: () => void;
    }
  /** The race under way is to be run anew. */
  | { readonly kind: 'again' }
  | { readonly kind: 'closed' };

interface OneRace {
  readonly request: DialRequest;
  /** URLs, and names of other ways. */
  readonly candidates: readonly string[];
  readonly extras: ReadonlyMap<string, ExtraWay>;
  readonly secure: Secure;
  readonly staticKey: Uint8Array | undefined;
  readonly deadlineMs: number;
}

/** What an announcement means for the link in use. */
export type BetterWay = 'none' | 'newer' | 'only';

/**
 * How long a way may take to answer when a link was lost, growing with every dial that failed: the robot may meanwhile come
 * back where it was refused a moment ago, which only the next dial will find.
 */
const PATIENCE_MS: readonly number[] = [3000, 5000, 10_000];
/** A search that is younger is not begun anew: events of a page come in flocks. */
const FRESH_MS = 1000;
/**
 * Between two ways: RFC 8305, section 5. Its least when a link was lost: the way that was the best is the one that has just
 * fallen silent, and a robot may be waiting for its operator.
 */
const STAGGER_MS = { first: 250, lost: 100, better: 250 } as const;
/** Of what an agent announces, at once and since the dialer began: more than a robot ever has. */
const MAX_ANNOUNCED = 16;
const MAX_REMEMBERED = 1024;
/** Of the network itself; a robot that is gone does not answer for it, and names cost a question each time. */
const LOCAL_NAME = /\.local(:\d+)?$/i;

export class Dialer {
  readonly #options: DialerOptions;
  /** As it was when it was dialled last. */
  #page: PageNow | undefined;
  /** Pinned: by the URL, or by the first that answered. */
  #robotId: string | undefined;
  #current: string | undefined;
  /** Of the way that was taken last; addresses have 0. */
  #rank = 0;
  #announced: readonly string[] = [];
  /** All that were announced since this dialer began. */
  readonly #onceAnnounced = new Set<string>();
  /** Where another robot was met. */
  readonly #strangers = new Set<string>();
  #failedDials = 0;
  #state: State = { kind: 'idle' };

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#page = options.page;
    this.#robotId = options.agent.robot;
    // Told when it is needed, and tried again then.
    options.loadSecure().catch(() => {});
  }

  /** Of the robot, once that is known. */
  get robotId(): string | undefined {
    return this.#robotId;
  }

  /** The URL of the link that was made last. */
  get current(): string | undefined {
    return this.#current;
  }

  /** @throws `dial-failed` with all addresses and their reasons; `robot-identity-mismatch`; `handshake-failed`; `timeout` */
  readonly dial: Dial = async (request) => {
    const { clock } = this.#options;
    const beganMs = clock.now();
    const [secure, known] = await Promise.all([
      this.#options.loadSecure(),
      this.#robotId === undefined ? undefined : this.#options.book.recall(this.#robotId),
      this.#lookAtPage(),
    ]);
    const urls = this.#candidates(known === undefined ? [] : inOrder(known), request.reason);
    const extras = this.#extras(request.reason);
    const candidates = [...ranked(extras, (rank) => rank < 0), ...urls, ...ranked(extras, (rank) => rank >= 0)];
    const deadlineMs = beganMs + request.timeoutMs;
    for (;;) {
      const race = { request, candidates, extras, secure, staticKey: known?.staticKey, deadlineMs };
      const result = await this.#race(race);
      for (const failure of result.failures) if (!extras.has(failure.candidate)) this.#failed(failure);
      if (result.kind === 'won') {
        const extra = extras.get(result.candidate);
        return extra === undefined ? this.#won(result.candidate, result.value) : this.#wonExtra(extra, result.value);
      }
      const { kind } = this.#state;
      if (kind === 'closed') throw new QiwayError('closed', 'The session was closed while it looked for its robot.');
      if (kind === 'again' && clock.now() < deadlineMs) continue;
      this.#state = { kind: 'idle' };
      if (request.reason === 'lost') this.#failedDials += 1;
      throw await this.#failure(result.failures, request);
    }
  };

  /** What its user allows may have changed. */
  async #lookAtPage(): Promise<void> {
    const { page } = this.#options;
    if (page?.readPermissions !== undefined) this.#page = { ...page, permissions: await page.readPermissions() };
  }

  /**
   * The network may be another: what was dialled before this and has not answered is dialled anew. Nothing happens while
   * no lost link is looked for, or the search has only just begun.
   */
  lookAgain(): void {
    const state = this.#state;
    if (state.kind !== 'racing' || state.reason !== 'lost') return;
    if (this.#options.clock.now() - state.beganMs < FRESH_MS) return;
    this.#state = { kind: 'again' };
    state.stop();
  }

  /** Ends what is under way, and dials no more. */
  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'racing') state.stop();
  }

  #race({
    request,
    candidates,
    extras,
    secure,
    staticKey,
    deadlineMs,
  }: OneRace): Promise<RaceResult<string, Initiated>> {
    const { clock, WebSocket } = this.#options;
    if (this.#state.kind === 'closed') return Promise.resolve({ kind: 'lost', failures: [] });
    return race({
      candidates,
      clock,
      staggerMs: STAGGER_MS[request.reason],
      onStart: (stop) => {
        this.#state = { kind: 'racing', stop, reason: request.reason, beganMs: clock.now() };
      },
      attempt: (candidate, abandon) => {
        const timeoutMs = this.#patienceMs(request, Math.max(1, deadlineMs - clock.now()));
        const robot = { id: this.#robotId, staticKey };
        const extra = extras.get(candidate);
        const way = extra === undefined ? webSocketWay({ url: candidate, WebSocket, clock }) : this.#wayOf(extra);
        return takeWay({ ...way, secure, clock, timeoutMs, hello: request.hello, robot }, abandon);
      },
    });
  }

  /**
   * The agent says where it is, the newest first. The answer tells what to do about it: `newer`, there is a way that was
   * not there before; `only`, the one in use is none any more.
   */
  announced(told: readonly string[]): BetterWay {
    const { book } = this.#options;
    const urls = told.filter((url) => isAnnounceable(url, this.#current)).slice(0, MAX_ANNOUNCED);
    if (this.#onceAnnounced.size > MAX_REMEMBERED) this.#onceAnnounced.clear();
    if (this.#robotId !== undefined) book.announced(this.#robotId, urls);
    const before = this.#announced;
    this.#announced = urls;
    const isFirst = this.#onceAnnounced.size === 0;
    for (const url of urls) this.#onceAnnounced.add(url);
    const current = this.#current;
    // Through a name, a tunnel or a proxy the robot is nearer than by what it knows of itself.
    if (isFirst || current === undefined || !this.#onceAnnounced.has(current)) return 'none';
    const ways = urls.filter((url) => this.#isBetterThan(current, url));
    if (ways.length === 0) return 'none';
    if (!urls.includes(current)) return 'only';
    return ways.some((url) => !before.includes(url)) ? 'newer' : 'none';
  }

  #patienceMs({ reason }: DialRequest, leftMs: number): number {
    if (reason === 'first') return leftMs;
    const patienceMs = PATIENCE_MS[Math.min(this.#failedDials, PATIENCE_MS.length - 1)] ?? leftMs;
    return Math.min(patienceMs, leftMs);
  }

  /** What the book has, the URL that was given, and where the page came from; without what the page may not dial, late what its user is asked for. */
  #candidates(known: readonly string[], reason: DialRequest['reason']): readonly string[] {
    const { agent } = this.#options;
    const page = this.#page;
    if (reason === 'better') return this.#announced.filter((url) => this.#isBetterThan(this.#current, url));
    const own =
      this.#robotId === undefined || page === undefined || !/^https?:/.test(page.origin)
        ? []
        : [`${page.origin.replace(/^http/, 'ws')}/robot/link`];
    // A person who gives a URL that was never used means it; else what was learned since is more likely.
    const isNew = reason === 'first' && !known.includes(agent.link);
    const named = isNew ? [agent.link, ...known, ...own] : [...known, agent.link, ...own];
    const all = [...named, ...withoutTls({ ...agent, robot: this.#robotId }, page)];
    const dialled = [...new Set(all)].filter((url) => isReachable(url, page));
    const isStranger = (url: string): boolean => this.#strangers.has(url);
    const isAsked = (url: string): boolean => !isStranger(url) && barrierOf(url, page) !== undefined;
    const isFree = (url: string): boolean => !isStranger(url) && !isAsked(url);
    return [...dialled.filter(isFree), ...dialled.filter(isAsked), ...dialled.filter(isStranger)];
  }

  /** Nobody is asked for a way that is only better. */
  #isBetterThan(current: string | undefined, url: string): boolean {
    return url !== current && barrierOf(url, this.#page) === undefined && !isLocalName(url);
  }

  /** Where the link stands already, only what is better than it. */
  #extras(reason: DialRequest['reason']): ReadonlyMap<string, ExtraWay> {
    const all = this.#options.extraWays?.() ?? [];
    const useful = reason === 'better' ? all.filter(({ rank }) => rank < this.#rank) : all;
    return new Map(useful.map((way) => [way.name, way]));
  }

  /** Whoever holds it can read what goes over it, but for the seal. */
  #wayOf(extra: ExtraWay): Way {
    return { wantsSeal: true, open: (timeoutMs) => extra.open({ robot: this.#robotId, timeoutMs }) };
  }

  #won(url: string, initiated: Initiated): Dialed {
    this.#strangers.delete(url);
    this.#current = url;
    this.#rank = 0;
    const { robot, transport } = initiated;
    this.#options.book.worked(robot.id, { url, staticKey: robot.staticKey, route: transport.route });
    return { ...this.#taken(initiated), address: new URL(url).host };
  }

  /** It is no address, so the book does not have it. */
  #wonExtra({ name, rank }: ExtraWay, initiated: Initiated): Dialed {
    this.#current = undefined;
    this.#rank = rank;
    return { ...this.#taken(initiated), address: name };
  }

  #taken({ transport, robot, isSealed }: Initiated): Omit<Dialed, 'address'> {
    if (this.#state.kind === 'closed') transport.close(1000, 'the session was closed');
    else this.#state = { kind: 'idle' };
    this.#failedDials = 0;
    this.#robotId ??= robot.id;
    return { transport, robot, isSealed };
  }

  #failed({ candidate, error }: Failure<string>): void {
    if (this.#robotId === undefined) return;
    const { book } = this.#options;
    if ((error as { readonly code?: string }).code !== 'robot-identity-mismatch')
      return book.failed(this.#robotId, candidate);
    this.#strangers.add(candidate);
    book.forget(this.#robotId, candidate);
  }

  async #failure(failures: readonly Failure<string>[], { reason }: DialRequest): Promise<QiwayError> {
    const { agent, explain } = this.#options;
    const page = this.#page;
    if (failures.length === 0 && reason === 'better')
      return new QiwayError('dial-failed', 'The agent told of no other address that can be dialled.', {
        data: { url: agent.link, reason: 'no other address' },
      });
    const barrier = barrierOf(agent.link, page);
    const failed = { failures, given: agent.link, barrier, robot: this.#robotId, page };
    if (reason !== 'first' || explain === undefined) return dialFailure(failed);
    const open = failures.filter(({ error }) => isUnclear(error)).map(({ candidate }) => candidate);
    const findings = open.length === 0 ? undefined : await explain(open, page).catch(() => undefined);
    return dialFailure({ ...failed, findings });
  }
}

/** Names of the ways whose rank is of `kind`, in their order. */
function ranked(extras: ReadonlyMap<string, ExtraWay>, kind: (rank: number) => boolean): readonly string[] {
  const ways = [...extras.values()].filter(({ rank }) => kind(rank));
  return ways.sort((a, b) => a.rank - b.rank).map(({ name }) => name);
}

function isLocalName(url: string): boolean {
  return LOCAL_NAME.test(new URL(url).host);
}
