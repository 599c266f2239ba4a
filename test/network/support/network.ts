// A network for a test, from a plan: hosts are namespaces, networks are bridges in a namespace of their own, and each leg
// of a host is a cable that can be pulled. Tooling of the tests; programs are started by program.ts.
import { createHash } from 'node:crypto';
import { addNamespace, inNamespace, ip, namespaceName, removeNamespace, setHosts } from './namespaces.ts';
import { type Program, startProgram } from './program.ts';

/** Hosts, and the address that each has in each of its networks: `{ head: { inside: '10.7.0.1' } }`. All networks are /24. */
export type Plan = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** An open TCP socket of a host, its ends as `address:port`. */
export interface OpenSocket {
  readonly local: string;
  readonly remote: string;
}

/** A hardware address that nobody has: locally administered. */
const NOBODY = '02:00:00:00:00:99';

export class Host {
  readonly name: string;
  readonly #namespace: string;
  readonly #cables: Readonly<Record<string, Cable>>;
  readonly #programs = new Set<Program>();

  constructor(name: string, namespace: string, cables: Readonly<Record<string, Cable>>) {
    this.name = name;
    this.#namespace = namespace;
    this.#cables = cables;
  }

  /** Starts a script of this folder here; resolves once it answers. @param spec what it is told, as JSON */
  async run(file: string, spec: unknown): Promise<Program> {
    const program = await startProgram({ namespace: this.#namespace, host: this.name, file, spec });
    this.#programs.add(program);
    return program;
  }

  /** Established TCP sockets, of all its programs. */
  sockets(): OpenSocket[] {
    return this.#sockets('established');
  }

  /** Ends of sockets that were opened to `endpoint` and are open, or were so within the last minute. */
  dialled(endpoint: string): number {
    const end = endpoint.replace('tcp://', '');
    return this.#sockets('connected').filter(({ remote }) => remote === end).length;
  }

  /** How many sockets are open to that address, whatever the port. */
  socketsTo(address: string): number {
    return this.sockets().filter(({ remote }) => remote.startsWith(`${address}:`)).length;
  }

  pullCable(network: string): void {
    this.#cable(network).set('down');
  }

  plugCable(network: string): void {
    this.#cable(network).set('up');
  }

  /** The old address is gone at once, as with a new lease. */
  changeAddress(network: string, { from, to }: { readonly from: string; readonly to: string }): void {
    ip('-n', this.#namespace, 'addr', 'del', `${from}/24`, 'dev', network);
    ip('-n', this.#namespace, 'addr', 'add', `${to}/24`, 'dev', network);
  }

  addAddress(network: string, address: string): void {
    ip('-n', this.#namespace, 'addr', 'add', `${address}/24`, 'dev', network);
  }

  /** Others of the same leg stay. */
  dropAddress(network: string, address: string): void {
    inNamespace(this.#namespace, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/promote_secondaries');
    ip('-n', this.#namespace, 'addr', 'del', `${address}/24`, 'dev', network);
  }

  /** As after what a computer sends to all when it takes an address (RFC 5227). */
  forgetNeighbours(network: string): void {
    ip('-n', this.#namespace, 'neigh', 'flush', 'dev', network);
  }

  /** What its programs resolve names to from now on. */
  setNames(addresses: Readonly<Record<string, string>>): void {
    setHosts(this.#namespace, addresses);
  }

  /** From now on what is sent to that address of a network gets no answer at all, not even that it is not there. */
  loseAddress(network: string, address: string): void {
    ip('-n', this.#namespace, 'neigh', 'replace', address, 'lladdr', NOBODY, 'dev', network, 'nud', 'permanent');
  }

  /** Ends its programs. */
  async endPrograms(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.kill()));
    this.#programs.clear();
  }

  #sockets(state: string): OpenSocket[] {
    const lines = inNamespace(this.#namespace, 'ss', '-Htn', 'state', state).split('\n');
    return lines.filter((line) => line !== '').map((line) => openSocket(line, state));
  }

  #cable(network: string): Cable {
    const cable = this.#cables[network];
    if (cable === undefined) throw new Error(`host ${this.name} has no leg in the network ${network}`);
    return cable;
  }
}

interface Cable {
  set(state: 'up' | 'down'): void;
}

export interface Network<Name extends string> {
  readonly hosts: Readonly<Record<Name, Host>>;
  /** Ends all programs and removes everything. Idempotent. */
  close(): Promise<void>;
}

let networks = 0;

/** Builds it. If that fails, or the process ends without `close`, nothing is left. */
export function buildNetwork<P extends Plan>(plan: P): Network<Extract<keyof P, string>> {
  networks += 1;
  const tag = networks;
  const made: string[] = [];
  const removeAll = (): void => {
    for (const name of made.splice(0)) removeNamespace(name);
  };
  process.once('exit', removeAll);
  const add = (role: string): string => {
    const name = namespaceName(`${tag}-${role}`);
    made.push(name);
    addNamespace(name, createHash('md5').update(name).digest('hex'));
    return name;
  };
  try {
    const wires = add('wires');
    for (const network of new Set(Object.values(plan).flatMap((legs) => Object.keys(legs)))) {
      ip('-n', wires, 'link', 'add', network, 'type', 'bridge');
      ip('-n', wires, 'link', 'set', network, 'up');
    }
    const hosts = Object.entries(plan).map(([name, legs], index) => {
      const namespace = add(name);
      const cables = Object.entries(legs).map(([network, address]) => {
        const port = `${network}-${index}`;
        ip('link', 'add', network, 'netns', namespace, 'type', 'veth', 'peer', 'name', port, 'netns', wires);
        ip('-n', wires, 'link', 'set', port, 'master', network, 'up');
        ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', network);
        ip('-n', namespace, 'link', 'set', network, 'up');
        const set = (state: 'up' | 'down'): void => void ip('-n', wires, 'link', 'set', port, state);
        return [network, { set }] as const;
      });
      return [name, new Host(name, namespace, Object.fromEntries(cables))] as const;
    });
    const close = async (): Promise<void> => {
      await Promise.all(hosts.map(([, host]) => host.endPrograms()));
      removeAll();
      process.off('exit', removeAll);
    };
    return { hosts: Object.fromEntries(hosts) as Record<Extract<keyof P, string>, Host>, close };
  } catch (error) {
    removeAll();
    throw error;
  }
}

/** A line of `ss -Htn`: its state unless one was asked for, received and sent bytes that wait, local end, remote end. */
function openSocket(line: string, state: string): OpenSocket {
  const words = line.trim().split(/\s+/);
  const [, , local = '', remote = ''] = state === 'connected' ? words.slice(1) : words;
  return { local, remote };
}
