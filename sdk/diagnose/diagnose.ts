// Why a robot cannot be used from here, step by step: from the URL to the first call. Works in pages and in Node; opens a
// session of its own, and closes it. A chunk of its own, with what owns a link.
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { within } from '@qiway/protocol/within';
import { type AgentUrl, parseAgentUrl } from '../dial/agent-url.ts';
import { ANSWER_MS, askLocalNetwork } from '../dial/local-network.ts';
import { barrierOf, type PageFacts, type PageNow, pageFacts, spaceOf, withoutTls } from '../dial/reachable.ts';
import { adviceForError, type Place } from './advice.ts';
import { type Probed, probe } from './probe.ts';
import { runSteps, type Step, type StepReport } from './steps.ts';
import { type Trial, tryAgent } from './trial.ts';

export interface DiagnoseOptions {
  /** In place of the one in the URL's fragment. */
  readonly token?: string;
  /** For each step, ms; default 10 s. The user's answer to the browser's question has 30 s. */
  readonly timeoutMs?: number;
  /** Hears of each step as it ends. */
  readonly onStep?: (step: StepReport) => void;
}

/** For tests. */
export interface InternalDiagnoseOptions extends DiagnoseOptions {
  readonly clock?: Clock;
  readonly page?: PageFacts | undefined;
  readonly fetch?: typeof fetch;
}

export interface Diagnosis {
  readonly isOk: boolean;
  /** In the order in which they were tried. */
  readonly steps: readonly StepReport[];
  /** One line: that all is in order, or which step failed and what to do. */
  readonly summary: string;
}

const TIMEOUT_MS = 10_000;
/** Calls whose median is the round trip. */
const ROUND_TRIPS = 11;
/** The bus's own service. */
const DIRECTORY_NAME = 'ServiceDirectory';

/** Never rejects. */
export async function diagnose(url: string, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const examination = new Examination(url, options);
  try {
    const steps = await runSteps(examination.steps, options.onStep ?? (() => {}));
    return { isOk: inTheWay(steps) === undefined, steps, summary: summaryOf(steps) };
  } finally {
    examination.close();
  }
}

/** The step to look at first; undefined: the robot can be used. */
function inTheWay(steps: readonly StepReport[]): StepReport | undefined {
  const failed = steps.filter(({ state }) => state === 'failed');
  const looks = failed.filter(({ name }) => name === 'certificate' || name === 'agent');
  const hasLink = steps.some(({ name, state }) => name === 'WebSocket' && state === 'ok');
  // The second look at an address says more than a socket does, unless there is a link in spite of it.
  const [look] = looks;
  if (look !== undefined && !hasLink) return look;
  return failed.findLast((step) => !looks.includes(step));
}

function summaryOf(steps: readonly StepReport[]): string {
  const failed = inTheWay(steps);
  if (failed === undefined) return `All is in order: ${steps.find(({ name }) => name === 'handshake')?.detail}.`;
  const { name, detail, advice } = failed;
  return `The step "${name}" failed: ${detail}${advice === undefined ? '' : ` → ${advice}`}`;
}

class Examination {
  readonly steps: readonly Step[];
  readonly #url: string;
  readonly #options: InternalDiagnoseOptions;
  readonly #page: PageFacts | undefined;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #agent: AgentUrl | undefined;
  #probed: Promise<Probed> | undefined;
  #found: Probed | undefined;
  #trial: Trial | undefined;

