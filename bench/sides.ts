// Which processes a side consists of: a gateway that is dialled, and a service behind it.
import type { SideName } from './echo-client.ts';
import { startProcess } from './processes.ts';
import { startQiDoor, startQiway } from './qiway-side.ts';
import { profileArguments, type Side, type SideOptions } from './side.ts';

export async function startSide(name: SideName, options: SideOptions): Promise<Side> {
  if (name === 'qiway' || name === 'qiway-sealed' || name === 'qiway-worker') return await startQiway(name, options);
  if (name === 'qi-door') return await startQiDoor(options);
  const nodeArguments = profileArguments(options.profile, name);
  const serviceOptions = { nodeArguments: profileArguments(options.profile, `${name}-service`) };
  if (name === 'capnweb') {
    const service = await startProcess('./peers/capnweb-target.ts', [], serviceOptions);
    const gateway = await startProcess('./peers/capnweb-target.ts', [service.url], { nodeArguments });
    return { name, url: gateway.url, gateway, service };
  }
  const batched = name === 'raw-batched' ? ['--batched'] : [];
  const service = await startProcess('./peers/raw-echo.ts', batched, serviceOptions);
  const gateway = await startProcess('./peers/raw-gateway.ts', [service.url, ...batched], { nodeArguments });
  return { name, url: gateway.url, gateway, service };
}

export async function stopSide(side: Side): Promise<void> {
  await side.gateway.stop();
  await side.service.stop();
}
