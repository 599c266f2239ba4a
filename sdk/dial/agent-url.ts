// The URL a person is given (`http://robot:8080/#token=…&robot=…`), taken apart: where the link goes, the token, who it is.
import { QiwayError } from '@qiway/protocol/errors';

export interface AgentUrl {
  /** As given, without the fragment and what else is secret: for people. */
  readonly shown: string;
  /** The WebSocket to dial. */
  readonly link: string;
  /** From the fragment `#token=…`; empty if there is none. */
  readonly token: string;
  /** The id of the robot, from the fragment `robot=…`: no other is talked to. */
  readonly robot?: string;
}

/** Path of the link, beside the page that the URL names (docs/link-protocol.md, section 2). */
const LINK_PATH = 'robot/link';
/** Base32 of a SHA-256 (docs/link-protocol.md, section 2). */
const ROBOT_ID = /^[a-z2-7]{52}$/;
const SCHEME = /^(?:http|ws)(s?):$/;

/** @param base resolves a URL without scheme and host, as in a page: `location.href` @throws `invalid-argument` */
export function parseAgentUrl(text: string, base?: string): AgentUrl {
  const expected = 'http://host:port/#token=…';
  const refuse = (what: string): QiwayError =>
    new QiwayError('invalid-argument', `${what}; give the URL that the agent printed, like ${expected}.`, {
      data: { expected, path: 'url' },
    });
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw refuse(`"${withoutFragment(text)}" is not a URL`);
  }
  const scheme = SCHEME.exec(url.protocol);
  if (scheme === null || url.host === '')
    throw refuse(`"${withoutFragment(text)}" does not begin with http, https, ws or wss`);
  const fragment = new URLSearchParams(url.hash.slice(1));
  const token = fragment.get('token') ?? '';
  const robot = fragment.get('robot') ?? undefined;
  if (robot !== undefined && !ROBOT_ID.test(robot))
    throw refuse('What follows "robot=" in the URL is not the id of a robot (52 letters and digits)');
  url.hash = url.search = url.username = url.password = '';
  const shown = url.href;
  const link = url.pathname.endsWith(`/${LINK_PATH}`) ? url : new URL(LINK_PATH, url);
  return {
    shown,
    link: `ws${scheme[1]}:${link.href.slice(link.protocol.length)}`,
    token,
    ...(robot !== undefined && { robot }),
  };
}

/** The fragment may hold a token: it is in no message. In JavaScript, and from an environment, it may be no text at all. */
function withoutFragment(text: string): string {
  return String(text).split('#', 1)[0] ?? '';
}
