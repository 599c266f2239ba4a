// Our side's client for qi programs: a Node program that joins the bus at the agent's door. Node only.
import { joinBus, remoteServices, tokenAuthenticator } from '@qiway/robot-agent/qi';
import type { EchoClient } from './echo-client.ts';
import { echoClient, type Services } from './typed-client.ts';

/** `url`: the door's, with the fragment of the agent's URL. */
export async function dialQiDoor(url: string): Promise<EchoClient> {
  const [endpoint = '', fragment = ''] = url.split('#');
  const token = new URLSearchParams(fragment).get('token') ?? '';
  const bus = await joinBus(endpoint, { authenticator: tokenAuthenticator({ user: 'bench', token }) });
  return echoClient(await remoteServices<Services>(bus).service('Echo'), () => bus.close());
}
