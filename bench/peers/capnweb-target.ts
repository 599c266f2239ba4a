// Process: a capnweb WebSocket server. With no argument it is the echo service; with the URL of one it is a gateway,
// which forwards every call over one capnweb session and fans events out.
import { newWebSocketRpcSession, type RpcStub, RpcTarget } from 'capnweb';
import { WebSocketServer } from 'ws';
import { ready } from '../probe.ts';
import { bytesOf } from './echo-work.ts';

export type Listener = (number: number) => void;

interface Subscriber {
  (number: number): unknown;
  dup(): Subscriber;
  onRpcBroken(callback: () => void): void;
}

export interface EchoApi {
  echo(number: number): Promise<number> | number;
  down(size: number): Promise<Uint8Array> | Uint8Array;
  up(body: Uint8Array): Promise<number> | number;
  subscribe(listener: Listener): Promise<void> | void;
  emit(count: number): Promise<void> | void;
}

const subscribers = new Set<Subscriber>();

function publish(number: number): void {
  for (const subscriber of subscribers) subscriber(number);
}

function keep(listener: Listener): void {
  // A stub passed as an argument is disposed of when the call returns, unless it is duplicated.
  const subscriber = (listener as unknown as Subscriber).dup();
  subscribers.add(subscriber);
  subscriber.onRpcBroken(() => subscribers.delete(subscriber));
}

class EchoService extends RpcTarget implements EchoApi {
  echo(number: number): number {
    return number;
  }
  down(size: number): Uint8Array {
    return bytesOf(size);
  }
  up(body: Uint8Array): number {
    return body.length;
  }
  subscribe(listener: Listener): void {
    keep(listener);
  }
  emit(count: number): void {
    for (let number = 0; number < count; number += 1) publish(number);
  }
}

class Gateway extends RpcTarget implements EchoApi {
  readonly #service: RpcStub<EchoService>;
  #subscribed: Promise<void> | undefined;

  constructor(service: RpcStub<EchoService>) {
    super();
    this.#service = service;
  }
  async echo(number: number): Promise<number> {
    return await this.#service.echo(number);
  }
  async down(size: number): Promise<Uint8Array> {
    return await this.#service.down(size);
  }
  async up(body: Uint8Array): Promise<number> {
    return await this.#service.up(body);
  }
  async subscribe(listener: Listener): Promise<void> {
    keep(listener);
    this.#subscribed ??= (async (): Promise<void> => {
      await this.#service.subscribe(publish);
    })();
    await this.#subscribed;
  }
  async emit(count: number): Promise<void> {
    await this.#service.emit(count);
  }
}

const serviceUrl = process.argv[2];
const target =
  serviceUrl === undefined ? new EchoService() : new Gateway(newWebSocketRpcSession<EchoService>(serviceUrl));
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 64 * 1024 * 1024 });
server.on('connection', (socket) => {
  newWebSocketRpcSession(socket as unknown as WebSocket, target);
});
server.on('listening', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') ready(`ws://127.0.0.1:${address.port}/`);
});
