// Tabs at doors of one session, and the agent behind it: in memory, on a clock that stands still. A fixture.
import { Peer } from '@qiway/protocol/bus/peer';
import { serving } from '@qiway/protocol/bus/serving';
import type { BusClient } from '@qiway/protocol/directory/bus-client';
import { createObject } from '@qiway/protocol/objects/hosted-object';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { JoinedBus } from '@qiway/protocol/session/joined-bus';
import { PlainWire } from '@qiway/protocol/session/plain-wire';
import type { Transport } from '@qiway/protocol/session/transport';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { flowMembers } from '../../robot-agent/session/flow-members.ts';
import { TabDoor } from '../../sdk/owner/tab-door.ts';
import { createEchoService, type EchoService } from '../support/echo-service.ts';
import { type Gate, gated } from '../support/gated-transport.ts';
import { type MemoryDoor, memoryDoor, randomBytes } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

export interface DoorTab {
  readonly door: TabDoor;
  /** The bus of the robot, as the tab sees it. */
  readonly bus: BusClient;
  readonly wire: PlainWire;
  readonly peer: Peer;
  /** It is gone, without a word. */
  die(): void;
}

export interface DoorLab {
  readonly agent: MemoryDoor;
  readonly echo: EchoService;
  readonly session: ClientSession;
  /** Of what comes from the agent. */
  readonly gate: Gate;
  /** Events that the agent left out. */
  readonly counts: { readonly eventsThinned: number };
  /** How often the door was told to end. */
  readonly ended: number[];
  tab(change?: (transport: Transport) => Transport): Promise<DoorTab>;
}

export async function doorLab(): Promise<DoorLab> {
  const counts = { eventsThinned: 0, eventsMissed: 0 };
  const agent = memoryDoor({
    eventCounts: counts,
    ownObject: (session) => createObject(flowMembers(session)),
  });
  let gate: Gate | undefined;
  agent.onDial = (dialled) => {
    gate = gated(dialled);
    return gate.transport;
  };
  const { clock } = agent;
  const echo = createEchoService(clock);
  await agent.bus.host('Echo', echo.object);
  const session = await agent.open();
  const ended: number[] = [];
  return {
    agent,
    echo,
    session,
    get gate() {
      return gate as Gate;
    },
    counts,
    ended,
    tab: async (change = (transport) => transport) => {
      const [ours, theirs] = memoryTransports();
      const door = new TabDoor(change(theirs), {
        session,
        clock,
        random: randomBytes,
        onBeat: () => {},
        onEnded: () => ended.push(clock.now()),
      });
      const wire: PlainWire = new PlainWire(ours, {
        clock,
        onMessage: (header, payload) => peer.receive(header, payload),
        onClosed: (error) => peer.close(error),
      });
      const peer: Peer = new Peer({
        send: (header, payload) => wire.send(header, payload),
        serving: serving({ services: (id) => joined.served(id), errors: 'record' }),
        randomUid: () => randomBytes(20),
      });
      const joined = new JoinedBus({ peer, clock, timeoutMs: 10_000, random: randomBytes, joined: () => {} });
      joined.begins(session.sessionId, session.robotId);
      await joined.join();
      return { door, bus: joined.needed(), wire, peer, die: () => ours.close(1000, 'gone') };
    },
  };
}

/** Lets what was sent come to both agent and tab, and their answers back. */
export async function quiet(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await settled();
}
