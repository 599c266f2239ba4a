// Our side's client for web programs: the SDK, in Node and in Chromium alike.
import { connect } from '@qiway/sdk';
import type { EchoClient } from './echo-client.ts';
import { echoClient, type Services } from './typed-client.ts';

export async function dialQiway(url: string): Promise<EchoClient> {
  const robot = await connect<Services>(url);
  return echoClient(await robot.service('Echo'), () => robot.close());
}
