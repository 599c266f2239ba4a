// Two buses joined: what one has the other shows, both ways, also after the inner one was away.

import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { describe, expect, it } from 'vitest';
import { mirrorBus } from '../../robot-agent/mirror.ts';
import { embeddedBus } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const names = async (bus: ReturnType<typeof embeddedBus>): Promise<string[]> =>
  (await bus.services())
    .map((info) => info.name)
    .filter((name) => name !== 'ServiceDirectory')
    .sort();
const object = (): ReturnType<typeof createObject> => createObject({ hi: method('()', 's', () => 'hi') });

describe('the mirror between the robot’s bus and the agent’s', () => {
  it('shows inner services outside and outer ones inside, and takes them away again', async () => {
    const [outer, inner] = [embeddedBus(), embeddedBus()];
    const early = await inner.host('Early', object());
    const mirror = mirrorBus({ outer, inner, logger });
    await settled();
    expect(await names(outer)).toEqual(['Early']);
    const late = await inner.host('Late', object());
    const page = await outer.host('Page', object());
    await settled();
    expect(await names(outer)).toEqual(['Early', 'Late', 'Page']);
    expect(await names(inner)).toEqual(['Early', 'Late', 'Page']);
    await late.close();
    await page.close();
    await settled();
    expect([await names(outer), await names(inner)]).toEqual([['Early'], ['Early']]);
    await early.close();
    await mirror.close();
    expect([await names(outer), await names(inner)]).toEqual([[], []]);
  });

  it('refuses an outer name that the robot has already', async () => {
    const [outer, inner] = [embeddedBus(), embeddedBus()];
    await inner.host('ALMotion', object());
    mirrorBus({ outer, inner, logger });
    await settled();
    await expect(outer.host('ALMotion', object())).rejects.toMatchObject({ code: 'service-name-taken' });
  });
});
