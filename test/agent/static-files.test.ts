// Files that the agent serves beside the robot, and those that it does not.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, type HttpAgent, type HttpAgentOptions, httpAgent } from '../support/http-agent.ts';

let agent: HttpAgent | undefined;
afterEach(async () => {
  await agent?.close();
  agent = undefined;
});

async function start(options: HttpAgentOptions = {}): Promise<HttpAgent> {
  agent = await httpAgent(options);
  return agent;
}

describe('files beside the robot', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  async function startWithFiles(): Promise<HttpAgent> {
    const folder = await mkdtemp(join(tmpdir(), 'qiway-web-'));
    folders.push(folder);
    const web = join(folder, 'web');
    await mkdir(join(web, 'assets'), { recursive: true });
    await writeFile(join(web, 'index.html'), '<!doctype html><title>console</title>');
    await writeFile(join(web, 'assets', 'app-1234.js'), 'export {};');
    await writeFile(join(web, '.secret'), 'hidden');
    await writeFile(join(web, 'empty.txt'), '');
    await writeFile(join(folder, 'outside.txt'), 'outside');
    await symlink(join(folder, 'outside.txt'), join(web, 'link.txt'));
    return start({ web });
  }

  test('are served with type, policy and a tag', async () => {
    const { url } = await startWithFiles();
    const page = await fetch(`${url}/?x=1`);
    expect(await page.text()).toContain('<title>console</title>');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self';");
    // The robot may move.
    expect(policy).toContain("connect-src 'self' ws: wss:;");
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const etag = page.headers.get('etag') ?? '';
    expect((await fetch(`${url}/`, { headers: { 'if-none-match': `"other", ${etag}` } })).status).toBe(304);
    const script = await fetch(`${url}/assets/app-1234.js`);
    expect([script.headers.get('content-type'), script.headers.get('cache-control')]).toEqual([
      'text/javascript; charset=utf-8',
      'public, max-age=31536000, immutable',
    ]);
    const head = await fetch(`${url}/assets/app-1234.js`, { method: 'HEAD' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['10', '']);
    expect(await (await fetch(`${url}/empty.txt`)).text()).toBe('');
  });

  test.each([
    '/.secret',
    '/link.txt',
    '/../outside.txt',
    '/%2e%2e/outside.txt',
    '/..%2foutside.txt',
    '/assets/..%2f..%2foutside.txt',
    '/%00',
    '/%ff',
    '/assets',
    '/absent',
    '//etc/passwd',
    '/index.html/x',
  ])('%s is not there', async (path) => {
    const { port } = await startWithFiles();
    const { status, text } = await ask(port, path);
    expect(status).toBe(404);
    expect(text).not.toContain('outside');
    expect(JSON.parse(text)).toMatchObject({ status: 404 });
  });

  test('can only be read', async () => {
    const { url } = await startWithFiles();
    const response = await fetch(`${url}/`, { method: 'POST', body: 'x' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('are not there without a directory', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/`)).json()).toMatchObject({
      status: 404,
      detail: expect.stringContaining('--web DIR'),
    });
  });
});
