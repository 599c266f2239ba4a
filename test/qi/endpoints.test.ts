// qi URLs, and the endpoints that a client chooses among.
import { describe, expect, test } from 'vitest';
import type { ServiceInfo } from '../../protocol/bus/bus.ts';
import { type CandidateOptions, candidates, formatEndpoint, parseEndpoint } from '../../robot-agent/qi/endpoints.ts';
import { machineId } from '../../robot-agent/qi/machine-id.ts';

describe('a qi URL', () => {
  test.each([
    ['tcp://127.0.0.1:9559', { scheme: 'tcp', host: '127.0.0.1', port: 9559 }],
    ['tcp://nao.local', { scheme: 'tcp', host: 'nao.local', port: 9559 }],
    ['TCP://pepper:1', { scheme: 'tcp', host: 'pepper', port: 1 }],
    ['tcp://[::1]:9560', { scheme: 'tcp', host: '::1', port: 9560 }],
    ['tcps://robot:9503', { scheme: 'tcps', host: 'robot', port: 9503 }],
    ['tcpsm://[fe80::1]', { scheme: 'tcpsm', host: 'fe80::1', port: 9559 }],
  ])('%s is read', (url, address) => {
    expect(parseEndpoint(url)).toEqual(address);
  });

  test.each([
    ['127.0.0.1:9559', 'must begin with a scheme'],
    ['', 'must begin with a scheme'],
    ['http://robot:9559', 'the scheme is http'],
    ['tls://robot:9559', 'must be tcp, tcps or tcpsm'],
    ['tcps://', 'the host is missing'],
    ['tcps://robot:0', 'from 1 to 65535'],
    ['tcpsm://robot:95x', 'the port is "95x"'],
    ['qi:ServiceDirectory', 'must begin with a scheme'],
    ['tcp://', 'the host is missing'],
    ['tcp://:9559', 'the host is missing'],
    ['tcp://robot:', 'the port is ""'],
    ['tcp://robot:0', 'from 1 to 65535'],
    ['tcp://robot:65536', 'from 1 to 65535'],
    ['tcp://robot:95x', 'the port is "95x"'],
    ['tcp://robot:9559/path', 'the port is "9559/path"'],
    ['tcp://robot/path', 'is not a host'],
    ['tcp://user@robot', 'is not a host'],
    ['tcp://rob ot:1', 'is not a host'],
    ['tcp://300.0.0.1:9559', 'is not an IPv4 address'],
    ['tcp://10.0.0:9559', 'is not an IPv4 address'],
    ['tcp://fe80::1:9559', 'must stand in brackets'],
    ['tcp://[]:9559', 'the host is missing'],
  ])('"%s" is refused with the reason', (url, reason) => {
    expect(() => parseEndpoint(url)).toThrow(reason);
    expect(() => parseEndpoint(url)).toThrow(/^\[invalid-argument\]/);
  });

  test('any free port is for listening only', () => {
    expect(parseEndpoint('tcp://127.0.0.1:0', 'listen')).toEqual({ scheme: 'tcp', host: '127.0.0.1', port: 0 });
  });

  test('is written as it is read', () => {
    for (const url of ['tcp://10.0.0.1:9559', 'tcps://10.0.0.1:9503', 'tcpsm://[fe80::1]:80'])
      expect(formatEndpoint(parseEndpoint(url))).toBe(url);
  });
});

describe('the endpoints a client takes', () => {
  const info = (...endpoints: string[]): ServiceInfo => ({
    name: 'S',
    serviceId: 2,
    machineId: 'here',
    processId: 1,
    endpoints,
    sessionId: '',
    objectUid: new Uint8Array(0),
  });
  const hosts = (service: ServiceInfo, machine: string): string[] =>
    candidates(service, machine).map(({ host }) => host);
  const taken = (service: ServiceInfo, options?: CandidateOptions): string[] =>
    candidates(service, 'there', options).map(formatEndpoint);

  test('on the same machine: loopback alone', () => {
    expect(hosts(info('qi:S', 'tcp://127.0.0.1:1', 'tcp://10.0.0.1:1'), 'here')).toEqual(['127.0.0.1']);
  });

  test('on the same machine without loopback: all', () => {
    expect(hosts(info('tcp://10.0.0.1:1', 'tcp://10.0.0.2:1'), 'here')).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  test('from another machine: all but loopback', () => {
    expect(hosts(info('tcp://127.0.0.1:1', 'tcp://10.0.0.1:1', 'tcp://localhost:1'), 'there')).toEqual(['10.0.0.1']);
  });

  test('what cannot be dialled is left out', () => {
    expect(hosts(info('udp://10.0.0.9:1', 'qi:S', 'nonsense', 'tcp://10.0.0.1:1'), 'there')).toEqual(['10.0.0.1']);
  });

  test('encrypted ones are taken too, mutual ones by a client with a certificate', () => {
    const all = ['tcp://10.0.0.1:1', 'tcps://10.0.0.1:2', 'tcpsm://10.0.0.1:3'];
    expect(taken(info(...all))).toEqual(all.slice(0, 2));
    expect(taken(info(...all), { schemes: ['tcp', 'tcps', 'tcpsm'] })).toEqual(all);
    expect(() => taken(info('tcpsm://10.0.0.1:3'))).toThrow('tcpsm needs a certificate of its own');
  });

  test('a client of an encrypted bus leaves plain ones out where it can', () => {
    const both = info('tcp://10.0.0.1:1', 'tcps://10.0.0.1:2');
    expect(taken(both, { prefersTls: true })).toEqual(['tcps://10.0.0.1:2']);
    expect(taken(info('tcp://10.0.0.1:1'), { prefersTls: true })).toEqual(['tcp://10.0.0.1:1']);
  });

  test('nothing left is an error that says why', () => {
    expect(() => candidates(info('tcp://127.0.0.1:1'), 'there')).toThrow(
      /^\[endpoint-unreachable\] No reachable endpoint was found for service S\. It listens on the loopback/,
    );
    expect(() => candidates(info(), 'here')).toThrow('no tcp://, tcps:// or tcpsm:// endpoint');
  });
});

test('the machine id is a uuid that stays the same, also without a file to make it from', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(machineId()).toBe(machineId());
  expect(machineId()).toMatch(uuid);
  expect(machineId(['/no/such/file'])).toMatch(uuid);
  expect(machineId(['/no/such/file'])).toBe(machineId([]));
});
