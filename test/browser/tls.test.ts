// A page of an agent that serves TLS, in a real Chromium. The browser is told to accept the authority's key in place of being
// taught to trust it, since no test may change what a machine trusts: that names and constraints hold is shown in test/tls, by
// another TLS library. What is shown here is what such a page can do.
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownAuthority } from '../../robot-agent/tls/own-authority.ts';
import { type ConsoleSite, openConsoleSite } from '../support/console-site.ts';
import { virtualClock } from '../support/virtual-clock.ts';
import { keptLog } from '../tls/lab.ts';

/** A name that browsers take for no loopback. */
const NAME = 'robot.test';

let site: ConsoleSite;
let state: string;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'qiway-tls-page-'));
  // Made before the agent starts, so that the browser can be told of its key.
  const made = await ownAuthority({
    directory: state,
    name: 'Qiway robot of a test',
    hosts: () => [NAME, 'localhost', '127.0.0.1'],
    clock: virtualClock(),
    logger: keptLog(),
    now: () => new Date(),
  });
  made.stop();
  const key = new X509Certificate(made.authority ?? '').publicKey.export({ type: 'spki', format: 'der' });
  site = await openConsoleSite({
    name: NAME,
    state,
    agentOptions: ['--tls', 'self'],
    browserArgs: [`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`],
  });
});
afterAll(async () => {
  await site?.close();
  rmSync(state, { recursive: true, force: true });
});

const standing = (page: Page): Promise<void> =>
  page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();

describe('a page of https', () => {
  test('is of a secure origin, with a link by wss and a service worker', async () => {
    const { page, errors, close } = await site.open();
    await standing(page);
    expect(page.url()).toMatch(/^https:\/\/robot\.test:\d+\//);
    const has = await page.evaluate(async () => ({
      isSecure: globalThis.isSecureContext,
      subtle: globalThis.crypto.subtle !== undefined,
      locks: 'locks' in navigator,
      camera: navigator.mediaDevices?.getUserMedia !== undefined,
      worker: (await navigator.serviceWorker.ready).active !== null,
    }));
    expect(has).toEqual({ isSecure: true, subtle: true, locks: true, camera: true, worker: true });
    expect(errors).toEqual([]);
    await close();
  });

  test('cannot dial without TLS: the link that it has is wss', async () => {
    const { page, close } = await site.open();
    await standing(page);
    const plain = await page.evaluate(() => {
      try {
        new WebSocket(`ws://${location.host}/robot/link`, 'qiway.2');
        return 'dialled';
      } catch (error) {
        return (error as Error).name;
      }
    });
    expect(plain).toBe('SecurityError');
    await close();
  });

  test('is where a page of http is sent, with what stands in its fragment', async () => {
    const { page, close } = await site.open();
    const { host } = new URL(page.url());
    await page.goto('about:blank');
    await page.goto(`http://${host}/${new URL(site.url).hash}`);
    await standing(page);
    expect(new URL(page.url()).protocol).toBe('https:');
    await close();
  });

  test('tells over http how to trust the agent, without a script', async () => {
    const { page, errors, close } = await site.open({ javaScriptEnabled: false });
    const { host } = new URL(page.url());
    await page.goto(`http://${host}/install`);
    await page.getByRole('heading', { name: 'Let this device trust the robot' }).waitFor();
    const fingerprint = (await page.locator('#fingerprint').textContent()) ?? '';
    expect(site.agent.output()).toContain(fingerprint);
    const isStyled = await page.locator('.fingerprint').evaluate((element) => getComputedStyle(element).borderStyle);
    expect(isStyled).toBe('solid');
    expect(errors).toEqual([]);
    await close();
  });
});

test('a browser that was not told of the key refuses the page', async () => {
  const { launchChromium } = await import('../support/chromium.ts');
  const browser = await launchChromium([`--host-resolver-rules=MAP ${NAME} 127.0.0.1`]);
  const page = await browser.newPage();
  await expect(page.goto(site.url)).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
  await browser.close();
});