  constructor(url: string, options: InternalDiagnoseOptions) {
    this.#url = url;
    this.#options = options;
    this.#page = 'page' in options ? options.page : pageFacts();
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    const ofPage = this.#page === undefined ? [] : [this.#pageStep(), this.#permissionStep()];
    this.steps = [this.#urlStep(), ...ofPage, ...this.#addressSteps(), ...this.#linkSteps(), ...this.#robotSteps()];
  }

  close(): void {
    this.#trial?.close();
  }

  #urlStep(): Step {
    return {
      name: 'URL',
      run: () => {
        this.#agent = parseAgentUrl(this.#url, globalThis.location?.href);
        return new URL(this.#agent.shown).origin;
      },
      advice: () => 'give the whole line that the agent printed: http://127.0.0.1:8080/#token=…',
    };
  }

  #pageStep(): Step {
    return {
      name: 'page',
      run: () => {
        const page = this.#page as PageFacts;
        if (barrierOf(this.#link, page) === 'mixed-content')
          throw new QiwayError('dial-failed', `the page of ${page.origin} is https, and ${this.#place.host} is not`, {
            data: { why: 'mixed-content' },
          });
        const what = globalThis.isSecureContext === false ? 'not secure' : 'secure';
        return `of ${page.origin}, ${what}; the robot's address is ${WHERE[spaceOf(new URL(this.#link).hostname)]}`;
      },
      advice: (error) => adviceForError(error, this.#place),
    };
  }

  #permissionStep(): Step {
    return {
      name: 'permission',
      run: async () => {
        const { fetch } = this.#options;
        const asking = {
          page: this.#page,
          clock: this.#clock,
          timeoutMs: ANSWER_MS,
          ...(fetch !== undefined && { fetch }),
        };
        const answer = await askLocalNetwork([this.#link], asking);
        if (answer === 'denied')
          throw new QiwayError('dial-failed', 'access to the local network was denied to this page', {
            data: { why: 'permission-denied' },
          });
        if (answer === 'granted') return 'this page may use the local network';
        return { skipped: UNASKED[answer] };
      },
      advice: (error) => adviceForError(error, this.#place),
    };
  }

  #addressSteps(): readonly Step[] {
    const fails = ({ why, found }: Probed): never => {
      throw new QiwayError('dial-failed', found, { data: why === undefined ? {} : { why } });
    };
    const say = (error: QiwayError): string => adviceForError(error, this.#place);
    return [
      {
        name: 'name',
        run: async () => {
          const { hostname } = new URL(this.#link);
          if (/^[\d.]+$|^\[/.test(hostname)) return { skipped: 'an address needs no name' };
          const probed = await this.#look();
          if (probed.why === 'name') return fails(probed);
          return isThere(probed) ? `${hostname} is known` : { skipped: 'browsers do not tell whether it is known' };
        },
        advice: say,
      },
      {
        name: 'certificate',
        run: async () => {
          if (!this.#link.startsWith('wss:'))
            return { skipped: 'plain http has none; the handshake proves who answers' };
          const probed = await this.#look();
          if (isOfTls(probed)) return fails(probed);
          return isThere(probed) ? 'trusted' : { skipped: 'nothing answers that would show one' };
        },
        advice: say,
        isOptional: this.#page !== undefined,
      },
      {
        name: 'agent',
        run: async () => {
          const probed = await this.#look();
          if (probed.why === 'certificate') return { skipped: 'behind a certificate that is not trusted' };
          if (probed.why === 'no-tls') return `answers at ${this.#place.host}, without TLS`;
          return probed.why === undefined ? probed.found : fails(probed);
        },
        advice: say,
        // What a page may not fetch may be dialled all the same: the rules of its site are others for each.
        isOptional: this.#page !== undefined,
      },
    ];
  }

  #linkSteps(): readonly Step[] {
    const advice = (error: QiwayError): string => adviceForError(error, this.#place);
    const isLater = (error: unknown): boolean => asQiwayError(error).code === 'unauthorized';
    return [
      {
        name: 'WebSocket',
        run: async () => {
          await this.#begin().opened;
          return this.#dialled === this.#link ? 'opens' : `opens without TLS, at ${this.#dialled}`;
        },
        advice: (error) =>
          this.#found?.why === undefined ? adviceForError({ ...error, data: {} }, this.#place) : this.#found.advice,
      },
      {
        name: 'handshake',
        run: async () => {
          const { robot, isSealed } = await this.#begin().handshake.catch(inShort);
          return `it is robot ${robot.id}, and what is said is ${isSealed ? 'sealed' : 'not sealed on this computer'}`;
        },
        advice,
      },
      {
        name: 'token',
        run: async () => {
          try {
            await this.#begin().session;
            return 'accepted';
          } catch (error) {
            if (isLater(error)) throw error;
            return { skipped: 'the agent did not come to look at it' };
          }
        },
        advice,
      },
      {
        name: 'session',
        run: async () => {
          const { agent } = await this.#begin().session;
          return `with ${agent.name} ${agent.version}`;
        },
        advice,
      },
    ];
  }

  #robotSteps(): readonly Step[] {
    return [
      {
        name: 'bus',
        run: async () => {
          const { bus, busReason } = (await this.#session()).told;
          if (bus === 'up') return 'up';
          throw new QiwayError('bus-down', `the robot’s bus is down${busReason === undefined ? '' : `: ${busReason}`}`);
        },
        advice: () =>
          'the agent cannot reach the robot’s service directory: is naoqi (or the simulated robot) running, and is the agent’s --bus right? Its log says why it cannot join; it goes on trying',
      },
      {
        name: 'services',
        run: async () => {
          const names = (await this.#services()).filter((name) => name !== DIRECTORY_NAME);
          if (names.length === 0) throw new QiwayError('service-gone', 'no robot offers services on the bus');
          return `${names.length}: ${names.join(', ')}`;
        },
        advice: ({ code }) =>
          code === 'service-gone'
            ? 'start the robot’s software (or the simulated robot), or give the agent the --bus of a robot; an agent without --bus waits at its --bus-listen'
            : 'the bus is there and does not answer: see the log of the agent',
        isOptional: true,
      },
      {
        name: 'round trip',
        run: async () => {
          const times: number[] = [];
          for (let count = 0; count < ROUND_TRIPS; count += 1) {
            const beganMs = this.#clock.now();
            await this.#services();
            times.push(this.#clock.now() - beganMs);
          }
          const median = times.sort((a, b) => a - b)[Math.floor(ROUND_TRIPS / 2)] ?? 0;
          return `${median.toFixed(1)} ms (median of ${ROUND_TRIPS} calls)`;
        },
        advice: () => 'calls do not come back: see the log of the agent',
      },
    ];
  }

  get #link(): string {
    return this.#agent?.link ?? '';
  }

  /** As who connects would in the end. */
  get #dialled(): string {
    const [plain] = this.#agent === undefined ? [] : withoutTls(this.#agent, this.#page);
    const isBarred = plain !== undefined && barrierOf(plain, this.#page) === 'mixed-content';
    return plain === undefined || isBarred || this.#found === undefined || !isOfTls(this.#found) ? this.#link : plain;
  }

  get #place(): Place {
    return { host: URL.canParse(this.#link) ? new URL(this.#link).host : '', origin: this.#page?.origin };
  }

  /** Asked once, for all steps that need it. */
  async #look(): Promise<Probed> {
    const { fetch } = this.#options;
    const clock = this.#clock;
    this.#probed ??= (async () => {
      const { readPermissions, ...page } = this.#page ?? {};
      const now =
        this.#page === undefined ? undefined : { ...(page as PageNow), ...(await permissionsBy(readPermissions)) };
      const timeoutMs = this.#timeoutMs;
      return probe(this.#link, { page: now, clock, timeoutMs, ...(fetch !== undefined && { fetch }) });
    })();
    this.#found = await this.#probed;
    return this.#found;
  }

  #begin(): Trial {
    const given = this.#agent as AgentUrl;
    const agent = { ...given, link: this.#dialled };
    const token = this.#options.token ?? agent.token;
    this.#trial ??= tryAgent({ agent, token, clock: this.#clock, timeoutMs: this.#timeoutMs });
    return this.#trial;
  }

  #session(): Promise<ClientSession> {
    return this.#begin().session;
  }

  async #services(): Promise<readonly string[]> {
    const session = await this.#session();
    const limit = { clock: this.#clock, timeoutMs: this.#timeoutMs };
    const infos = await within(session.services(), limit, 'The robot did not say what it offers');
    return infos.map(({ name }) => name);
  }
}

const WHERE = {
  loopback: 'of this machine',
  local: 'of a local network',
  unknown: 'a name or an address of the internet, as far as it tells',
} as const;

const UNASKED = {
  'not-needed': 'not needed here',
  unsupported: 'this browser asks for none; its rules of mixed content hold',
  'prompt-unanswered': 'not answered, or nobody is there: browsers ask only once somebody answers',
} as const;

async function permissionsBy(read: PageFacts['readPermissions']): Promise<Pick<PageNow, 'permissions'>> {
  return read === undefined ? {} : { permissions: await read() };
}

/** Who answers; what to do about it is the advice. @throws always */
function inShort(thrown: unknown): never {
  const error = asQiwayError(thrown);
  const { found, expected } = error.data as { readonly found?: string; readonly expected?: string };
  if (error.code !== 'robot-identity-mismatch' || found === undefined || expected === undefined) throw error;
  throw new QiwayError(error.code, `robot ${found} answers, and not ${expected}`, { data: { expected, found } });
}

function isOfTls({ why }: Probed): boolean {
  return why === 'certificate' || why === 'no-tls';
}

/** Something answered there, whatever it was. */
function isThere({ why }: Probed): boolean {
  return why === undefined || why === 'no-agent' || why === 'origin' || why === 'no-tls';
}
