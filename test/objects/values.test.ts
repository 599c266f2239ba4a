// Payloads and the references they own: whatever happens, every object is released exactly as often as it was retained.
import type { BusObject, Payload } from '@qiway/protocol/bus/bus';
import { convertPayload } from '@qiway/protocol/objects/convert-payload';
import { createObject } from '@qiway/protocol/objects/hosted-object';
import {
  asDynamic,
  busObjectOf,
  decodePayload,
  encodePayload,
  isSameSignature,
  openDynamic,
  plainObjects,
} from '@qiway/protocol/objects/values';
import { Dynamic } from '@qiway/protocol/wire/value';
import { describe, expect, it } from 'vitest';

interface Counted {
  readonly object: BusObject;
  /** References beside the maker's. */
  held(): number;
}

function counted(): Counted {
  let held = 0;
  const object = createObject({});
  const retain = object.retain.bind(object);
  const release = object.release.bind(object);
  object.retain = () => {
    held += 1;
    retain();
  };
  object.release = () => {
    held -= 1;
    release();
  };
  return { object, held: () => held };
}

describe('a payload', () => {
  it('holds one reference of each object in it, and hands it over with the value', () => {
    const { object, held } = counted();
    const payload = encodePayload('(om[o])', [object, object, [null, object]], plainObjects);
    expect(payload.objects).toEqual([object, object, object]);
    expect(held()).toBe(3);
    expect(decodePayload(payload, plainObjects)).toEqual([object, object, [null, object]]);
    expect(held()).toBe(3);
  });

  it('releases what it had taken when the rest does not fit', () => {
    const { object, held } = counted();
    expect(() => encodePayload('(oi)', [object, 'x'], plainObjects)).toThrow(/argument 2/);
    expect(held()).toBe(0);
    expect(() => encodePayload('(o)', [{ plain: true }], plainObjects)).toThrow(
      /\[invalid-argument\].*argument 1: expected an object/,
    );
  });

  it('releases its objects when the bytes are wrong, without making values of them', () => {
    const { object, held } = counted();
    const { bytes, objects } = encodePayload('(oi)', [object, 5], plainObjects);
    const seen: unknown[] = [];
    const mapper = { ...plainObjects, toValue: (one: BusObject) => seen.push(one) };
    expect(() => decodePayload({ signature: '(oi)', bytes: bytes.subarray(0, -1), objects }, mapper)).toThrow(
      /wire-invalid/,
    );
    expect([held(), seen]).toEqual([0, []]);
  });

  it('releases objects that no byte names, and refuses names without an object', () => {
    const { object, held } = counted();
    object.retain();
    expect(
      decodePayload(
        { signature: '(m)', bytes: encodePayload('(m)', [1], plainObjects).bytes, objects: [object] },
        plainObjects,
      ),
    ).toEqual([1]);
    expect(held()).toBe(0);
    const { bytes } = encodePayload('(o)', [object], plainObjects);
    expect(() => decodePayload({ signature: '(o)', bytes, objects: [] }, plainObjects)).toThrow(
      /wire-invalid.*no object 1/,
    );
  });

  it('gives an object that is named twice two references', () => {
    const { object, held } = counted();
    const once = encodePayload('(o)', [object], plainObjects);
    const twice: Payload = { signature: '(oo)', bytes: Buffer.concat([once.bytes, once.bytes]), objects: once.objects };
    expect(decodePayload(twice, plainObjects)).toEqual([object, object]);
    expect(held()).toBe(2);
  });

  it('keeps its references through a conversion, and drops them when that fails', () => {
    const { object, held } = counted();
    const converted = convertPayload(encodePayload('(os)', [object, 'x'], plainObjects), '(mm)');
    expect(converted.signature).toBe('(mm)');
    expect(held()).toBe(1);
    expect(decodePayload(converted, plainObjects)).toEqual([object, 'x']);
    object.release();
    expect(() => convertPayload(encodePayload('(os)', [object, 'x'], plainObjects), '(oi)')).toThrow(
      /conversion-failed/,
    );
    expect(held()).toBe(0);
  });

  it('is the same one when only annotations differ', () => {
    const payload = encodePayload('(ii)<Point,x,y>', { x: 1, y: 2 }, plainObjects);
    expect(convertPayload(payload, '(ii)')).toBe(payload);
    expect(isSameSignature('[(ii)<Point,x,y>]', '[(ii)]')).toBe(true);
  });
});

describe('a dynamic payload', () => {
  it('is opened and closed without touching the value', () => {
    const inner = encodePayload('l', 2n ** 60n, plainObjects);
    const dynamic = asDynamic(inner);
    expect(Buffer.from(dynamic.bytes)).toEqual(
      Buffer.from(encodePayload('m', new Dynamic('l', 2n ** 60n), plainObjects).bytes),
    );
    expect(decodePayload(openDynamic(dynamic), plainObjects)).toBe(2n ** 60n);
    expect(asDynamic(dynamic)).toBe(dynamic);
  });

  it('without signature is an unset value', () => {
    expect(openDynamic({ signature: 'm', bytes: new Uint8Array(4), objects: [] }).signature).toBe('v');
  });
});

it('only BusObjects are taken for one', () => {
  for (const value of [null, undefined, 5, 'text', {}, [], new Map(), () => {}])
    expect(busObjectOf(value)).toBeUndefined();
  const object = createObject({});
  expect(busObjectOf(object)).toBe(object);
});
