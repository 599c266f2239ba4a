// A service worker's platform in this process: pages with ports, an owner with the door of a test robot, a network.
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import type { DoorOptions } from '../../protocol/http-door/door-types.ts';
import { answerRequest } from '../../sdk/gateway/answer-request.ts';
import type { RequestPort } from '../../sdk/gateway/body-port.ts';
import type { RequestOffer } from '../../sdk/gateway/gateway-messages.ts';
import { RequestsUnderWay } from '../../sdk/gateway/requests-under-way.ts';
import { routeRequest } from '../../sdk/gateway/route-request.ts';
import type { WindowClient } from '../../sdk/gateway/worker-scope.ts';
import { type DoorRobot, doorRobot } from '../support/door-robot.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

/** What a page does with a request that it is offered. */
export type FakePage = (offer: RequestOffer, port: MessagePort) => void;

export interface FakeWorker extends DoorRobot {
  readonly clock: VirtualClock;
  readonly door: Door;
  pages: readonly FakePage[];
  /** Another one: the worker was stopped, and is started again. */
  run: string;
  network: (request: Request) => Promise<Response>;
  /** Answers being streamed now. */
  readonly streams: { open: number };
  /** Ports of the owner, in the order in which it took them. */
  readonly ownerPorts: MessagePort[];
  /** A page whose owner has the robot. */
  readonly ownerPage: FakePage;
  fetch(path: string, init?: RequestInit & { readonly duplex?: 'half' }): Promise<Response>;
  close(): void;
}

export async function fakeWorker(options: Partial<DoorOptions> = {}): Promise<FakeWorker> {
  const robot = await doorRobot();
  const clock = virtualClock();
  const door = createDoor(robot.bus, { clock, newEpoch: () => 'e', ...options });
  const underWay = new RequestsUnderWay(clock);
  const streams = { open: 0 };
  const ownerPorts: MessagePort[] = [];
  const opened: MessagePort[] = [];
  const ownerPage: FakePage = (_, port) => {
    ownerPorts.push(port);
    void answerRequest(port as RequestPort, { door, clock, underWay });
  };
  const worker: FakeWorker = {
    ...robot,
    clock,
    door,
    pages: [ownerPage],
    run: 'first',
    network: async () => {
      throw new TypeError('network error');
    },
    streams,
    ownerPorts,
    ownerPage,
    fetch: (path, init) =>
      routeRequest(new Request(`https://app.test${path}`, init), {
        clients: {
          matchAll: async () => worker.pages.map((page, index) => clientOf(page, index, opened)),
        },
        path,
        signal: init?.signal ?? new AbortController().signal,
        version: '1.0.0',
        from: { client: 'page', scope: '/', run: worker.run },
        timeoutMs: 40_000,
        after: clock.after,
        fetch: (request) => worker.network(request),
        streaming: () => {
          streams.open++;
          return () => streams.open--;
        },
      }),
    close: () => {
      door.close();
      for (const port of opened) port.close();
    },
  };
  return worker;
}

function clientOf(page: FakePage, index: number, opened: MessagePort[]): WindowClient {
  return {
    id: String(index),
    postMessage: (message, [port]) => {
      opened.push(port as MessagePort);
      page(message as RequestOffer, port as MessagePort);
    },
  };
}
