// The echo service as a typed object, as the client that the measures want: for all our sides alike.
import type { RemoteObject, Signal } from '@qiway/sdk';
import type { EchoClient } from './echo-client.ts';

export interface Services {
  Echo: {
    echo(number: number): number;
    down(size: number): Uint8Array;
    up(body: Uint8Array): number;
    emit(count: number): void;
    readonly tick: Signal<[number]>;
  };
}

export function echoClient(service: RemoteObject<Services['Echo']>, close: () => Promise<void>): EchoClient {
  return {
    echo: (number) => service.echo(number),
    down: (size) => service.down(size),
    up: (body) => service.up(body),
    subscribe: async (listener) => {
      await service.tick.connect(listener);
    },
    emit: (count) => service.emit(count),
    close,
  };
}
