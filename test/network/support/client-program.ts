// Clients on a host of the network, many in one program: each question names the client that it is for.
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { Collected } from '../../contract/calls.ts';
import { answerQuestions } from '../../hostile/questions.ts';
import { type Client, type ClientSpec, openClient } from './clients.ts';

interface Target {
  readonly client: string;
  readonly service: string;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** For a dial to where nobody answers. */
const DIAL_MS = 1500;

const clients = new Map<string, Client>();
let decoyed = 0;
const heard = new Map<string, Collected<unknown>>();

function client(name: string): Client {
  const found = clients.get(name);
  if (found === undefined) throw new Error(`no client ${name}`);
  return found;
}

async function names(name: string): Promise<string[]> {
  const infos = await client(name).infos();
  return infos.map((info) => info.name).sort();
}

/** What passes bytes on, as `ssh -L` does; its port on loopback. */
function openTunnel({ host, port }: Address): Promise<number> {
  const server = createServer((near: Socket) => {
    const far = connectTcp({ host, port });
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
    });
  });
}

/** `open`, or why not. */
function dial({ host, port }: Address): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: DIAL_MS });
    const settle = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => settle('open'));
    socket.once('timeout', () => settle('timeout'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'error'));
  });
}

/** A program that only counts who comes in. */
function openDecoy({ host, port }: Address): Promise<void> {
  const server = createServer((socket) => {
    decoyed += 1;
    socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
}

answerQuestions({
  open: async ({ as, ...spec }: ClientSpec & { readonly as: string }) => {
    clients.set(as, await openClient(spec));
  },
  names,
  endpoints: async ({ client: name, service }: Target) =>
    (await client(name).infos()).find((info) => info.name === service)?.endpoints,
  call: ({ client: name, service, method, args }: Target & { readonly method: string; readonly args: unknown[] }) =>
    client(name).call(service, method, args),
  subscribe: async ({ client: name, service, signal }: Target & { readonly signal: string }) => {
    const events = new Collected<unknown>();
    heard.set(`${name} ${service} ${signal}`, events);
    await client(name).subscribe(service, signal, (argument) => events.add(argument));
  },
  /** All events so far, once there are so many. */
  events: ({ client: name, service, signal, count }: Target & { readonly signal: string; readonly count: number }) =>
    heard.get(`${name} ${service} ${signal}`)?.count(count),
  /** All events so far, once the last is this one. */
  heard: ({ client: name, service, signal, last }: Target & { readonly signal: string; readonly last: unknown }) =>
    heard.get(`${name} ${service} ${signal}`)?.until((all) => all.at(-1) === last),
  host: ({ client: name, service }: Target) => client(name).host(service),
  handOn: ({ client: name, from, to }: { readonly client: string; readonly from: string; readonly to: string }) =>
    client(name).handOn(from, to),
  /** Resolves once the service is there, or is not. */
  listed: ({ client: name, service, isThere }: Target & { readonly isThere: boolean }) =>
    new Promise<void>((resolve, reject) => {
      const look = (): void => {
        names(name).then((all) => all.includes(service) === isThere && resolve(), reject);
      };
      client(name).onChange(look);
      look();
    }),
  /** Resolves once the robot's bus is so. */
  busIs: ({ client: name, isUp }: { readonly client: string; readonly isUp: boolean }) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (client(name).isBusUp() === isUp) resolve();
      };
      client(name).onChange(look);
      look();
    }),
  /** May be asked again. */
  close: (name: string) => client(name).close(),
  dial,
  openDecoy,
  decoyed: () => decoyed,
  openTunnel,
});
