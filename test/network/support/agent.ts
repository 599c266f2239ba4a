// The agent on a host of the network, and the ways in that it offers.
import { rmSync } from 'node:fs';
import { makeScratchFolder } from '../../support/checkout-copy.ts';
import type { ClientSpec } from './clients.ts';
import type { Host } from './network.ts';
import type { Program } from './program.ts';

export const CLIENT_KINDS: readonly ClientSpec['kind'][] = ['web', 'qi'];
export const TOKEN = 'right-token';
/** Port of the door for qi programs, as robots have it. */
export const QI_PORT = 9503;
const LOCAL_QI_PORT = 9504;
const WEB_PORT = 8080;

export interface AgentPlace {
  readonly program: Program;
  /** Where clients of each kind come in. */
  readonly urls: Readonly<Record<ClientSpec['kind'], string>>;
  /** The same for qi programs on the agent's own machine. */
  readonly localUrl: string;
}

/** Of each agent its own, gone with the tests: two runs on one machine do not meet in it. */
function stateFolder(): string {
  const folder = makeScratchFolder('state');
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @param options.bus the directory that it joins. @param options.door the address of its doors */
export async function startAgent(
  host: Host,
  { bus, door }: { readonly bus: string; readonly door: string },
): Promise<AgentPlace> {
  const listen = `${door}:${WEB_PORT}`;
  const qi = `tcp://${door}:${QI_PORT}`;
  const localUrl = `tcp://127.0.0.1:${LOCAL_QI_PORT}`;
  const program = await host.run('./agent-program.ts', [
    ...['--bus', bus, '--listen', listen, '--qi-listen', qi, '--token', TOKEN],
    ...['--qi-listen', localUrl, '--insecure-listen', '--state', stateFolder()],
  ]);
  return { program, urls: { web: `http://${listen}/#token=${TOKEN}`, qi }, localUrl };
}
