// The part of the bus contract about services: which there are, hosting them, their end.
import { describe, expect, test } from 'vitest';
import { createObject, method } from '../../protocol/objects/hosted-object.ts';
import { createEchoService } from '../support/echo-service.ts';
import { Collected, callMethod, failureOf, startCall, watch } from './calls.ts';
import { type ContractOptions, type ContractState, seen } from './contract-state.ts';

const one = () => createObject({ answer: method('()', 'i', () => 42) });

export function serviceContract(
  get: () => ContractState,
  { isInProcess = false, isDirectory = false, isOnBus = false, isMirrored = false }: ContractOptions,
): void {
  describe('services', () => {
    test('the directory and what was hosted are listed, with ids', async () => {
      const infos = await get().bus.services();
      expect(infos.find(({ name }) => name === 'ServiceDirectory')?.serviceId).toBe(1);
      expect(infos.find(({ name }) => name === 'Echo')?.serviceId).toBeGreaterThan(1);
    });

    test('one is told of alone as it is in the list', async () => {
      const { bus } = get();
      const info = await bus.serviceInfo('Echo');
      expect(info).toEqual((await bus.services()).find(({ name }) => name === 'Echo'));
    });

    test('the directory is a service like any other', async () => {
      const directory = await get().bus.service('ServiceDirectory');
      expect(await callMethod(directory, 'machineId')).toBe(get().bus.machineId);
      directory.release();
    });

    test('an unknown name is refused, with names that look alike', async () => {
      const { bus } = get();
      for (const error of await Promise.all([bus.service('Ecko'), bus.serviceInfo('Ecko')].map(failureOf))) {
        expect(error.code).toBe('service-not-found');
        expect(error.data).toMatchObject({ service: 'Ecko', nearest: expect.arrayContaining(['Echo']) });
      }
    });

    test('either side can host, and the other can call', async () => {
      const { bus, hostBus } = get();
      await bus.host('Mine', one());
      await seen(hostBus, 'Mine');
      const mine = await hostBus.service('Mine');
      expect(await callMethod(mine, 'answer')).toBe(42);
      mine.release();
    });

    test('a service hosted here can be called here', async () => {
      const { bus } = get();
      const hosted = await bus.host('Mine', one());
      const mine = await bus.service('Mine');
      expect(await callMethod(mine, 'answer')).toBe(42);
      expect((await bus.serviceInfo('Mine')).serviceId).toBe(hosted.serviceId);
      mine.release();
    });

    test('a name is hosted once, from whichever side, and what was refused is released', async () => {
      const { bus, hostBus } = get();
      for (const side of [bus, hostBus]) {
        const refused = one();
        const error = await failureOf(side.host('Echo', refused));
        expect(error.code).toBe('service-name-taken');
        expect(error.data).toMatchObject({ service: 'Echo' });
        expect(refused.goneWith).toBeDefined();
      }
      expect(await callMethod(get().remote, 'echoInt32', 3)).toBe(3);
    });

    test('a name is free again after its service left', async () => {
      const { bus, hostBus } = get();
      const removed = new Collected<string>();
      bus.listen({ serviceRemoved: ({ name }) => removed.add(name) });
      const first = await hostBus.host('Again', one());
      await seen(bus, 'Again');
      await first.close();
      await removed.count(1);
      const second = await hostBus.host('Again', one());
      expect(second.serviceId).toBeGreaterThan(first.serviceId);
      await seen(bus, 'Again');
      const again = await bus.service('Again');
      expect(await callMethod(again, 'answer')).toBe(42);
      again.release();
    });

    test('coming and going is told, in order', async () => {
      const { bus, hostBus } = get();
      const told = new Collected<string>();
      const stop = bus.listen({
        serviceAdded: ({ name, serviceId }) => told.add(`+${name} ${serviceId}`),
        serviceRemoved: ({ name, serviceId }) => told.add(`-${name} ${serviceId}`),
      });
      const first = await hostBus.host('First', one());
      const second = await hostBus.host('Second', one());
      await Promise.all([seen(bus, 'First'), seen(bus, 'Second')]);
      const infos = isMirrored
        ? await Promise.all([bus.serviceInfo('First'), bus.serviceInfo('Second')])
        : [first, second];
      const ids = infos.map(({ serviceId }) => serviceId);
      await first.close();
      expect(await told.count(3)).toEqual([`+First ${ids[0]}`, `+Second ${ids[1]}`, `-First ${ids[0]}`]);
      stop();
      const last = new Collected<string>();
      bus.listen({ serviceRemoved: ({ name }) => last.add(name) });
      await second.close();
      await last.count(1);
      expect(told.all).toHaveLength(3);
    });

    test('closing a service takes it off the bus, once', async () => {
      const { bus, hostBus } = get();
      const removed = new Collected<string>();
      const object = one();
      bus.listen({ serviceRemoved: ({ name }) => removed.add(name) });
      const hosted = await hostBus.host('Gone', object);
      await seen(bus, 'Gone');
      await Promise.all([hosted.close(), hosted.close()]);
      expect(await hosted.closed).toBeUndefined();
      await removed.count(1);
      expect((await bus.services()).map(({ name }) => name)).not.toContain('Gone');
      expect((await failureOf(bus.service('Gone'))).code).toBe('service-not-found');
      expect(removed.all).toEqual(['Gone']);
      expect(object.goneWith).toBeDefined();
    });

    test(
      isOnBus
        ? 'a service taken off the bus by another program tells its host'
        : 'a service of somebody else cannot be taken off the bus',
      async () => {
        const { bus, hostBus } = get();
        const hosted = await hostBus.host('Taken', one());
        await seen(bus, 'Taken');
        const directory = await bus.service('ServiceDirectory');
        const taken = callMethod(directory, 'unregisterService', (await bus.serviceInfo('Taken')).serviceId);
        if (isOnBus) {
          await taken;
          expect((await hosted.closed)?.code).toBe('service-gone');
        } else {
          // Qi sockets carry the words alone.
          expect((await failureOf(taken)).message).toMatch(/was registered by somebody else|is not of this tab/);
          expect((await bus.services()).map(({ name }) => name)).toContain('Taken');
        }
        await hosted.close();
        directory.release();
      },
    );

    if (!isInProcess)
      test('what was under way when a service leaves fails, and its objects are gone', async () => {
        const { bus, hostBus } = get();
        const leaving = createEchoService();
        const hosted = await hostBus.host('Leaving', leaving.object);
        await seen(bus, 'Leaving');
        const remote = await bus.service('Leaving');
        const ticks = watch(remote, 'onTick');
        await ticks.ready;
        const { outcome } = startCall(remote, 'slow', 60_000);
        await callMethod(remote, 'doNothing');
        await hosted.close();
        expect((await failureOf(outcome)).code).toBe('service-gone');
        expect((await ticks.gone).code).toBe('service-gone');
        expect(remote.goneWith?.code).toBe('service-gone');
        expect((await failureOf(callMethod(remote, 'doNothing'))).code).toBe('service-gone');
      });
  });

  describe('closing the bus', () => {
    test('is told, ends what was hosted, and is final', async () => {
      const { bus } = get();
      const states = new Collected<string>();
      bus.listen({ stateChanged: (state) => states.add(state) });
      const object = one();
      const hosted = await bus.host('Mine', object);
      expect(bus.state).toBe('up');
      await bus.close();
      await bus.close();
      expect(bus.state).toBe('closed');
      expect(states.all).toEqual(['closed']);
      await hosted.closed;
      expect(object.goneWith).toBeDefined();
      expect((await failureOf(bus.services())).code).toBe('closed');
      expect((await failureOf(bus.service('Echo'))).code).toBe('closed');
      const refused = one();
      expect((await failureOf(bus.host('Late', refused))).code).toBe('closed');
      expect(refused.goneWith).toBeDefined();
    });

    if (!isDirectory)
      test('takes its services away from others, and its own calls end', async () => {
        const { bus, hostBus, remote } = get();
        const removed = new Collected<string>();
        hostBus.listen({ serviceRemoved: ({ name }) => removed.add(name) });
        await bus.host('Mine', one());
        await seen(hostBus, 'Mine');
        const { outcome } = startCall(remote, 'slow', 60_000);
        await bus.close();
        expect(await removed.count(1)).toEqual(['Mine']);
        await failureOf(outcome);
        expect(remote.goneWith).toBeDefined();
        expect(await hostBus.services()).not.toHaveLength(0);
      });
  });
}
