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
  /** Folder for CPU profiles. */
  readonly profile: string | undefined;
}

/** `name`: of the file. */
export function profileArguments(folder: string | undefined, name: string): readonly string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`];
}
