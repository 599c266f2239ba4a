// An owner as the SharedWorker has it, in this process, and tabs with lines of comlink to it, as pages have; the agent behind it is
// in memory. `restart` is what happens when the browser ends the worker. A fixture.
import { systemClock as clock } from '@qiway/protocol/transport/system-clock';
import { expose } from 'comlink';
import { openOwnerLending } from '../../sdk/leader/owner-lending.ts';
import type { OpenedRobot } from '../../sdk/owner/open-robot.ts';
import { Owner } from '../../sdk/owner/owner.ts';
import type { OwnerRequest } from '../../sdk/owner/owner-port.ts';
import { TabDoor } from '../../sdk/owner/tab-door.ts';
import type { LedSession } from '../../sdk/tab/owner-followers.ts';
import { openTabSession } from '../../sdk/tab/tab-session.ts';
import type { TabSessionRequest } from '../../sdk/tab/tab-state.ts';
import { type MemoryDoor, memoryDoor, randomBytes, TOKEN } from '../support/memory-session.ts';

export interface OwnerLab {
  readonly agent: MemoryDoor;
  /** What owners were asked to open, in order. */
  readonly opened: OwnerRequest[];
  /** Another in its place: what the owner does with a request. */
  open: (request: OwnerRequest) => Promise<OpenedRobot>;
  /** The worker that is there now, or would be started. */
  readonly owner: Owner;
  readonly worker: TabSessionRequest['worker'];
  request(changes?: Partial<TabSessionRequest>): TabSessionRequest;
  tab(changes?: Partial<TabSessionRequest>): Promise<LedSession>;
  /** The worker ends without a word. */
  restart(): void;
  close(): Promise<void>;
}

interface Life {
  readonly owner: Owner;
  end(): void;
}

export function ownerLab(): OwnerLab {
  const agent = memoryDoor({ clock });
  const tabs: LedSession[] = [];
  const opened: OwnerRequest[] = [];
  const robots: OpenedRobot[] = [];
  const lab: OwnerLab = {
    agent,
    opened,
    open: async () => {
      const session = await agent.open({ clock });
      const lending = openOwnerLending(clock);
      const robot: OpenedRobot = {
        session,
        probe: () => session.probe(),
        answer: (port) => port.close(),
        lead: (port) => {
          const tab = lending.serve(port);
          return () => tab.leave('its tab is gone');
        },
        serveQueue: () => () => {},
        openDoor: (transport, told) => new TabDoor(transport, { session, clock, random: randomBytes, ...told }),
      };
      robots.push(robot);
      return robot;
    },
    get owner() {
      return now().owner;
    },
    worker: Object.defineProperty(new EventTarget(), 'port', { get: () => now().connect() }) as SharedWorker,
    request: (changes) => ({
      agent: { shown: 'http://127.0.0.1:1/', link: 'ws://127.0.0.1:1/robot/link', token: TOKEN },
      token: TOKEN,
      clock,
      timeoutMs: 5_000,
      worker: lab.worker,
      ...changes,
    }),
    tab: async (changes) => {
      const tab = await openTabSession(lab.request(changes));
      tabs.push(tab);
      return tab;
    },
    restart: () => {
      life?.end();
      life = undefined;
      for (const { session } of robots.splice(0)) session.link?.transport.close(4400, 'the worker ended');
    },
    close: async () => {
      await Promise.all(tabs.map((tab) => tab.close()));
      life?.end();
      for (const { session } of robots) await session.close();
      await agent.bus.close();
    },
  };
  let life: (Life & { connect(): MessagePort }) | undefined;
  const now = (): Life & { connect(): MessagePort } => {
    life ??= begin((request) => {
      opened.push(request);
      return lab.open(request);
    });
    return life;
  };
  return lab;
}

function begin(open: (request: OwnerRequest) => Promise<OpenedRobot>): Life & { connect(): MessagePort } {
  const name = `qiway-owner ${crypto.randomUUID()}`;
  const ports: MessagePort[] = [];
  const end = Promise.withResolvers<void>();
  const held = Promise.withResolvers<string>();
  void navigator.locks.request(name, () => {
    held.resolve(name);
    return end.promise;
  });
  const owner = new Owner({
    clock,
    open,
    lock: held.promise,
    whenFree: (lock, run) => void navigator.locks.request(lock, run).catch(run),
  });
  return {
    owner,
    connect: () => {
      const { port1, port2 } = new MessageChannel();
      ports.push(port1);
      expose(owner.tab(), port1);
      return port2;
    },
    end: () => {
      for (const port of ports) port.close();
      end.resolve();
    },
  };
}
