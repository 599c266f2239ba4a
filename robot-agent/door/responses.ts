// Puts the door's responses on a node:http response, streams included.
import type { ServerResponse } from 'node:http';
import type { DoorResponse } from '@qiway/protocol/http-door/door-types';

/** A reader of events that takes nothing for so long is gone: events or their heartbeat come more often. */
const STALLED_MS = 60_000;

/** Resolves once the response is with the network or the client is gone; never rejects. */
export async function sendResponse(response: ServerResponse, { status, headers, body }: DoorResponse): Promise<void> {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body instanceof Uint8Array) {
    if (status !== 204 && status !== 304 && !response.hasHeader('content-length'))
      response.setHeader('content-length', body.length);
    response.writeHead(status).end(body);
    return;
  }
  response.writeHead(status);
  response.flushHeaders();
  const chunks = body[Symbol.asyncIterator]();
  const stop = (): void => void chunks.return?.();
  response.once('close', stop);
  response.setTimeout(STALLED_MS, () => response.destroy());
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    if (response.destroyed) break;
    if (!response.write(next.value)) await drained(response);
  }
  response.off('close', stop);
  stop();
  response.end();
}

/** Resolves when there is room again, or nobody to write to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.on('drain', settle).on('close', settle);
  });
}
