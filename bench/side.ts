// What a side is made of, for those who start one.
import type { SideName } from './echo-client.ts';
import type { Process } from './processes.ts';

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

export function profileArguments(folder: string | undefined, name: SideName): readonly string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`];
}
