// Our side's client for qi programs: a Node program that joins the bus at the agent's door. Node only.
import { joinBus, remoteServices, tokenAuthenticator } from '@qiway/robot-agent/qi';
import type { EchoClient } from './echo-client.ts';
import { echoClient, type Services } from './typed-client.ts';

/** `url`: the door's, with the agent's token as its fragment. */
export async function dialQiDoor(url: string): Promise<EchoClient> {
  const [endpoint = '', token = ''] = url.split('#token=');
  const bus = await joinBus(endpoint, { authenticator: tokenAuthenticator({ user: 'bench', token }) });
  return echoClient(await remoteServices<Services>(bus).service('Echo'), () => bus.close());
}
