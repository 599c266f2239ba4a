// Which processes a side consists of: a gateway that is dialled, and a service behind it.
import type { SideName } from './echo-client.ts';
import { type Process, startProcess } from './processes.ts';
import { startQiway } from './qiway-side.ts';

export interface Side {
  readonly name: SideName;
  /** What clients dial. */
  readonly url: string;
  readonly gateway: Process;
  readonly service: Process;
}

export interface SideOptions {
  /** Origin of the page that dials too. */
  readonly origin: string | undefined;
  /** Folder for a CPU profile of the gateway. */
  readonly profile: string | undefined;
}

export async function startSide(name: SideName, options: SideOptions): Promise<Side> {
  if (name === 'qiway') return await startQiway(options);
  const nodeArguments = profileArguments(options.profile, name);
  if (name === 'capnweb') {
    const service = await startProcess('./peers/capnweb-target.ts');
    const gateway = await startProcess('./peers/capnweb-target.ts', [service.url], { nodeArguments });
    return { name, url: gateway.url, gateway, service };
  }
  const batched = name === 'raw-batched' ? ['--batched'] : [];
  const service = await startProcess('./peers/raw-echo.ts', batched);
  const gateway = await startProcess('./peers/raw-gateway.ts', [service.url, ...batched], { nodeArguments });
  return { name, url: gateway.url, gateway, service };
}

export function profileArguments(folder: string | undefined, name: SideName): readonly string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`];
}

export async function stopSide(side: Side): Promise<void> {
  await side.gateway.stop();
  await side.service.stop();
}
