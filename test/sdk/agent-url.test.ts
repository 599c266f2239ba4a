// The URL that a person pastes.
import { describe, expect, it } from 'vitest';
import { parseAgentUrl } from '../../sdk/dial/agent-url.ts';

describe('the URL of an agent', () => {
  it.each([
    ['http://127.0.0.1:8080/#token=abc', 'ws://127.0.0.1:8080/robot/link', 'abc'],
    ['https://robot.example/#token=a%2Bb', 'wss://robot.example/robot/link', 'a+b'],
    ['ws://robot.local:8080', 'ws://robot.local:8080/robot/link', ''],
    ['wss://robot.example/robot/link#token=x', 'wss://robot.example/robot/link', 'x'],
    ['http://[::1]:8080/index.html?view=2#token=x&tab=3', 'ws://[::1]:8080/robot/link', 'x'],
    ['https://proxy.example/robots/7/#token=x', 'wss://proxy.example/robots/7/robot/link', 'x'],
  ])('%s is dialled at %s', (text, link, token) => {
    expect(parseAgentUrl(text)).toMatchObject({ link, token });
  });

  it('is shown without what is secret', () => {
    expect(parseAgentUrl('http://user:pass@127.0.0.1:8080/?q=1#token=abc').shown).toBe('http://127.0.0.1:8080/');
  });

  it('may be relative to a page', () => {
    expect(parseAgentUrl('#token=abc', 'http://robot:8080/console')).toEqual({
      shown: 'http://robot:8080/console',
      link: 'ws://robot:8080/robot/link',
      token: 'abc',
    });
  });

  it.each(['', 'robot', '127.0.0.1:8080', 'ftp://robot/', 'tcp://127.0.0.1:9559', 'http://', 'localhost:8080'])(
    '"%s" is refused, and the message tells what is expected',
    (text) => {
      expect(() => parseAgentUrl(text)).toThrow(
        /\[invalid-argument\].*give the URL that the agent printed, like http:\/\/host:port\/#token=…\./,
      );
    },
  );

  it('that was forgotten is refused like one that is none', () => {
    expect(() => parseAgentUrl(undefined as unknown as string)).toThrow(
      /^\[invalid-argument\] "undefined" is not a URL/,
    );
  });

  it('is never quoted with its token', () => {
    expect(() => parseAgentUrl('robot:8080#token=secret')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});
