// The token: from the fragment, kept for the tab, never in a query.
import { describe, expect, it } from 'vitest';
import { agentUrl, pinned, readPasted, withFragment, withRobot } from '../../web-demo/robot/address.ts';

function fakeStore(
  entries: Record<string, string> = {},
): Pick<Storage, 'getItem' | 'setItem'> & { readonly entries: Record<string, string> } {
  const setItem = (key: string, value: string): void => {
    entries[key] = value;
  };
  return { entries, getItem: (key) => entries[key] ?? null, setItem };
}

const origin = 'http://127.0.0.1:8080';

describe('the address of the robot', () => {
  it('is this origin with the token of the fragment, which is kept for the tab', () => {
    const store = fakeStore();
    expect(agentUrl({ origin, hash: '#token=abc&view=plot' }, store)).toBe(`${origin}/#token=abc`);
    expect(agentUrl({ origin, hash: '#view=plot' }, store)).toBe(`${origin}/#token=abc`);
  });

  it('takes a new token of the fragment before the kept one', () => {
    expect(agentUrl({ origin, hash: '#token=new' }, fakeStore({ 'qiway.token': 'old' }))).toBe(`${origin}/#token=new`);
  });

  it('says which robot it must be, as long as the token is that robot’s', () => {
    const store = fakeStore();
    expect(agentUrl({ origin, hash: '#token=abc&robot=rrr' }, store)).toBe(`${origin}/#token=abc&robot=rrr`);
    expect(agentUrl({ origin, hash: '' }, store)).toBe(`${origin}/#token=abc&robot=rrr`);
    expect(agentUrl({ origin, hash: '#token=other' }, store)).toBe(`${origin}/#token=other`);
    expect(agentUrl({ origin, hash: '' }, store)).toBe(`${origin}/#token=other`);
  });

  it('is unknown without a token', () => {
    expect(agentUrl({ origin, hash: '' }, fakeStore())).toBeUndefined();
  });

  it('keeps the token when the view changes', () => {
    expect(withFragment('#token=abc', 'view', 'plot')).toBe('#token=abc&view=plot');
  });
});

describe('what a person pastes', () => {
  it('replaces token and robot, and nothing else of the fragment', () => {
    const hash = '#token=old&robot=other&view=plot';
    expect(withRobot(hash, `${origin}/#token=new&robot=rrr`)).toBe('#token=new&robot=rrr&view=plot');
    expect(withRobot(hash, `${origin}/#token=new`)).toBe('#token=new&view=plot');
  });

  it('may be the URL or the token alone', () => {
    expect(readPasted(` ${origin}/#token=abcdefgh `, origin)).toEqual({
      url: `${origin}/#token=abcdefgh`,
      isHere: true,
    });
    expect(readPasted('abc_def-gh', origin)).toEqual({ url: `${origin}/#token=abc_def-gh`, isHere: true });
  });

  it('names the robot that was found at the first contact, and keeps the one that it names', () => {
    const store = fakeStore();
    expect(agentUrl({ origin, hash: '#token=abc' }, store)).toBe(`${origin}/#token=abc`);
    expect(pinned('#token=abc&view=plot', 'rrr', store)).toBe('#token=abc&view=plot&robot=rrr');
    expect(pinned('#token=abc&robot=rrr', 'sss', store)).toBeUndefined();
    expect(pinned('#view=plot', 'sss', store)).toBeUndefined();
    expect(agentUrl({ origin, hash: '#view=plot' }, store)).toBe(`${origin}/#token=abc&robot=rrr`);
  });

  it('may be the URL of another robot', () => {
    expect(readPasted('http://robot.local:8080/#token=x', origin).isHere).toBe(false);
  });

  it.each([
    ['', /Paste the URL/],
    ['what?', /no URL/],
    [`${origin}/`, /no token/],
    ['javascript:alert(1)#token=x', /http/],
  ])('is refused with a sentence: %s', (pasted, sentence) => {
    expect(() => readPasted(pasted, origin)).toThrow(sentence);
  });
});
