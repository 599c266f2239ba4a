// Our side's client: the SDK, in Node and in Chromium alike.
import type { EchoClient } from './echo-client.ts';
export const dialQiway = async (url: string): Promise<EchoClient> => {
  throw new Error(url);
};
