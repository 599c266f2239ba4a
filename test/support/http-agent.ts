// The agent's HTTP and WebSocket server over a door robot, on a port of the kernel's choice; and raw requests to it.
import { once } from 'node:events';
import { request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createDoor } from '../../protocol/http-door/door.ts';
import type { Transport } from '../../protocol/session/transport.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { createGuard } from '../../robot-agent/door/guard.ts';
import { createHttpServer, type HttpLimits } from '../../robot-agent/door/http.ts';
import { type Counts, createCounts } from '../../robot-agent/door/metrics.ts';
import { createPageHosts } from '../../robot-agent/door/page-hosts.ts';
import { acceptWebSockets, LINK_LIMITS, type LinkLimits } from '../../robot-agent/door/websocket.ts';
import { type DoorRobot, doorRobot } from './door-robot.ts';

export const TOKEN = 'right-token';

export interface HttpAgent extends DoorRobot {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  readonly counts: Counts;
  /** Transports of accepted WebSockets, and how to say that their client is known. */
  readonly accepted: { readonly transport: Transport; readonly known: () => void }[];
  close(): Promise<void>;
}

export interface HttpAgentOptions {
  readonly web?: string;
  readonly allowOrigins?: readonly string[];
  readonly allowHosts?: readonly string[];
  readonly httpLimits?: Partial<HttpLimits>;
  readonly linkLimits?: Partial<LinkLimits>;
  readonly maxBodyBytes?: number;
  readonly onAccept?: (transport: Transport) => void;
}

export async function httpAgent(options: HttpAgentOptions = {}): Promise<HttpAgent> {
  const robot = await doorRobot();
  const counts = createCounts();
  const guard = createGuard({
    token: TOKEN,
    allowedHosts: options.allowHosts ?? [],
    allowedOrigins: options.allowOrigins ?? [],
    ownHosts: () => ['127.0.0.1', '::1', '192.0.2.7', 'nao.local'],
    pageHosts: createPageHosts({ onFailed: () => {} }),
  });
  const { maxBodyBytes } = options;
  const door = createDoor(robot.bus, {
    clock: systemClock,
    newEpoch: () => 'e',
    onCall: () => counts.httpCalls++,
    ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
  });
  const server = createHttpServer({
    guard,
    door,
    counts,
    web: options.web,
    readings: () => ({
      version: '1.2.3',
      isBusUp: robot.bus.state === 'up',
      sessions: { link: 5, qi: 0 },
      detachedSessions: 2,
      journal: { calls: 6, bytes: 7, running: 8 },
      held: { calls: 1, subscriptions: 2, objects: 3, queuedBytes: 4 },
    }),
    ...(options.httpLimits === undefined ? {} : { limits: options.httpLimits }),
  });
  const accepted: { transport: Transport; known: () => void }[] = [];
  const webSockets = acceptWebSockets(server, {
    guard,
    counts,
    limits: { ...LINK_LIMITS, ...options.linkLimits },
    isFull: () => false,
    accept: (transport, { known }) => {
      accepted.push({ transport, known });
      options.onAccept?.(transport);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    webSockets.terminate();
    door.close();
    await closed;
  };
  return { ...robot, port, url: `http://127.0.0.1:${port}`, server, counts, accepted, close };
}

/** Sends bytes as they are and gives all that comes until the server closes. */
export async function rawRequest(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

/** fetch chooses Host and Origin itself; this sends what it is told. */
export function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: '127.0.0.1', path, method: options.method ?? 'GET', headers: options.headers ?? {} },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}
