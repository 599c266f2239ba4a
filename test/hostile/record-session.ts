// What a real session sends, as batches: the raw material of mutations.
import { connect, createObject, method } from '@qiway/sdk';
import type { TargetProxy } from './bystander.ts';
import type { AgentProcess } from './processes.ts';

/** Batches after the hello: calls, a large argument, objects both ways, subscriptions, a hosted service. */
export async function recordSession(agent: AgentProcess): Promise<Uint8Array[]> {
  const sent: Uint8Array[] = [];
  const { WebSocket } = globalThis;
  class RecordingSocket extends WebSocket {
    override send(message: Uint8Array<ArrayBuffer>): void {
      sent.push(message.slice());
      super.send(message);
    }
  }
  // The SDK takes the platform's, once its parts are loaded; nobody else dials meanwhile.
  globalThis.WebSocket = RecordingSocket;
  const robot = await connect<{ Target: TargetProxy }>(agent.url).finally(() => {
    globalThis.WebSocket = WebSocket;
  });
  const target = await robot.service('Target');
  const off = await target.stepped.connect(() => {});
  await target.step('recorded', 1);
  await target.lengthOf(new Uint8Array(100_000));
  await target.keep(createObject({ show: method('(s)', 'v', () => {}) }));
  const thing = await target.thing();
  await thing.touch();
  thing.release();
  const hosted = await robot.host('Recorded', { show: () => {} });
  await hosted.close();
  await off();
  await robot.close();
  return sent.slice(1);
}
