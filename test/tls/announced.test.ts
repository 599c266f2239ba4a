// Where clients are told that an agent with TLS is, as its addresses change.
import { expect, test } from 'vitest';
import { openAddresses } from '../../robot-agent/addresses/addresses.ts';
import type { InterfaceAddress } from '../../robot-agent/qi/interfaces.ts';
import { virtualClock } from '../support/virtual-clock.ts';
import { keptLog } from './lab.ts';

const cable = (address: string): InterfaceAddress => ({ family: 'IPv4', address });
const urls = (scheme: string, ...hosts: string[]): string[] =>
  hosts.map((host) => `${scheme}://${host}:8080/robot/link`);

function following(tls: { readonly domains: readonly string[]; standsFor(host: string): boolean }) {
  const clock = virtualClock();
  let own = [cable('127.0.0.1'), cable('10.0.0.1')];
  let changes = 0;
  const addresses = openAddresses({
    listen: { host: '0.0.0.0', port: 8080 },
    qiUrls: [],
    robotId: 'a'.repeat(52),
    isAnnounced: false,
    clock,
    logger: keptLog(),
    list: () => own,
    tls,
    onChange: () => (changes += 1),
  });
  const move = async (...next: string[]): Promise<void> => {
    own = ['127.0.0.1', ...next].map(cable);
    await clock.advance(1000);
  };
  return { addresses, move, changes: () => changes };
}

test('over TLS first wherever the certificate stands for it, and without behind', async () => {
  const covered = new Set(['10.0.0.1']);
  const { addresses, move, changes } = following({ domains: [], standsFor: (host) => covered.has(host) });
  expect(addresses.urls).toEqual([...urls('wss', '10.0.0.1'), ...urls('ws', '10.0.0.1')]);
  await move('10.0.0.1', '10.0.0.2');
  expect(changes()).toBe(1);
  // Not before the certificate was made anew.
  expect(addresses.urls).toEqual([...urls('wss', '10.0.0.1'), ...urls('ws', '10.0.0.2', '10.0.0.1')]);
  covered.add('10.0.0.2');
  expect(addresses.urls).toEqual([...urls('wss', '10.0.0.2', '10.0.0.1'), ...urls('ws', '10.0.0.2', '10.0.0.1')]);
  await addresses.close();
});

test('under the domain of a certificate, which stands for no address', async () => {
  const { addresses } = following({ domains: ['nao.example'], standsFor: (host) => host === 'nao.example' });
  expect(addresses.urls).toEqual([...urls('wss', 'nao.example'), ...urls('ws', '10.0.0.1')]);
  await addresses.close();
});
