// Our side's client: the SDK, in Node and in Chromium alike.
import { connect, type Signal } from '@qiway/sdk';
import type { EchoClient } from './echo-client.ts';

interface Services {
  Echo: {
    echo(number: number): number;
    down(size: number): Uint8Array;
    up(body: Uint8Array): number;
    emit(count: number): void;
    readonly tick: Signal<[number]>;
  };
}

export async function dialQiway(url: string): Promise<EchoClient> {
  const robot = await connect<Services>(url);
  const service = await robot.service('Echo');
  return {
    echo: (number) => service.echo(number),
    down: (size) => service.down(size),
    up: (body) => service.up(body),
    subscribe: async (listener) => {
      await service.tick.connect(listener);
    },
    emit: (count) => service.emit(count),
    close: () => robot.close(),
  };
}
