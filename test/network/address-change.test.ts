// A robot that changes its address while it is used, told before and not; and others that take the address it had. Prints
// how long a call waited, beside what a dial and a round trip take in the same network.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { LinkState } from './support/moving-client-program.ts';
import { buildNetwork, type Host, type Network } from './support/network.ts';
import type { Program } from './support/program.ts';

const [FIRST, SECOND, THIRD, FAR] = ['10.7.0.1', '10.7.0.2', '10.7.0.3', '10.7.0.4'] as const;
const TOKEN = 'right-token';
const PORT = 8080;
const HEARTBEAT_MS = 100;
/** Three heartbeats without a sign of life (docs/link-protocol.md, section 4). */
const NOTICED_MS = 3 * HEARTBEAT_MS;
/** For a dial and a call on a busy machine. */
const AMPLE_MS = 3000;

interface RobotPlace {
  readonly agent: Program;
  readonly id: string;
}

describe.skipIf(inject('whyNoNetwork') !== '')('a robot that moves', () => {
  let network: Network<'robot' | 'other' | 'client'>;
  let client: Program;
  const states: string[] = [];
  const started: Program[] = [];
  const at = (host: string): string => `${host}:${PORT}`;
  const wlan = 'wlan';

  /** An agent that is the directory, with one service of that name. */
  async function robotOn(host: Host, service: string): Promise<RobotPlace> {
    const state = mkdtempSync(join(tmpdir(), 'qiway-robot-'));
    states.push(state);
    const agent = await host.run('./agent-program.ts', [
      ...['--listen', at('0.0.0.0'), '--insecure-listen', '--token', TOKEN, '--state', state],
      ...['--allow-host', 'one.test', '--allow-host', 'two.test', '--heartbeat', HEARTBEAT_MS, '--no-mdns'],
    ]);
    const services = await host.run('./robot-program.ts', { join: 'tcp://127.0.0.1:9559', services: [service] });
    started.push(services, agent);
    const id = /&robot=([a-z2-7]{52})/.exec(agent.output())?.[1] ?? '';
    expect(id).not.toBe('');
    return { agent, id };
  }

  const url = (host: string, { id }: RobotPlace): string => `http://${at(host)}/#token=${TOKEN}&robot=${id}`;
  const linkIs = (name: string, wanted: Partial<LinkState>): Promise<LinkState> =>
    client.ask('linkIs', { client: name, ...wanted });
  const statesOf = (name: string): Promise<readonly LinkState[]> => client.ask('states', name);
  const round = (ms: number): string => ms.toFixed(1);
  const print = (line: string): void => void process.stdout.write(`  ${line}\n`);

  async function floorAt(host: string, robot: RobotPlace, service: string): Promise<number> {
    const ask = { url: url(host, robot), service };
    await client.ask('floor', ask);
    const { dialMs, roundTripMs } = await client.ask<{ dialMs: number; roundTripMs: number }>('floor', ask);
    return dialMs + roundTripMs;
  }

  beforeAll(async () => {
    network = buildNetwork({ robot: { wlan: FIRST }, other: { wlan: FAR }, client: { wlan: '10.7.0.9' } });
    network.hosts.client.setNames({ 'one.test': FIRST, 'two.test': FAR });
    client = await network.hosts.client.run('./moving-client-program.ts', {});
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((program) => program.kill()));
  });
  afterAll(async () => {
    await network?.close();
    for (const state of states) rmSync(state, { recursive: true, force: true });
  });

  test('and says so before: the link has moved when the old address goes, and no call waits', async () => {
    const { robot: host } = network.hosts;
    const robot = await robotOn(host, 'Mover');
    await client.ask('open', { as: 'told', url: url(FIRST, robot) });
    await client.ask('watch', { client: 'told', service: 'Mover' });
    host.addAddress(wlan, SECOND);
    await linkIs('told', { state: 'online', address: at(SECOND), hasResumed: true });
    const floorMs = await floorAt(SECOND, robot, 'Mover');
    const answered = client.ask<number>('answeredIn', { client: 'told', service: 'Mover' });
    host.dropAddress(wlan, FIRST);
    const answeredMs = await answered;
    const longestMs = await client.ask<number>('stop');
    print(
      `announced: first answer ${round(answeredMs)} ms after the address went, longest answer ${round(longestMs)} ms; floor ${round(floorMs)} ms`,
    );
    expect((await statesOf('told')).map(({ state }) => state)).not.toContain('offline');
    expect(longestMs).toBeLessThan(AMPLE_MS);

    // And back, without a word: known from before.
    host.changeAddress(wlan, { from: SECOND, to: FIRST });
    const suddenMs = await client.ask<number>('answeredIn', { client: 'told', service: 'Mover' });
    const backFloorMs = await floorAt(FIRST, robot, 'Mover');
    print(
      `unannounced, known from before: ${round(suddenMs)} ms; noticing takes ${NOTICED_MS} ms, floor ${round(backFloorMs)} ms`,
    );
    await linkIs('told', { state: 'online', address: at(FIRST), hasResumed: true });
    expect(suddenMs).toBeLessThan(NOTICED_MS + AMPLE_MS);
    await client.ask('close', 'told');
  });

  test('without a word to where it never was is found by its name', async () => {
    const { robot: host, client: seeker } = network.hosts;
    const robot = await robotOn(host, 'Named');
    seeker.setNames({ 'one.test': FIRST });
    await client.ask('open', { as: 'named', url: url('one.test', robot) });
    await client.ask('echo', { client: 'named', service: 'Named' });
    host.changeAddress(wlan, { from: FIRST, to: THIRD });
    seeker.setNames({ 'one.test': THIRD });
    const answeredMs = await client.ask<number>('answeredIn', { client: 'named', service: 'Named' });
    const floorMs = await floorAt(THIRD, robot, 'Named');
    print(
      `unannounced, by its name: ${round(answeredMs)} ms; noticing takes ${NOTICED_MS} ms, floor ${round(floorMs)} ms`,
    );
    await linkIs('named', { state: 'online', hasResumed: true });
    expect(answeredMs).toBeLessThan(NOTICED_MS + AMPLE_MS);
    host.changeAddress(wlan, { from: THIRD, to: FIRST });
    await client.ask('close', 'named');
  });

  test('and whose address an impostor takes: that one gets nothing, the client says so, and finds the robot later', async () => {
    const { robot: host, other } = network.hosts;
    const robot = await robotOn(host, 'Real');
    await client.ask('open', { as: 'pinned', url: url(FIRST, robot) });
    expect(await client.ask('echo', { client: 'pinned', service: 'Real' })).toBe(5);
    host.dropAddress(wlan, FIRST);
    other.changeAddress(wlan, { from: FAR, to: FIRST });
    network.hosts.client.forgetNeighbours(wlan);
    const impostor = await robotOn(other, 'Real');
    await linkIs('pinned', { state: 'offline', reason: 'robot-identity-mismatch' });
    await expect(client.ask('echo', { client: 'pinned', service: 'Real' })).rejects.toThrow('[offline]');
    await expect(client.ask('open', { as: 'new', url: url(FIRST, robot) })).rejects.toThrow(
      `[robot-identity-mismatch] Another robot answers at this address: ${impostor.id} instead of ${robot.id}`,
    );
    expect(robot.agent.output()).toMatch(/session/);
    expect(impostor.agent.output()).not.toMatch(/session/);
    // The client is told of the new address by nobody: it is where the robot was before, once the impostor is gone.
    other.changeAddress(wlan, { from: FIRST, to: FAR });
    host.addAddress(wlan, FIRST);
    network.hosts.client.forgetNeighbours(wlan);
    await linkIs('pinned', { state: 'online', address: at(FIRST), hasResumed: true });
    expect(await client.ask('echo', { client: 'pinned', service: 'Real' })).toBe(5);
    await client.ask('close', 'pinned');
  });

  test('into the place of another that moves into its: each client stays with its own', async () => {
    const { robot: one, other: two, client: seeker } = network.hosts;
    seeker.setNames({ 'one.test': FIRST, 'two.test': FAR });
    const places = [await robotOn(one, 'One'), await robotOn(two, 'Two')] as const;
    await client.ask('open', { as: 'one', url: url('one.test', places[0]) });
    await client.ask('open', { as: 'two', url: url('two.test', places[1]) });
    one.dropAddress(wlan, FIRST);
    two.changeAddress(wlan, { from: FAR, to: FIRST });
    one.addAddress(wlan, FAR);
    seeker.forgetNeighbours(wlan);
    await Promise.all([
      linkIs('one', { state: 'offline', reason: 'robot-identity-mismatch' }),
      linkIs('two', { state: 'offline', reason: 'robot-identity-mismatch' }),
    ]);
    seeker.setNames({ 'one.test': FAR, 'two.test': FIRST });
    for (const [name, service] of [
      ['one', 'One'],
      ['two', 'Two'],
    ] as const) {
      await linkIs(name, { state: 'online', hasResumed: true });
      expect(await client.ask('echo', { client: name, service })).toBe(5);
    }
    await Promise.all(['one', 'two'].map((name) => client.ask('close', name)));
  });
});
