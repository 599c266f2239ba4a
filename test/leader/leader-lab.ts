// Pages, an owner that they lend transports, and an agent at the other end: in memory, on a clock that stands still. Every link of
// the session goes through the page that leads. A fixture.
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, type HostedObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { decodePayload, plainObjects } from '../../protocol/objects/values.ts';
import type { ClientSession, Dial } from '../../protocol/session/client-session.ts';
import type { Transport } from '../../protocol/session/transport.ts';
import { memoryTransports } from '../../protocol/transport/memory.ts';
import { type LeaderTab, leaderTab } from '../../sdk/leader/leader-tab.ts';
import { Lending, type TabLending } from '../../sdk/leader/lending.ts';
import type { WayOffer } from '../../sdk/leader/lent-ways.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';
import { FakeChannels } from './fake-channel.ts';
import { FakeLocks } from './fake-locks.ts';

export const WAY: WayOffer = { name: 'tab:stand-in', route: 'webrtc', rank: 10 };

export interface LabPage {
  readonly name: string;
  readonly tab: LeaderTab;
  /** The owner's part of it. */
  readonly lending: TabLending;
  readonly window: EventTarget;
  readonly channels: FakeChannels;
  /** What it opened, the page's end. */
  readonly opened: Transport[];
  /** Its process is gone: it answers nothing. */
  isCrashed: boolean;
}

export interface LabOptions {
  readonly by: 'locks' | 'owner';
  /** Does the platform tell a port that the other one is gone? */
  readonly tellsClose: boolean;
}

export class LeaderLab {
  readonly door: MemoryDoor = memoryDoor();
  readonly lending: Lending = new Lending(this.door.clock);
  readonly locks: FakeLocks = new FakeLocks();
  /** Results of `add`, in the order in which the calls ran. */
  count = 0;
  readonly object: ReturnType<typeof counter> = counter(this);
  readonly #options: LabOptions;
  /** The agent's ends of transports that nobody has said hello on. */
  readonly #fresh: Transport[] = [];

  constructor(options: LabOptions) {
    this.#options = options;
  }

  page(name: string): LabPage {
    const lending = this.lending.tab();
    const window = new EventTarget();
    const channels = new FakeChannels(this.#options.tellsClose);
    const opened: Transport[] = [];
    const page: Omit<LabPage, 'tab'> = { name, lending, window, channels, opened, isCrashed: false };
    const tab = leaderTab({
      robot: 'robot',
      way: WAY,
      owner: lending,
      locks: this.#options.by === 'locks' ? this.locks.of(name) : undefined,
      page: { window },
      clock: this.door.clock,
      newChannel: channels.open,
      open: async () => {
        if (page.isCrashed) return new Promise(() => {});
        const [ours, theirs] = memoryTransports();
        this.#fresh.push(theirs);
        opened.push(ours);
        return ours;
      },
    });
    return Object.assign(page, { tab });
  }

  /** The page's process dies: nothing it had says goodbye, but its sockets; the owner hears of it a moment later. */
  crash(page: LabPage, tellAfterMs = 40): void {
    page.channels.crash();
    for (const transport of page.opened) transport.close(1000, 'its process died');
    page.isCrashed = true;
    this.door.clock.after(tellAfterMs, () => {
      this.locks.crash(page.name);
      page.lending.leave('its tab is gone');
    });
  }

  readonly dial: Dial = async ({ hello, timeoutMs }) => {
    const [way] = this.lending.ways.now();
    if (way === undefined) throw new QiwayError('dial-failed', 'No page leads.');
    const transport = await way.open({ robot: 'robot', timeoutMs });
    this.door.host.accept(this.#fresh.pop() as Transport, { hello: hello(), clientId: 'client', address: way.name });
    return { transport, robot: { id: 'robot', staticKey: new Uint8Array(32) }, address: way.name, isSealed: true };
  };

  async open(): Promise<ClientSession> {
    await this.door.bus.host('Counter', this.object);
    // Until somebody leads.
    await this.door.clock.advance(1);
    return this.until(this.door.open({ dial: this.dial }));
  }

  /** What `promise` comes to, time passing as needed. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    promise.then(over, over);
    for (let round = 0; !isOver && round < 2000; round += 1) await this.door.clock.advance(10);
    if (!isOver) throw new Error('nothing came of it in 20 s');
    return promise;
  }
}

function counter(lab: { count: number }): HostedObject {
  return createObject({
    add: method('(i)', 'i', (by: number) => {
      lab.count += by;
      return lab.count;
    }),
    counted: signal('(i)'),
  });
}

/** Everything that is heard of `counted`, gaps too. */
export async function listenTo(session: ClientSession, lab: LeaderLab): Promise<unknown[]> {
  const service = await lab.until(session.service('Counter'));
  const uid = [...service.metaObject.signals.values()].find(({ name }) => name === 'counted')?.uid ?? 0;
  const heard: unknown[] = [];
  const { ready } = service.subscribe(uid, {
    event: (event) => heard.push(...(decodePayload(event, plainObjects) as unknown[])),
    gap: (missed) => heard.push({ missed }),
    gone: (error) => heard.push(error.code),
  });
  await lab.until(ready);
  return heard;
}
