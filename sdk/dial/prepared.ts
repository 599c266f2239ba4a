// What every way to a session begins with: the URL is read, and a page of https asks its user for the local network, since only
// pages can, before the time for dialling runs.
import { within } from '@qiway/protocol/within';
import { onceLoaded } from '../once-loaded.ts';
import { parseAgentUrl } from './agent-url.ts';
import type { ConnectRequest, SessionRequest } from './dial.ts';

const loadAsking = onceLoaded('asks for the local network', () => import('./local-network.ts'));

/** @throws `invalid-argument` */
export async function prepared({ url, token, ...rest }: ConnectRequest): Promise<SessionRequest> {
  const { location } = globalThis as { readonly location?: Location };
  const agent = parseAgentUrl(url, location?.href);
  if (location?.protocol === 'https:') {
    const { askForAgent } = await within(loadAsking(), rest, 'The part of the SDK that asks was not loaded');
    await askForAgent(agent.link, rest.clock);
  }
  return { ...rest, agent, token: token ?? agent.token };
}
