// An agent with safety, a session of an owner, and tabs attached to it by doors: all in memory, on a virtual clock.
import { Peer } from '@qiway/protocol/bus/peer';
import { serving } from '@qiway/protocol/bus/serving';
import { fetchObject } from '@qiway/protocol/directory/fetch-object';
import { createObjectMap } from '@qiway/protocol/objects/object-map';
import * as onDemand from '@qiway/protocol/objects/on-demand';
import type { LooseMembers, RemoteObject } from '@qiway/protocol/objects/remote-types';
import { linkedPart } from '@qiway/protocol/part';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { PlainWire } from '@qiway/protocol/session/plain-wire';
import type { Transport } from '@qiway/protocol/session/transport';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { TabDoor } from '../../sdk/owner/tab-door.ts';
import { type MemoryDoor, randomBytes } from '../support/memory-session.ts';
import { safeDoor } from '../support/safe-door.ts';

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

export async function tabLab(): Promise<TabLab> {
  const safe = await safeDoor();
  const { agent, log, mover } = safe;
  const { clock, bus } = agent;
  let lose = (): void => {};
  const { onDial } = agent;
  agent.onDial = (dialing) => {
    const dialled = onDial(dialing);
    let isLosing = false;
    lose = () => {
      isLosing = true;
    };
    const send = dialled.send.bind(dialled);
    dialled.send = (part, rest) => isLosing || send(part, rest);
    return dialled;
  };
  const session = await agent.open();
  return {
    agent,
    session,
    log,
    hostMover: (name) => bus.host(name, mover()),
    lose: () => lose(),
    cut() {
      safe.isThere = false;
      safe.cut();
    },
    comeBack() {
      safe.isThere = true;
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
