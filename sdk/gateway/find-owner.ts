// Part of the service worker: asks all pages at once who owns a link, each over a port of its own. Keeps nothing.
import { GATEWAY_PROTOCOL, type PortMessage, type RequestOffer } from './gateway-messages.ts';
import type { Clients } from './worker-scope.ts';

/** A page that lives answers in a few milliseconds; one that is busy drawing may need longer. */
const OWNER_TIMEOUT_MS = 1000;

export type Owner =
  | { readonly kind: 'owner'; readonly port: MessagePort }
  | { readonly kind: 'none' }
  /** Nobody but pages of another version of the SDK. */
  | { readonly kind: 'mismatch'; readonly version: string };

export interface FindOwnerOptions {
  readonly version: string;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** The first that says it has an owner. Pages that the worker does not control may own the link as well. */
export async function findOwner(
  clients: Pick<Clients, 'matchAll'>,
  { version, after }: FindOwnerOptions,
): Promise<Owner> {
  const pages = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  const offer: RequestOffer = { qiway: 'request', protocol: GATEWAY_PROTOCOL, version };
  return new Promise((resolve) => {
    const open = new Set<MessagePort>();
    let refusal: Owner = { kind: 'none' };
    const settle = (owner: Owner): void => {
      stopTimer();
      for (const port of open) {
        port.onmessage = null;
        port.postMessage({ kind: 'bye' } satisfies PortMessage);
        port.close();
      }
      open.clear();
      resolve(owner);
    };
    const stopTimer = after(OWNER_TIMEOUT_MS, () => settle(refusal));
    for (const page of pages) {
      const { port1, port2 } = new MessageChannel();
      open.add(port1);
      port1.onmessage = ({ data }: MessageEvent<PortMessage>) => {
        open.delete(port1);
        port1.onmessage = null;
        if (data.kind === 'taken') return settle({ kind: 'owner', port: port1 });
        port1.close();
        if (data.kind === 'mismatch') refusal = { kind: 'mismatch', version: data.version };
        if (open.size === 0) settle(refusal);
      };
      page.postMessage(offer, [port2]);
    }
    if (open.size === 0) settle(refusal);
  });
}
