// What consoles in tabs of one browser tell each other.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createOtherTabs, type OtherTabs } from '../../web-demo/robot/other-tabs.ts';

const NAME = 'test of other tabs';
let heard: string[];
let tabs: OtherTabs[];

function openTab(name: string): OtherTabs {
  const tab = createOtherTabs({
    openChannel: () => new BroadcastChannel(NAME),
    stopped: () => heard.push(`${name} stop`),
    driven: () => heard.push(`${name} drive`),
  });
  tab.open();
  tabs.push(tab);
  return tab;
}

/** Resolves when all that was said so far was heard: channels keep order. */
async function delivered(): Promise<void> {
  const [from, to] = [new BroadcastChannel(NAME), new BroadcastChannel(NAME)];
  const arrived = new Promise((resolve) => to.addEventListener('message', resolve));
  from.postMessage('neither');
  await arrived;
  for (const channel of [from, to]) channel.close();
}

beforeEach(() => {
  heard = [];
  tabs = [];
});
afterEach(() => {
  for (const tab of tabs) tab.close();
});

it('is heard by all others, and not by who says it', async () => {
  const one = openTab('one');
  openTab('two');
  openTab('three');
  one.tellStop();
  await expect.poll(() => heard.toSorted()).toEqual(['three stop', 'two stop']);
  one.tellDrive();
  await expect.poll(() => heard.slice(2).sort()).toEqual(['three drive', 'two drive']);
  await delivered();
  expect(heard).toHaveLength(4);
});

it('is not heard by a page that was left, nor said by it, until it is back', async () => {
  const one = openTab('one');
  const two = openTab('two');
  two.close();
  one.tellStop();
  two.tellStop();
  await delivered();
  expect(heard).toEqual([]);
  two.open();
  one.tellStop();
  await expect.poll(() => heard).toEqual(['two stop']);
});
