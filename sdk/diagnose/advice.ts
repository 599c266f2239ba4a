// What a user can do about each fault of the way to a robot: half a sentence. Words only.
import type { DialFault, ErrorCode } from '@qiway/protocol/errors';

/** What is known where the advice is given. */
export interface Place {
  /** Host and port of the agent. */
  readonly host: string;
  /** Of the page; undefined in programs. */
  readonly origin: string | undefined;
}

const RUNNING =
  'is it running (npx qiway-agent), and is this its port? Beyond its own computer it listens where --listen says so';

const ADVICE: Readonly<Record<DialFault, (place: Place) => string>> = {
  'mixed-content': () =>
    'browsers keep pages of https from it: open the page from the agent itself (http://robot:8080), give an https:// URL with a certificate that this device trusts, or in Chromium the robot’s IP address or .local name',
  'permission-denied': () =>
    'allow "Local network access" in the settings of this site (the icon beside the address), load the page again; where the page is plain http from the internet, serve it over https or from the robot',
  'permission-prompt': () => 'the browser asks for the local network: answer its question, and try again',
  name: () =>
    'is the name written right, and is this computer in the robot’s network? Names that end in .local need mDNS; the robot’s IP address does as well',
  refused: () => `the computer is there and no agent: ${RUNNING}`,
  timeout: () =>
    'is the robot on, is this computer in its network, does a firewall stand between? An agent that hangs answers nothing either',
  offline: () => 'this device says that it has no network: join the robot’s',
  unreachable: ({ host }) => `is the robot on and in the same network? If it answers at ${host}, ${RUNNING}`,
  certificate: ({ host }) =>
    `open https://${host}/ in a tab: the browser tells there what it holds against the certificate. Have the device trust the agent’s authority (docs/tls.md), or give the agent a certificate for a name of yours`,
  'no-tls': ({ host, origin }) =>
    origin?.startsWith('https:') === true
      ? 'have the agent serve TLS (--tls self, docs/tls.md), or open the page from the agent itself: pages of https may not use plain http everywhere'
      : `write http://${host} in the URL, the link is sealed by its handshake all the same; or have the agent serve TLS (--tls self, docs/tls.md)`,
  'no-agent': () => 'another program has this port: is the port right? It is the one of the agent’s --listen',
  origin: ({ origin = 'this page' }) => `start the agent with --allow-origin ${origin}`,
  websocket: () =>
    'the agent answers HTTP and no WebSocket: a proxy in between may not let WebSockets pass, or the versions differ',
  identity: () =>
    'another robot has this address now, or this one got a new identity (another --state): nothing was sent to it; copy the URL that the robot’s agent prints now',
  handshake: () => 'the agent answers and cannot prove who it is: something in between may change what is said',
  unauthorized: () =>
    'the URL holds no token, or that of another agent: another --token, --state or --listen makes another; copy the whole URL again, to the end of #token=…',
};

/** Codes that say what is wrong by themselves. */
const FAULTS: Readonly<Partial<Record<ErrorCode, DialFault>>> = {
  unauthorized: 'unauthorized',
  'robot-identity-mismatch': 'identity',
  'handshake-failed': 'handshake',
  timeout: 'timeout',
};

export function adviceFor(why: DialFault, place: Place): string {
  return ADVICE[why](place);
}

/** For a link or a session that was not made. */
export function adviceForError(error: { readonly code: ErrorCode; readonly data: object }, place: Place): string {
  if (error.code === 'protocol-mismatch') return 'the versions of agent and SDK differ: update the older of the two';
  const { why } = error.data as { readonly why?: DialFault };
  return adviceFor(FAULTS[error.code] ?? why ?? 'websocket', place);
}
