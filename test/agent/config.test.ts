// The agent's configuration: where values come from, and the sentences that refuse them.
import { describe, expect, test } from 'vitest';
import { formatAddress, isLoopback, parseAddress } from '../../robot-agent/address.ts';
import { type AgentConfig, readConfig } from '../../robot-agent/config.ts';
import { helpText, OPTIONS } from '../../robot-agent/options.ts';

const files: Record<string, string> = {};
const read = (args: readonly string[], env: Record<string, string> = {}) =>
  readConfig({
    args,
    env,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: ${path}`);
      return text;
    },
    newToken: () => 'fresh',
  });
const config = (args: readonly string[], env: Record<string, string> = {}): AgentConfig => {
  const invocation = read(args, env);
  if (invocation.kind !== 'run') throw new Error(`it is ${invocation.kind}`);
  return invocation.config;
};
const refusal = (
  args: readonly string[],
  env: Record<string, string> = {},
): { code: string; key: string; message: string } => {
  try {
    read(args, env);
  } catch (error) {
    const { code, data, message } = error as { code: string; data: { key: string }; message: string };
    return { code, key: data.key, message };
  }
  throw new Error('it was accepted');
};

const noQiDoor = {
  qiListen: [],
  isQiOpen: false,
  busFingerprints: [],
  tls: {},
  isAnnounced: true,
  classes: [],
  takeOver: [],
  isSealed: false,
};

describe('the configuration', () => {
  test('without anything is safe', () => {
    expect(config([])).toEqual({
      bus: undefined,
      busListen: 'tcp://127.0.0.1:9559',
      listen: { host: '127.0.0.1', port: 8080 },
      token: 'fresh',
      isTokenMade: true,
      allowOrigins: [],
      allowHosts: [],
      web: undefined,
      log: 'info',
      ...noQiDoor,
    });
  });

  test('comes from flags, in both spellings', () => {
    const args = [
      '--bus=tcp://10.0.0.1:9559',
      '--listen',
      '[::1]:0',
      '--token',
      'abc',
      '--allow-origin',
      'https://a.example',
      '--allow-origin=https://b.example',
      '--allow-host',
      'Nao.Local',
      '--web',
      'dist',
      '--log',
      'debug',
    ];
    expect(config(args)).toEqual({
      bus: 'tcp://10.0.0.1:9559',
      busListen: 'tcp://127.0.0.1:9559',
      listen: { host: '::1', port: 0 },
      token: 'abc',
      allowOrigins: ['https://a.example', 'https://b.example'],
      allowHosts: ['nao.local'],
      web: 'dist',
      log: 'debug',
      ...noQiDoor,
    });
  });

  test('flags win over the environment, the environment over the file', () => {
    files['agent.json'] = JSON.stringify({ token: 'file', listen: '127.0.0.1:1', log: 'warn', 'allow-host': ['nao'] });
    const both = config(['--config', 'agent.json', '--log', 'error'], { QIWAY_TOKEN: 'environment' });
    expect([both.token, both.listen.port, both.log, both.allowHosts]).toEqual(['environment', 1, 'error', ['nao']]);
    expect(config(['--config', 'agent.json']).token).toBe('file');
    expect(config(['--config', 'agent.json', '--token', 'flag'], { QIWAY_TOKEN: 'environment' }).token).toBe('flag');
  });

  test('--help and --version want nothing else', () => {
    expect(read(['--help', '--listen', 'nonsense']).kind).toBe('help');
    expect(read(['--version']).kind).toBe('version');
    for (const { name } of OPTIONS) expect(helpText()).toContain(`--${name}`);
    for (const line of helpText().split('\n')) expect(line.length).toBeLessThanOrEqual(115);
  });

  test('a name alone is enough for a bus on its usual port', () => {
    expect(config(['--bus', 'tcp://nao.local']).bus).toBe('tcp://nao.local');
  });
});

describe('the doors for qi programs', () => {
  test('come from flags and files', () => {
    Object.assign(files, { 'c.pem': 'CERT', 'k.pem': 'KEY', 'a.pem': 'CA' });
    const fingerprint = `sha256:${'ab'.repeat(32)}`;
    const args = [
      ...['--bus', 'tcps://10.0.0.1:9503', '--bus-credentials', 'nao.json', '--bus-fingerprint', fingerprint],
      ...['--qi-listen', 'tcpsm://0.0.0.0:0', '--qi-listen=tcp://127.0.0.1:0', '--qi-credentials', 'users.json'],
      ...['--tls-cert', 'c.pem', '--tls-key', 'k.pem', '--tls-ca', 'a.pem'],
    ];
    expect(config(args)).toMatchObject({
      bus: 'tcps://10.0.0.1:9503',
      busCredentials: 'nao.json',
      busFingerprints: [fingerprint],
      qiListen: ['tcpsm://0.0.0.0:0', 'tcp://127.0.0.1:0'],
      qiCredentials: 'users.json',
      isQiOpen: false,
      isAnnounced: true,
      isSealed: false,
      classes: [],
      takeOver: [],
      tls: { cert: 'CERT', key: 'KEY', ca: 'CA', paths: { cert: 'c.pem', key: 'k.pem', ca: 'a.pem' } },
    });
  });

  test('take a fingerprint as openssl writes it', () => {
    const written = `sha256 Fingerprint=${'AB:'.repeat(31)}AB`;
    expect(config(['--bus', 'tcps://nao', '--bus-fingerprint', written]).busFingerprints).toEqual([written]);
  });

  test('may be open to everybody beyond loopback only if the user insists', () => {
    Object.assign(files, { 'c.pem': 'CERT', 'k.pem': 'KEY' });
    const open = ['--qi-listen', 'tcps://0.0.0.0:1', '--tls-cert', 'c.pem', '--tls-key', 'k.pem', '--qi-open'];
    expect(refusal(open)).toMatchObject({ key: 'qi-open', message: expect.stringContaining('lets everybody in') });
    expect(config([...open, '--insecure-listen']).isQiOpen).toBe(true);
  });
});

describe('is refused with a sentence that names the key', () => {
  test.each<[string[], string, string]>([
    [['--lisen', '127.0.0.1:1'], 'lisen', 'There is no option --lisen. Did you mean --listen?'],
    [['--cloud', 'https://x'], 'cloud', 'There is no option --cloud.'],
    [['-x'], 'x', 'There is no option -x.'],
    [['serve'], 'serve', '"serve" is not an option'],
    [['--listen'], 'listen', '--listen needs a value: --listen HOST:PORT.'],
    [['--listen', '--log', 'info'], 'listen', '--listen needs a value'],
    [['--token='], 'token', '--token needs a value'],
    [['--insecure-listen=yes'], 'insecure-listen', '--insecure-listen takes no value.'],
    [['--log', 'info', '--log', 'warn'], 'log', '--log is given twice.'],
    [['--log', 'loud'], 'log', '--log "loud": must be one of debug, info, warn, error, silent.'],
    [['--listen', '8080'], 'listen', '--listen "8080": must be HOST:PORT'],
    [['--listen', '127.0.0.1:65536'], 'listen', 'must be HOST:PORT'],
    [['--listen', '127.0.0:1'], 'listen', 'must be HOST:PORT'],
    [['--bus', 'http://x:1'], 'bus', '--bus "http://x:1": the scheme is http, and must be tcp, tcps or tcpsm.'],
    [['--bus', 'tcp://'], 'bus', 'the host is missing'],
    [['--bus', 'tcp://a:1', '--bus-listen', 'tcp://a:2'], 'bus-listen', '--bus and --bus-listen exclude each other'],
    [['--allow-origin', '*'], 'allow-origin', 'must be an origin'],
    [['--allow-origin', 'https://a.example/'], 'allow-origin', 'must be an origin'],
    [['--allow-host', 'http://nao'], 'allow-host', 'must be a host name'],
    [['--token', 'a b'], 'token', '--token "a b": must be letters, digits'],
    [['--listen', '0.0.0.0:8080'], 'listen', 'Add --insecure-listen'],
    [['--listen', 'nao.local:8080'], 'listen', 'Add --insecure-listen'],
    [['--bus-listen', 'tcp://0.0.0.0:9559'], 'bus-listen', 'Add --insecure-listen'],
    [['--config', 'absent.json'], 'config', '--config absent.json cannot be read'],
    [['--qi-listen', 'tcp://0.0.0.0:1'], 'qi-listen', 'Or give a tcps:// URL and a certificate.'],
    [
      ['--qi-listen', 'tcp://127.0.0.1:1', '--qi-listen', '127.0.0.1:2'],
      'qi-listen',
      '--qi-listen "127.0.0.1:2": it must',
    ],
    [['--qi-open'], 'qi-open', '--qi-open is of use with --qi-listen only.'],
    [['--qi-credentials', 'u'], 'qi-credentials', '--qi-credentials is of use with --qi-listen only.'],
    [['--qi-listen', 'tcp://127.0.0.1', '--qi-open', '--qi-credentials', 'u'], 'qi-open', 'exclude each other'],
    [['--qi-listen', 'tcps://127.0.0.1:1'], 'tls-cert', 'tcps://127.0.0.1:1 needs a certificate: --tls-cert FILE'],
    [['--bus-listen', 'tcps://127.0.0.1:1'], 'tls-cert', 'tcps://127.0.0.1:1 needs a certificate'],
    [['--tls-cert', 'c.pem'], 'tls-key', '--tls-cert needs its private key'],
    [['--tls-key', 'k.pem'], 'tls-cert', '--tls-key needs its certificate'],
    [['--tls-cert', 'c.pem', '--tls-key', 'k.pem'], 'tls-cert', 'none is given'],
    [['--tls-ca', 'a.pem'], 'tls-ca', 'none is given'],
    [['--bus', 'tcpsm://nao'], 'tls-cert', 'asks for a certificate of the agent'],
    [
      ['--qi-listen', 'tcpsm://127.0.0.1', '--tls-cert', 'c', '--tls-key', 'k'],
      'tls-ca',
      'asks clients for certificates',
    ],
    [['--bus', 'tcps://nao', '--tls-ca', 'absent.pem'], 'tls-ca', '--tls-ca absent.pem cannot be read'],
    [['--bus', 'tcps://nao', '--bus-fingerprint', 'ab:cd'], 'bus-fingerprint', '"ab:cd": must be sha256:'],
    [['--bus', 'tcp://nao', '--bus-fingerprint', `sha256:${'0'.repeat(64)}`], 'bus-fingerprint', 'tcps:// or tcpsm://'],
  ])('%j', (args, key, sentence) => {
    expect(refusal(args)).toMatchObject({ code: 'config-invalid', key, message: expect.stringContaining(sentence) });
  });

  test.each<[unknown, string, string]>([
    [{ lissten: 'x' }, 'lissten', 'bad.json has an unknown key "lissten". Did you mean listen?'],
    [{ config: 'x' }, 'config', 'unknown key "config". See --help.'],
    [{ help: true }, 'help', 'unknown key "help"'],
    [{ listen: 8080 }, 'listen', '--listen 8080: '],
    [{ 'allow-host': 'nao' }, 'allow-host', '--allow-host "nao": '],
    [{ 'insecure-listen': 'yes' }, 'insecure-listen', '--insecure-listen "yes": '],
    [{ log: null }, 'log', '--log null: '],
    [[], 'config', 'must hold a JSON object'],
    ['text', 'config', 'must hold a JSON object'],
  ])('in a file: %j', (json, key, sentence) => {
    files['bad.json'] = JSON.stringify(json);
    expect(refusal(['--config', 'bad.json'])).toMatchObject({
      code: 'config-invalid',
      key,
      message: expect.stringContaining(sentence),
    });
  });

  test('a file that is not JSON', () => {
    files['bad.json'] = '{ listen: ';
    expect(refusal(['--config', 'bad.json'])).toMatchObject({
      key: 'config',
      message: expect.stringContaining('bad.json is not JSON'),
    });
  });

  test('a token from the environment too', () => {
    expect(refusal([], { QIWAY_TOKEN: '' }).key).toBe('token');
  });
});

test('listening beyond loopback needs the flag, and then works', () => {
  expect(config(['--listen', '0.0.0.0:8080', '--insecure-listen']).listen).toEqual({ host: '0.0.0.0', port: 8080 });
});

test('addresses are read and written', () => {
  for (const text of ['127.0.0.1:0', '[::1]:65535', 'nao.local:80'])
    expect(formatAddress(parseAddress(text) ?? { host: '', port: 0 })).toBe(text);
  for (const text of ['', ':1', 'a', 'a:', 'a:b', '::1:80', '[nao]:1', '1.2.3:4', 'a b:1', 'a:99999'])
    expect(parseAddress(text)).toBeUndefined();
  expect(['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '192.168.1.1', '128.0.0.1', 'localhost.example', '1270.0.0.1'].some(isLoopback)).toBe(false);
});
