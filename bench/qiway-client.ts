// Our side's client for web programs: the SDK, in Node and in Chromium alike.
import { connect } from '@qiway/sdk';
import type { EchoClient } from './echo-client.ts';
import { echoClient, type Services } from './typed-client.ts';

/** The program owns its link. */
export async function dialQiway(url: string): Promise<EchoClient> {
  return dialOwned(url, 'page');
}

/** A SharedWorker owns the link. */
export async function dialThroughWorker(url: string): Promise<EchoClient> {
  return dialOwned(url, 'worker');
}

async function dialOwned(url: string, owner: 'page' | 'worker'): Promise<EchoClient> {
  const robot = await connect<Services>(url, owner === 'page' ? { worker: false } : {});
  if (robot.status.owner !== owner) throw new Error(`the link is owned by the ${robot.status.owner}`);
  return echoClient(await robot.service('Echo'), () => robot.close());
}
