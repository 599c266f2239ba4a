// The diagnosis as a program uses it, against a real agent: which step fails, what the summary says, and that nothing stays
// behind. In pages: test/network/ladder.test.ts.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Diagnosis, diagnose, method, type StepReport } from '@qiway/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InternalDiagnoseOptions } from '../../sdk/diagnose/diagnose.ts';
import { runSteps, type Step } from '../../sdk/diagnose/steps.ts';
import { type RealRobot, realRobot } from '../sdk/real-robot.ts';
import { TOKEN } from '../support/agent-config.ts';

let robot: RealRobot;
beforeAll(async () => {
  robot = await realRobot({ hello: method('()', 's', () => 'hello') });
});
afterAll(() => robot[Symbol.asyncDispose]());

const states = ({ steps }: Diagnosis): Record<string, string> =>
  Object.fromEntries(steps.map(({ name, state }) => [name, state]));
const failed = ({ steps }: Diagnosis): string[] =>
  steps.filter(({ state }) => state === 'failed').map(({ name }) => name);

async function sessions(): Promise<number> {
  const answer = await fetch(`${robot.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return Number(/^qiway_sessions\b[^\n]* (\d+)$/m.exec(await answer.text())?.[1]);
}

async function listening(take: (socket: Socket) => void = () => {}) {
  const server = createServer(take).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, port };
}

describe('a diagnosis', () => {
  test('finds all in order, says it while it goes, and leaves no session', async () => {
    const heard: StepReport[] = [];
    const diagnosis = await diagnose(robot.url, { onStep: (step) => heard.push(step) });
    expect(heard).toEqual(diagnosis.steps);
    expect(diagnosis.isOk).toBe(true);
    expect(diagnosis.summary).toMatch(/^All is in order: it is robot [a-z2-7]{52}/);
    expect(states(diagnosis)).toEqual({
      ...{ URL: 'ok', name: 'skipped', certificate: 'skipped', agent: 'ok', WebSocket: 'ok', handshake: 'ok' },
      ...{ token: 'ok', session: 'ok', bus: 'ok', services: 'ok', 'round trip': 'ok' },
    });
    await expect.poll(sessions).toBe(0);
  });

  test('takes a token beside the URL', async () => {
    const url = new URL(robot.url);
    url.hash = '';
    expect(failed(await diagnose(url.href))).toEqual(['token']);
    expect(failed(await diagnose(url.href, { token: TOKEN }))).toEqual([]);
  });

  test('names the URL, an impostor, nobody there; and says what to do', async () => {
    const url = await diagnose('ftp://robot/');
    expect([failed(url), url.isOk]).toEqual([['URL'], false]);
    expect(url.summary).toMatch(/^The step "URL" failed: .* → give the whole line/);
    const impostor = await diagnose(robot.url.replace(/robot=.*/, `robot=${'a'.repeat(52)}`));
    expect(failed(impostor)).toEqual(['handshake']);
    expect(impostor.summary).toContain('another robot has this address');
    expect(impostor.summary.match(/[a-z2-7]{52}/g)).toHaveLength(2);
    expect(impostor.summary).not.toContain('open the URL that');
    const { server, port } = await listening();
    server.close();
    await once(server, 'close');
    const nobody = await diagnose(`http://127.0.0.1:${port}/#token=x`);
    expect(failed(nobody)).toEqual(['agent']);
    expect(nobody.summary).toContain(`nothing listens at 127.0.0.1:${port} →`);
  });

  test('of a URL of https at an agent without TLS says that, and not that a certificate is wrong', async () => {
    const diagnosis = await diagnose(robot.url.replace(/^http:/, 'https:'));
    expect(failed(diagnosis)).toEqual(['certificate']);
    expect(diagnosis.summary).toMatch(/speaks plain http there, and no TLS → write http:\/\//);
    expect(diagnosis.summary).not.toContain('trust');
  });

  test('of what takes sockets and says nothing ends in time', async () => {
    const sockets = new Set<Socket>();
    const { server, port } = await listening((socket) => sockets.add(socket));
    const beganMs = performance.now();
    const diagnosis = await diagnose(`http://127.0.0.1:${port}/#token=x`, { timeoutMs: 200 });
    expect(failed(diagnosis)).toEqual(['agent']);
    expect(performance.now() - beganMs).toBeLessThan(5000);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test('of a page whose rules keep it from HTTP only goes on to the WebSocket, and finds no fault', async () => {
    const page = { protocol: 'http:', host: 'app.example', origin: 'http://app.example', isChromium: false };
    const options: InternalDiagnoseOptions = { page, fetch: () => Promise.reject(new TypeError('Failed to fetch')) };
    const diagnosis = await diagnose(robot.url, options);
    expect(failed(diagnosis)).toEqual(['agent']);
    expect(diagnosis.isOk).toBe(true);
    expect(states(diagnosis)).toMatchObject({ WebSocket: 'ok', token: 'ok', 'round trip': 'ok' });
  });
});

test('a step that cannot be told is skipped, and those after it are not', async () => {
  const step: Step = { name: 'one', run: () => ({ skipped: 'nobody tells' }), advice: () => '' };
  expect(await runSteps([step, { ...step, name: 'two', run: () => 'seen' }], () => {})).toEqual([
    { name: 'one', state: 'skipped', detail: 'nobody tells' },
    { name: 'two', state: 'ok', detail: 'seen' },
  ]);
});
