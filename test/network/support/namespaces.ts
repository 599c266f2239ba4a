// Network namespaces by iproute2: made under names that hold this process's id, removed with everything in them.
// Tooling of the tests; it knows no topology.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PREFIX = 'qiway';
/** Files here are laid over those of /etc for programs in the namespace (ip-netns(8)). */
const ETC = '/etc/netns';
const NETNS_FOLDER = '/run/netns';

/** Runs `ip` to its end. @throws with what it said */
export function ip(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

/** Runs a program in a namespace to its end. @throws with what it said */
export function inNamespace(namespace: string, ...command: string[]): string {
  return ip('netns', 'exec', namespace, ...command);
}

/** Why there can be no namespaces here, and what to do; undefined: there can. */
export function whyImpossible(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a feature of Linux. Run the tests there.';
  if (spawnSync('ip', ['-Version']).status !== 0)
    return 'there is no program "ip". Install the package iproute2, or run npm test as root on Debian or Ubuntu.';
  const name = namespaceName('probe');
  try {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'add', 'probe', 'type', 'bridge');
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `namespaces cannot be made (${reason}). Run the tests as root, in a container with --privileged.`;
  } finally {
    spawnSync('ip', ['netns', 'del', name]);
  }
}

/** Unique among the runs on this machine. */
export function namespaceName(role: string): string {
  return `${PREFIX}-${process.pid}-${role}`;
}

/** Makes a namespace with a loopback interface. @param machineId what its programs find in /etc/machine-id */
export function addNamespace(name: string, machineId: string): void {
  mkdirSync(join(ETC, name), { recursive: true });
  writeFileSync(join(ETC, name, 'machine-id'), `${machineId}\n`);
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
}

/** Programs of the namespace that start after the first time find these names in /etc/hosts, and each change of them. */
export function setHosts(name: string, addresses: Readonly<Record<string, string>>): void {
  const lines = Object.entries({ localhost: '127.0.0.1', ...addresses }).map(([host, address]) => `${address} ${host}`);
  writeFileSync(join(ETC, name, 'hosts'), `${lines.join('\n')}\n`);
}

/** Ends the programs in it, and removes it; no effect if it is gone. */
export function removeNamespace(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of stdout.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  spawnSync('ip', ['netns', 'del', name]);
  rmSync(join(ETC, name), { recursive: true, force: true });
}

/** Removes what runs left that were killed. */
export function removeStaleNamespaces(): void {
  const names = new Set([...entries(NETNS_FOLDER), ...entries(ETC)]);
  for (const name of names) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) removeNamespace(name);
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
