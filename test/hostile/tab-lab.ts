// An agent with safety, a session of an owner, and tabs attached to it by doors: all in memory, on a virtual clock.
import { Peer } from '@qiway/protocol/bus/peer';
import { serving } from '@qiway/protocol/bus/serving';
import { fetchObject } from '@qiway/protocol/directory/fetch-object';
import { createObject, type HostedObject, method } from '@qiway/protocol/objects/hosted-object';
import { createObjectMap } from '@qiway/protocol/objects/object-map';
import * as onDemand from '@qiway/protocol/objects/on-demand';
import type { LooseMembers, RemoteObject } from '@qiway/protocol/objects/remote-types';
import { linkedPart } from '@qiway/protocol/part';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { PlainWire } from '@qiway/protocol/session/plain-wire';
import type { Transport } from '@qiway/protocol/session/transport';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { createCounts } from '../../robot-agent/door/metrics.ts';
import { createSafety } from '../../robot-agent/safety/safety.ts';
import { TabDoor } from '../../sdk/owner/tab-door.ts';
import { type MemoryDoor, memoryDoor, randomBytes } from '../support/memory-session.ts';

export interface LabTab {
  readonly door: TabDoor;
  readonly peer: Peer;
  readonly wire: PlainWire;
  service(name: string): Promise<RemoteObject<LooseMembers>>;
  own(): Promise<RemoteObject<LooseMembers>>;
  directory(): Promise<RemoteObject<LooseMembers>>;
  /** It runs no code: nothing is answered, and what it sends comes when it is over. */
  hang(isHung: boolean): void;
}

export interface TabLab {
  readonly agent: MemoryDoor;
  readonly session: ClientSession;
  /** What the robot did, with the time. */
  readonly log: string[];
  tab(change?: (transport: Transport) => Transport): LabTab;
  /** Hosts the mover of {@link TabLab.log} under another name. */
  hostMover(name: string): Promise<unknown>;
  /** What is sent over the link from now on gets lost on the way. */
  lose(): void;
  /** The link breaks; another can be dialled after `comeBack`. */
  cut(): void;
  comeBack(): void;
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export async function tabLab(): Promise<TabLab> {
  const log: string[] = [];
  let isGone = false;
  let link: Transport | undefined;
  let lose = (): void => {};
  const agent = memoryDoor({
    told: () => ({ bus: 'up', classes: safety.told }),
    ownObject: (session) => {
      const object: HostedObject = createObject(
        safety.membersFor(session, (name, ...args) => {
          object.emit(name, ...args);
        }),
      );
      return object;
    },
    guard: (session) => safety.guardFor(session),
  });
  const { clock, bus } = agent;
  const safety = createSafety({ bus, clock, logger: quiet, counts: createCounts() });
  agent.onDial = (dialled) => {
    if (isGone) throw new Error('nobody there');
    link = dialled;
    let isLosing = false;
    lose = () => {
      isLosing = true;
    };
    const send = dialled.send.bind(dialled);
    dialled.send = (part, rest) => isLosing || send(part, rest);
    return dialled;
  };
  const mover = (): HostedObject =>
    createObject({
      moveToward: method('(fff)', 'v', (x: number) => void log.push(`${clock.now()} move ${x}`)),
      stopMove: method('()', 'v', () => void log.push(`${clock.now()} stop`)),
      picture: method('(I)', 'r', (bytes: number) => new Uint8Array(bytes)),
    });
  await bus.host('ALMotion', mover());
  const session = await agent.open();
  return {
    agent,
    session,
    log,
    hostMover: (name) => bus.host(name, mover()),
    lose: () => lose(),
    cut() {
      isGone = true;
      link?.close(1000, 'cut');
    },
    comeBack() {
      isGone = false;
    },
    tab: (change = (transport) => transport) => {
      const [ours, theirs] = memoryTransports();
      const door = new TabDoor(change(theirs), {
        session,
        clock,
        random: randomBytes,
        onBeat: (everyMs) => session.setBeat(everyMs),
        onEnded: () => {},
      });
      const held: (() => void)[] = [];
      let isHung = false;
      /** In its turn, or when it runs again. */
      const run = (what: () => void): void => {
        if (isHung) held.push(what);
        else what();
      };
      const wire: PlainWire = new PlainWire(
        {
          get route() {
            return ours.route;
          },
          get bufferedBytes() {
            return ours.bufferedBytes;
          },
          send: (part, rest) => {
            run(() => ours.send(part, rest));
            return true;
          },
          close: (code, reason) => ours.close(code, reason),
          listen: ({ message, ...rest }) => ours.listen({ ...rest, message: (bytes) => run(() => message(bytes)) }),
        },
        {
          clock,
          onMessage: (header, payload) => peer.receive(header, payload),
          onClosed: (error) => peer.close(error),
        },
      );
      const peer: Peer = new Peer({
        send: (header, payload) => wire.send(header, payload),
        serving: serving({ services: () => undefined, errors: 'record' }),
        randomUid: () => randomBytes(20),
      });
      const map = createObjectMap({ clock, report: () => {}, part: linkedPart(onDemand), timeoutMs: 0 });
      const object = async (id: number): Promise<RemoteObject<LooseMembers>> =>
        map.wrap<LooseMembers>(await fetchObject(peer, id, { clock, timeoutMs: 60_000 }));
      return {
        door,
        peer,
        wire,
        own: () => object(0),
        directory: () => object(1),
        service: async (name) => object((await bus.serviceInfo(name)).serviceId),
        hang(hangs) {
          isHung = hangs;
          if (!hangs) for (const what of held.splice(0)) what();
        },
      };
    },
  };
}
