// The page's side of the gateway: passes requests of the service worker on to whoever owns the link, and keeps the worker
// alive while it streams. Knows no session.
import { VERSION } from '../version.ts';
import {
  GATEWAY_PROTOCOL,
  type PageWord,
  type PortMessage,
  type RequestOffer,
  type StreamCount,
} from './gateway-messages.ts';

/** Firefox ends a worker that streams after 30 s, unless a page speaks to it. */
const PING_MS = 10_000;

/** Takes over the port of a request, or has nobody to give it to. */
export type TakeRequest = (port: MessagePort) => 'taken' | 'no-owner';

/**
 * Listens to the service workers of this page, if it can have any; returns how to stop.
 * @param take must not throw
 */
export function listenForGateway(take: TakeRequest): () => void {
  const container = globalThis.navigator?.serviceWorker;
  if (container === undefined) return () => {};
  const pings = new Map<MessageEventSource, ReturnType<typeof setTimeout>>();
  const ping = (worker: MessageEventSource): void => {
    pings.delete(worker);
    worker.postMessage({ qiway: 'ping' } satisfies PageWord);
  };
  const listen = (event: MessageEvent<RequestOffer | StreamCount | undefined>): void => {
    const { data, ports, source } = event;
    if (data?.qiway === 'request') {
      // Of several robots in one page one answers.
      event.stopImmediatePropagation();
      answer(take, data, ports[0]);
    }
    if (data?.qiway !== 'streams' || source === null) return;
    clearTimeout(pings.get(source));
    pings.delete(source);
    // Its answer begins the next round; a worker that was ended has no streams, and does not answer.
    if (data.open > 0)
      pings.set(
        source,
        setTimeout(() => ping(source), PING_MS),
      );
  };
  container.addEventListener('message', listen);
  container.startMessages();
  // There may be streams of other pages, or of this one before it listened.
  container.controller?.postMessage({ qiway: 'ping' } satisfies PageWord);
  return () => {
    container.removeEventListener('message', listen);
    for (const timer of pings.values()) clearTimeout(timer);
  };
}

function answer(take: TakeRequest, { protocol }: RequestOffer, port: MessagePort | undefined): void {
  if (port === undefined) return;
  const refuse = (message: PortMessage): void => {
    port.postMessage(message);
    port.close();
  };
  if (protocol !== GATEWAY_PROTOCOL)
    refuse({ kind: 'mismatch', protocol: GATEWAY_PROTOCOL, version: `${VERSION} (protocol ${GATEWAY_PROTOCOL})` });
  else if (take(port) === 'no-owner') refuse({ kind: 'none' });
}
