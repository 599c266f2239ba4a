// What an agent that serves TLS answers to requests without it: pages are sent to https, tokens are refused, unless nobody
// can listen on the way. Knows no sockets.
import { QiwayError } from '@qiway/protocol/errors';
import type { DoorResponse } from '@qiway/protocol/http-door/door-types';
import { emptyResponse, problemResponse } from '@qiway/protocol/http-door/responses';
import { isLoopback } from '../address.ts';

export interface PlainRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  /** As in the request, and checked. */
  readonly host: string;
  /** Address of the client. */
  readonly from: string;
}

/** Undefined: answer as if it had come over TLS. */
export function answerPlain({ method, url, host, from }: PlainRequest): DoorResponse | undefined {
  const [path = '/'] = url.split('?');
  if (path === '/healthz') return undefined;
  const isForTokens = path === '/metrics' || path === '/robot' || path.startsWith('/robot/');
  if (isForTokens) {
    if (isLoopback(from.replace(/^::ffff:/i, ''))) return undefined;
    const sentence = `Send this to https://${host} instead: a token that is shown without TLS can be read on the way. One that was shown is known to others; give the agent a new one.`;
    return problemResponse(new QiwayError('forbidden', sentence, { data: { reason: 'without TLS' } }));
  }
  // What names another host in its path is for a proxy, and would lead there.
  if ((method !== 'GET' && method !== 'HEAD') || !url.startsWith('/')) return undefined;
  // For this time only: the agent may be started without TLS again. The fragment with the token goes along in the browser.
  return emptyResponse(307, { location: `https://${host}${url}`, 'cache-control': 'no-store' });
}
