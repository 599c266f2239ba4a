// The agent on the local network: found by who asks with multicast DNS, under its name, at its address of the moment.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { DnsRecord } from './support/dns-message.ts';
import { buildNetwork, type Network } from './support/network.ts';
import type { Program } from './support/program.ts';

const ROBOT = '10.7.0.1';
const OTHER = '10.7.0.2';
const ASKER = '10.7.0.3';
const MOVED = '10.7.0.77';
const ID = 'a2'.repeat(26);

describe.skipIf(inject('whyNoNetwork') !== '')('an agent on the local network', () => {
  let network: Network<'robot' | 'other' | 'asker' | 'bare'>;
  let robot: Program;
  let asker: Program;
  const announce = (host: string, name = 'nao') => ({ announce: { host, name, robotId: ID } });
  const record = (wanted: Partial<DnsRecord> & { isGone?: boolean; isSilent?: boolean }): Promise<DnsRecord> =>
    asker.ask('record', wanted);

  beforeAll(async () => {
    network = buildNetwork({
      robot: { inside: ROBOT },
      other: { inside: OTHER },
      asker: { inside: ASKER },
      bare: {},
    });
    const { hosts } = network;
    asker = await hosts.asker.run('./local-network-program.ts', { ask: ASKER });
    robot = await hosts.robot.run('./local-network-program.ts', announce('0.0.0.0'));
  });
  afterAll(() => network?.close());

  test('is there under its name, with its id, for browsers and for qi programs', async () => {
    expect(await robot.ask('named')).toEqual(['nao.local']);
    expect(await record({ name: '_qiway._tcp.local', type: 'PTR' })).toMatchObject({ value: 'nao._qiway._tcp.local' });
    expect(await record({ name: 'nao._qiway._tcp.local', type: 'SRV' })).toMatchObject({ value: 'nao.local:8080' });
    const { value } = await record({ name: 'nao._qiway._tcp.local', type: 'TXT' });
    expect(value.split(',').sort()).toEqual([`id=${ID}`, 'path=/robot/link', 'v=2']);
    expect(await record({ name: 'nao.local', type: 'A' })).toMatchObject({ value: ROBOT });
    expect(await record({ name: 'nao._naoqi._tcp.local', type: 'SRV' })).toMatchObject({
      value: 'nao-naoqi.local:9503',
    });
    expect(await record({ name: 'nao-naoqi.local', type: 'A' })).toMatchObject({ value: ROBOT });
  });

  test('leaves its name to who had it first', async () => {
    const other = await network.hosts.other.run('./local-network-program.ts', announce('0.0.0.0'));
    expect(await other.ask('named')).toEqual(['nao-2.local']);
    expect(await record({ name: 'nao-2.local', type: 'A' })).toMatchObject({ value: OTHER });
    expect(await record({ name: 'nao.local', type: 'A' })).toMatchObject({ value: ROBOT });
    await other.kill();
  });

  test('is announced again where it has moved', async () => {
    const moved = record({ name: 'nao.local', type: 'A', value: MOVED, isSilent: true });
    network.hosts.robot.changeAddress('inside', { from: ROBOT, to: MOVED });
    expect(await moved).toMatchObject({ value: MOVED });
    expect(await robot.ask('named')).toEqual(['nao.local']);
    expect(await robot.ask('urls')).toEqual([`ws://${MOVED}:8080/robot/link`, 'ws://nao.local:8080/robot/link']);
  });

  test('says goodbye', async () => {
    const gone = record({ name: '_qiway._tcp.local', type: 'PTR', isGone: true, isSilent: true });
    await robot.ask('close');
    expect(await gone).toMatchObject({ value: 'nao._qiway._tcp.local', ttl: 0 });
  });

  test('is not announced from loopback, and a machine without a network comes to no harm', async () => {
    const { hosts } = network;
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const alone = await hosts.bare.run('./local-network-program.ts', announce(host));
      expect(await alone.ask('urls')).toEqual(['ws://127.0.0.1:8080/robot/link']);
      await alone.ask('close');
      expect(alone.output()).toBe('');
    }
  });
});
