// The page (or the Node program) owns the link: its own WebSocket, its own session.

import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import { isQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { openSession } from '@qiway/protocol/session/client-session';
import { SUBPROTOCOL } from '@qiway/protocol/session/control';
import { dialWebSocket, type WebSocketClass } from '@qiway/protocol/transport/websocket';
import { onDemand } from '../on-demand.ts';
import { VERSION } from '../version.ts';
import type { Dial } from './dial.ts';

export const pageDial: Dial = async ({ url, token, clock, timeoutMs }) => {
  const { WebSocket } = globalThis;
  if (WebSocket === undefined)
    throw new QiwayError('unsupported', 'This runtime has no WebSocket; Node has one since version 22.', {
      data: { what: 'WebSocket' },
    });
  const startedMs = clock.now();
  const transport = await dialWebSocket({
    url,
    protocol: SUBPROTOCOL,
    timeoutMs,
    clock,
    WebSocket: WebSocket as WebSocketClass,
  }).catch((error: unknown) => {
    throw fromElsewhere(error, url);
  });
  const leftMs = Math.max(1, timeoutMs - (clock.now() - startedMs));
  const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
  return openSession(transport, {
    token,
    clock,
    random,
    client: `qiway-sdk/${VERSION}`,
    timeoutMs: leftMs,
    serving: lazyServing(onDemand),
  });
};

/** A browser does not tell its page that an agent refused the page's origin; a frequent slip, so it is named. */
function fromElsewhere(error: unknown, url: string): unknown {
  const page = globalThis.location;
  if (page === undefined || !isQiwayError(error) || error.code !== 'dial-failed') return error;
  if (new URL(url).host === page.host) return error;
  const hint = `If it runs, it may not let in pages of ${page.origin}: start it with --allow-origin ${page.origin}.`;
  return new QiwayError('dial-failed', `${sentenceOf(error)} ${hint}`, { data: { ...error.data, url }, cause: error });
}
