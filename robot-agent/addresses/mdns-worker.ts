// The thread that advertises by mDNS: what the library prints, throws or patches stays in it, and a machine on which
// multicast is impossible loses this thread and nothing else. Ends when it is told to, after its goodbye.
import { parentPort, workerData } from 'node:worker_threads';
import { getResponder } from '@homebridge/ciao';
import type { Advertised, AdvertiserNews } from './advertised.ts';

const tell = (news: AdvertiserNews): void => parentPort?.postMessage(news);

const { name, interfaces, address, hasIpv6, services } = workerData as Advertised;
const responder = getResponder({ interface: [...interfaces], disableIpv6: !hasIpv6 });
const created = services.map(({ type, port, txt }, index) =>
  responder.createService({
    name,
    // The library takes a second service under the same host name for a conflict.
    hostname: index === 0 ? name : `${name}-${type}`,
    type,
    port,
    txt,
    disabledIpv6: !hasIpv6,
    restrictedAddresses: address === undefined ? [...interfaces] : [address],
  }),
);
// The library goes on as `name-(2)`, which is no name for a URL: who is told begins anew with a better one.
for (const service of created) service.on('hostname-change', () => tell({ kind: 'taken' }));

parentPort?.once('message', () => {
  const end = (): never => process.exit(0);
  responder.shutdown().then(end, end);
});

try {
  for (const service of created) await service.advertise();
  tell({ kind: 'announced' });
} catch (error) {
  tell({ kind: 'failed', reason: String(error) });
}
