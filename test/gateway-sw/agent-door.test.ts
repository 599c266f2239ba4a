// The agent's own HTTP door does what every door does.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { DOOR_HEADER } from '../../sdk/gateway/gateway-messages.ts';
import { type ClientRequest, type DoorClient, doorConformance } from '../http-door/conformance.ts';
import { openDoorAgent } from '../support/door-agent.ts';

async function openClient(): Promise<DoorClient> {
  const { agent, robot, token, close } = await openDoorAgent();
  const send = (path: string, request: ClientRequest = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(`${agent.origin}${path}`, {
      method: request.method ?? 'GET',
      headers: { authorization: `Bearer ${token}`, ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body as string | Uint8Array<ArrayBuffer> }),
      ...(signal === undefined ? {} : { signal }),
    });
  const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());
  return {
    robot,
    close,
    async fetch(path, request) {
      const response = await send(path, request);
      const { status, headers } = response;
      return { status, headers: Object.fromEntries(headers), body: await bytesOf(response) };
    },
    async digest(path, request) {
      const response = await send(path, request);
      const body = await bytesOf(response);
      const sha256 = createHash('sha256').update(body).digest('hex');
      return { status: response.status, length: body.length, sha256 };
    },
    async stream(path, request) {
      const { status, headers, body } = await send(path, request);
      const reader = (body as ReadableStream<Uint8Array>).getReader();
      return {
        status,
        headers: Object.fromEntries(headers),
        next: async () => (await reader.read()).value,
        cancel: () => reader.cancel(),
      };
    },
    async abort(path, request, when) {
      const controller = new AbortController();
      const sent = send(path, request, controller.signal).catch(() => undefined);
      await when;
      controller.abort();
      await sent;
    },
  };
}

doorConformance('the door of the agent', openClient);

test('the agent says that it is a door, also to who has no token: a service worker of its origin looks for it', async () => {
  const { agent, close } = await openDoorAgent();
  const response = await fetch(`${agent.origin}/robot/services`);
  expect([response.status, response.headers.get(DOOR_HEADER)]).toEqual([401, '1']);
  await close();
});
