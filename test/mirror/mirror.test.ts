// Two buses joined: what one has the other shows, both ways, also after the inner one was away.

import type { Bus, BusListener, BusState } from '@qiway/protocol/bus/bus';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { describe, expect, it } from 'vitest';
import { mirrorBus } from '../../robot-agent/mirror/mirror.ts';
import { embeddedBus } from '../support/memory-session.ts';
import { settled, virtualClock } from '../support/virtual-clock.ts';

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
    const mirror = mirrorBus({ outer, inner, logger, clock: virtualClock() });
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

  it('does not show names that are too long for everybody', async () => {
    const [outer, inner] = [embeddedBus(), embeddedBus()];
    const longest = 'x'.repeat(1024);
    await inner.host(`${longest}y`, object());
    mirrorBus({ outer, inner, logger, clock: virtualClock() });
    await settled();
    await inner.host(`${longest}z`, object());
    await inner.host(longest, object());
    await settled();
    expect(await names(outer)).toEqual([longest]);
  });

  it('refuses an outer name that the robot has already', async () => {
    const [outer, inner] = [embeddedBus(), embeddedBus()];
    await inner.host('ALMotion', object());
    mirrorBus({ outer, inner, logger, clock: virtualClock() });
    await settled();
    await expect(outer.host('ALMotion', object())).rejects.toMatchObject({ code: 'service-name-taken' });
  });

  it('offers the robot what was hosted outside while its bus was down, or before there was a mirror', async () => {
    const [outer, real] = [embeddedBus(), embeddedBus()];
    let state: BusState = 'down';
    const listeners = new Set<BusListener>();
    const inner: Bus = {
      get state() {
        return state;
      },
      machineId: '',
      services: () => real.services(),
      service: (name) => real.service(name),
      serviceInfo: (name) => real.serviceInfo(name),
      host: (name, hosted) => real.host(name, hosted),
      close: () => real.close(),
      listen: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    await outer.host('Before', object());
    const mirror = mirrorBus({ outer, inner, logger, clock: virtualClock() });
    const page = await outer.host('Page', object());
    await settled();
    expect(await names(real)).toEqual([]);
    state = 'up';
    for (const { stateChanged } of listeners) stateChanged?.('up', undefined);
    await settled();
    expect(await names(real)).toEqual(['Before', 'Page']);
    expect(await names(outer)).toEqual(['Before', 'Page']);
    for (const { stateChanged } of listeners) stateChanged?.('up', undefined);
    await settled();
    expect(await names(real)).toEqual(['Before', 'Page']);
    await page.close();
    await settled();
    expect(await names(real)).toEqual(['Before']);
    await mirror.close();
    expect(await names(real)).toEqual([]);
  });
});
