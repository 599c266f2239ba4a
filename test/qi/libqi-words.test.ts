// What real libqi 4.0.5 answered when it was tried beside our hosts, and the recordings do not show: words of failed
// conversions, and what statistics and tracing tell.
import { describe, expect, it, test } from 'vitest';
import type { BusObject, ServiceInfo } from '../../protocol/bus/bus.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import type { QiwayError } from '../../protocol/errors.ts';
import type { HostedObject } from '../../protocol/objects/hosted-object.ts';
import { createObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { Dynamic, decodeValue } from '../../protocol/wire/value.ts';
import { ask } from '../support/hosted-calls.ts';

const POINT = '(iis)<Point,x,y,name>';
const same = (value: unknown): unknown => value;

describe('words for arguments that cannot be converted', () => {
  const object = createObject({
    echoPoint: method(`(${POINT})`, POINT, same),
    echoOptional: method('(+i)', '+i', same),
    echoInt: method('(i)', 'i', same),
    sum: method('(#i)', 'i', () => 0),
    bytes: method('(r)', 'r', same),
  });
  const refused = async (action: number, signature: string, args: readonly unknown[]): Promise<string> =>
    ((await ask(object, action, 'm', new Dynamic(signature, args))) as { readonly text: string }).text;
  const words = (from: string, to: string): string =>
    `Call argument number 0 conversion failure from ${from} to ${to}. Function signature: (${to}).`;

  it('call a struct by its name', async () => {
    expect(await refused(100, '((i)<Bad,x>)', [{ x: 1 }])).toBe(words('Bad', 'Point'));
    expect(await refused(100, '(i)', [12])).toBe(words('Int32', 'Point'));
  });

  it('name optionals, variable arguments and raw as libqi does', async () => {
    expect(await refused(101, '(s)', ['x'])).toBe(words('String', 'Optional<Int32>'));
    expect(await refused(103, '(i)', [1])).toBe(words('Int32', 'VarArgs<Int32>'));
    expect(await refused(104, '(i)', [1])).toBe(words('Int32', 'RawBuffer'));
  });

  it('name what a dynamic holds, not the dynamic', async () => {
    expect(await refused(102, '(m)', [new Dynamic('s', '5')])).toBe(words('String', 'Int32'));
  });
});

describe('tracing', () => {
  const traced = (): HostedObject =>
    createObject({
      three: method('(isd)', 's', (...args: unknown[]) => args.slice(0, 3).join(':')),
      nothing: method('()', 'v', () => {}),
      take: method('(rm)', 'i', (_: Uint8Array, object: BusObject) => {
        object.release();
        return 7;
      }),
      fail: method('(s)', 'i', (text: string) => {
        throw new Error(text);
      }),
      changed: signal('(i)'),
    });
  interface Told {
    readonly kind: number;
    readonly slotId: number;
    readonly arguments: Dynamic;
  }
  const listen = (object: HostedObject): { readonly told: Told[]; readonly close: () => Promise<void> } => {
    const told: Told[] = [];
    const signature = object.metaObject.signals.get(86)?.signature ?? '';
    const { close } = object.subscribe(86, {
      event: ({ bytes }) => {
        const [event] = decodeValue(signature, bytes, { dynamics: 'wrapped' }) as [Told];
        told.push({ kind: event.kind, slotId: event.slotId, arguments: event.arguments });
      },
      gone: () => {},
    });
    return { told, close };
  };

  it('is on while somebody listens', async () => {
    const object = traced();
    const isOn = async (): Promise<unknown> => ((await ask(object, 84, '()', [])) as { readonly reply: unknown }).reply;
    expect(await isOn()).toBe(false);
    const one = listen(object);
    const other = listen(object);
    expect(await isOn()).toBe(true);
    await one.close();
    expect(await isOn()).toBe(true);
    await ask(object, 85, '(b)', [false]);
    expect(await isOn()).toBe(false);
    await ask(object, 85, '(b)', [true]);
    await other.close();
    expect(await isOn()).toBe(false);
  });

  it('tells arguments and results with their types, failures by their words', async () => {
    const object = traced();
    const { told } = listen(object);
    await ask(object, 100, '(isd)', [1, 's', 1.5]);
    await ask(object, 101, '()', []);
    await ask(object, 103, '(s)', ['no']);
    expect(told).toEqual([
      {
        kind: 1,
        slotId: 100,
        arguments: new Dynamic('[m]', [new Dynamic('i', 1), new Dynamic('s', 's'), new Dynamic('d', 1.5)]),
      },
      { kind: 2, slotId: 100, arguments: new Dynamic('s', '1:s:1.5') },
      { kind: 1, slotId: 101, arguments: new Dynamic('[m]', []) },
      { kind: 2, slotId: 101, arguments: new Dynamic('v', null) },
      { kind: 1, slotId: 103, arguments: new Dynamic('[m]', [new Dynamic('s', 'no')]) },
      { kind: 3, slotId: 103, arguments: new Dynamic('s', 'no') },
    ]);
  });

  it('shows neither bytes nor objects, and holds none', async () => {
    const object = traced();
    const { told } = listen(object);
    const given = createObject({});
    let isGone = false;
    given.onGone(() => {
      isGone = true;
    });
    const bytes = new Uint8Array([1, 2]);
    expect(await ask(object, 102, '(rm)', [bytes, given])).toMatchObject({ reply: 7 });
    given.release();
    expect(told[0]?.arguments).toEqual(new Dynamic('[m]', [new Dynamic('s', '<??>'), new Dynamic('s', '<??>')]));
    expect(isGone).toBe(true);
  });

  it('tells the methods of tracing too', async () => {
    const object = traced();
    const { told } = listen(object);
    await ask(object, 84, '()', []);
    await ask(object, 7, '()', []);
    expect(told.map(({ slotId }) => slotId)).toEqual([84, 84]);
  });
});

test('the directory says of an unknown service what was to be done with it', () => {
  const bus = new EmbeddedBus({ machineId: 'm', processId: 1, sessionId: 's' });
  const info: ServiceInfo = {
    name: 'Nobody',
    serviceId: 99,
    machineId: 'm',
    processId: 1,
    endpoints: [],
    sessionId: 's',
    objectUid: new Uint8Array(0),
  };
  const textOf = (run: () => void): unknown => {
    try {
      return run();
    } catch (error) {
      return (error as QiwayError<'service-not-found'>).data;
    }
  };
  expect(textOf(() => bus.registry.unregister(99))).toEqual({ text: "Unregister Service: Can't find service #99" });
  expect(textOf(() => bus.registry.ready(99))).toEqual({ text: "Can't find pending service #99" });
  expect(textOf(() => bus.registry.update(info))).toEqual({ text: "updateServiceInfo: Can't find service #99" });
});
