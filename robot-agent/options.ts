// The options of the command line and the configuration file, and the help that lists them. Data only.

export interface Option {
  readonly name: string;
  readonly kind: 'text' | 'list' | 'switch';
  /** How its value is shown in the help. */
  readonly value: string;
  readonly about: string;
  /** May a configuration file hold it? */
  readonly isInFile: boolean;
}

const text = (name: string, value: string, about: string): Option => ({
  name,
  kind: 'text',
  value,
  about,
  isInFile: true,
});
const list = (name: string, value: string, about: string): Option => ({
  name,
  kind: 'list',
  value,
  about,
  isInFile: true,
});

export const OPTIONS: readonly Option[] = [
  text('bus', 'tcp://HOST:PORT', 'join the service directory there; the agent waits for it if need be'),
  text(
    'bus-listen',
    'tcp://HOST:PORT',
    'without --bus: be the service directory and listen there (default tcp://127.0.0.1:9559; port 0: any free one)',
  ),
  text(
    'bus-credentials',
    'FILE',
    'JSON with the user and token to show to the bus; a new token that the robot gives at pairing is written back',
  ),
  list(
    'bus-fingerprint',
    'sha256:HEX',
    'believe a tcps bus that shows the certificate with this fingerprint; once for each computer of the robot',
  ),
  list(
    'qi-listen',
    'tcps://HOST:PORT',
    'let qi programs from outside in there, with the rights of browsers; tcp://, tcps:// or tcpsm://; may be repeated',
  ),
  text(
    'qi-credentials',
    'FILE',
    'JSON with the users that may come in at --qi-listen beside those who show the token (auth_token)',
  ),
  {
    name: 'qi-open',
    kind: 'switch',
    value: '',
    about: 'let qi programs in at --qi-listen without credentials',
    isInFile: true,
  },
  text('tls-cert', 'FILE', 'PEM certificate shown at tcps and tcpsm ports, and to a tcpsm bus'),
  text('tls-key', 'FILE', 'PEM private key of --tls-cert'),
  text('tls-ca', 'FILE', 'PEM authorities believed at tcpsm ports, and for a tcps or tcpsm bus'),
  text(
    'tls',
    'self|FILES',
    'serve https at --listen, too: self, with an authority of the robot that devices are taught to trust (at /install); or cert=FILE,key=FILE[,ca=FILE], or dir=DIR as ACME clients leave it, read again when renewed',
  ),
  text('listen', 'HOST:PORT', 'where HTTP and WebSocket are served (default 127.0.0.1:8080; port 0: any free one)'),
  text(
    'token',
    'TOKEN',
    'what clients must show (default: $QIWAY_TOKEN, else one that is made at the first start and kept with --state)',
  ),
  list(
    'allow-origin',
    'ORIGIN',
    'let pages of this origin use the agent, such as https://app.example; may be repeated',
  ),
  list('allow-host', 'NAME', 'answer to this name beside localhost and the own addresses; may be repeated'),
  text(
    'state',
    'DIR',
    'keep the identity, the token and the journal of calls there (default: one directory for each --listen in ~/.local/state/qiway-agent; with port 0 nothing is kept)',
  ),
  text('name', 'NAME', "the robot's name for people, and NAME.local on its network (default: the computer's)"),
  {
    name: 'no-mdns',
    kind: 'switch',
    value: '',
    about: 'do not announce the agent on the local network',
    isInFile: true,
  },
  text('heartbeat', 'MS', 'a link is lost after three of these without a sign of life (default 1000; at least 100)'),
  text('keep-session', 'SECONDS', 'how long a session waits for its client to come back (default 120)'),
  list(
    'class',
    'PATTERN=CLASS',
    'what a call does: ALTextToSpeech.say=once, *.get*=idempotent, MyBase.*=motion; the most exact pattern counts; may be repeated',
  ),
  list(
    'take-over',
    'CLIENT',
    'let the client with this id take a lease from another; anybody: every client; may be repeated',
  ),
  { name: 'seal', kind: 'switch', value: '', about: 'encrypt links on loopback too', isInFile: true },
  text('web', 'DIR', 'serve the files of this directory, such as the built console'),
  {
    name: 'insecure-listen',
    kind: 'switch',
    value: '',
    about:
      'allow ports beyond loopback that are not encrypted: --listen without --tls, and tcp:// at --bus-listen and --qi-listen',
    isInFile: true,
  },
  text('log', 'LEVEL', 'debug, info, warn, error or silent (default info); the log goes to stderr'),
  {
    name: 'config',
    kind: 'text',
    value: 'FILE',
    about: 'a JSON object with the names of these options, without dashes in front, as keys; flags win over it',
    isInFile: false,
  },
  { name: 'help', kind: 'switch', value: '', about: 'print this', isInFile: false },
  { name: 'version', kind: 'switch', value: '', about: 'print the version', isInFile: false },
];

export function optionNamed(name: string): Option | undefined {
  return OPTIONS.find((option) => option.name === name);
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = OPTIONS.map(({ name, value, about }): [string, string] => [
    `--${name}${value === '' ? '' : ` ${value}`}`,
    about,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.flatMap(([left, about]) =>
    wrap(about, 100 - width).map((part, index) => `  ${(index === 0 ? left : '').padEnd(width)}  ${part}`),
  );
  return `Usage: qiway-agent [options]

Offers the services of a robot's qi bus at one HTTP and WebSocket address. When it is ready it prints one
line: the URL to open, with the token in its fragment. SIGTERM or SIGINT ends it cleanly.

Options:
${lines.join('\n')}

Examples:
  qiway-agent                                    be the service directory at tcp://127.0.0.1:9559
  qiway-agent --bus tcp://192.168.1.20:9559      offer the services of that robot
  qiway-agent --bus tcp://192.168.1.20:9559 --qi-listen tcps://0.0.0.0:9503 --tls-cert c.pem --tls-key k.pem
                                                 the same, and to qi programs of the network as well
  qiway-agent --listen 127.0.0.1:0 --web dist    any free port, and a web app beside
  qiway-agent --listen 0.0.0.0:8080 --tls self   for the whole network, with https

The HTTP side: GET /robot/services, POST /robot/services/SERVICE/METHOD with a JSON array, GET /robot/openapi.json
(all with "Authorization: Bearer TOKEN"), GET /healthz, GET /metrics. WebSocket at /robot/link.
`;
}

function wrap(about: string, width: number): string[] {
  const lines = [''];
  for (const word of about.split(' ')) {
    const last = lines[lines.length - 1] as string;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
