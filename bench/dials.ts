// How each side that a page can dial is dialled, in Node and in Chromium alike.
import type { Dials, WebSideName } from './echo-client.ts';
import { dialCapnweb } from './peers/capnweb-client.ts';
import { dialRaw, type WebSocketLike } from './peers/raw-client.ts';
import { dialQiway, dialThroughWorker } from './qiway-client.ts';

/** `open` makes the WebSocket of the peers; ours uses what its SDK uses. */
export function makeDials(open: (url: string) => WebSocketLike): Dials<WebSideName> {
  return {
    'raw-2hop': (url) => dialRaw(url, { batched: false, open }),
    'raw-batched': (url) => dialRaw(url, { batched: true, open }),
    capnweb: (url) => dialCapnweb(url, open),
    qiway: dialQiway,
    'qiway-sealed': dialQiway,
    'qiway-worker': dialThroughWorker,
  };
}
