// What --tls says, and what it changes for the rest of the configuration.
import { describe, expect, test } from 'vitest';
import { type AgentConfig, readConfig } from '../../robot-agent/config.ts';
import { readServeTls } from '../../robot-agent/tls/serve-tls.ts';

function config(...args: string[]): AgentConfig {
  const read = readConfig({ args, env: {}, readFile: () => '', newToken: () => 'fresh' });
  if (read.kind !== 'run') throw new Error(read.kind);
  return read.config;
}

test.each([
  ['self', { kind: 'self' }],
  ['cert=c.pem,key=k.pem', { kind: 'files', cert: 'c.pem', key: 'k.pem' }],
  ['key=k.pem,ca=a.pem,cert=/x=y/c.pem', { kind: 'files', cert: '/x=y/c.pem', key: 'k.pem', ca: 'a.pem' }],
  ['dir=/etc/live/nao', { kind: 'files', cert: '/etc/live/nao/fullchain.pem', key: '/etc/live/nao/privkey.pem' }],
])('%s', (text, choice) => {
  expect(readServeTls(text)).toEqual(choice);
  expect(config('--tls', text).serveTls).toEqual(choice);
});

test.each([
  'on',
  'cert=c.pem',
  'key=k',
  'ca=a',
  'cert=c,key=',
  'cert=c,cert=d,key=k',
  'dir=d,key=k',
  'cert=c,key=k,x=y',
  'self,dir=d',
])('%s is refused with the forms that there are', (text) => {
  expect(readServeTls(text)).toBeUndefined();
  expect(() => config('--tls', text)).toThrow(/\[config-invalid\] --tls ".*": must be self, cert=FILE,key=FILE/);
});

describe('an agent that serves TLS', () => {
  test('may listen beyond loopback', () => {
    expect(config('--listen', '0.0.0.0:8080', '--tls', 'self').listen.host).toBe('0.0.0.0');
    expect(() => config('--listen', '0.0.0.0:8080')).toThrow('Or serve TLS: --tls self.');
  });

  test('has no say for its qi ports', () => {
    expect(() => config('--qi-listen', 'tcp://0.0.0.0:1', '--tls', 'self')).toThrow('Add --insecure-listen');
    expect(() => config('--qi-listen', 'tcps://127.0.0.1:1', '--tls', 'self')).toThrow('--tls-cert FILE');
  });
});
