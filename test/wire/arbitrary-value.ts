// Random signatures with values of them, for property tests.
import fc from 'fast-check';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import { parseSignature, type SignatureNode, signatureText } from '../../protocol/wire/signature.ts';
import { Dynamic, encodeValue, type ObjectReference, Some } from '../../protocol/wire/value.ts';

const KEYS = ['b', 'c', 'C', 'w', 'W', 'i', 'I', 'l', 'L', 's'] as const;
const LEAVES = [...KEYS, 'f', 'd', 'r', 'v', 'm', 'o', '+v', '+i'] as const;

const field = fc.oneof(
  fc.constantFrom('x', 'y', 'name', '__proto__', 'constructor', '0'),
  fc.string({ unit: fc.constantFrom(...'abcdé'), minLength: 1, maxLength: 4 }),
);

/** Signatures of every shape, with and without annotations. */
export const arbitrarySignature: fc.Arbitrary<string> = fc.letrec<{ any: string; tuple: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthSize: 'max', withCrossShrink: true },
    { weight: 2, arbitrary: fc.constantFrom(...LEAVES) },
    { weight: 1, arbitrary: tie('any').map((element) => `[${element}]`) },
    { weight: 1, arbitrary: tie('any').map((element) => `#${element}`) },
    { weight: 1, arbitrary: tie('any').map((element) => `~${element}`) },
    { weight: 1, arbitrary: tie('any').map((element) => `+${element}`) },
    { weight: 2, arbitrary: tie('tuple') },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...KEYS), tie('any')).map(([key, value]) => `{${key}${value}}`) },
  ),
  tuple: fc
    .tuple(fc.array(tie('any'), { maxLength: 4 }), fc.uniqueArray(field, { minLength: 4, maxLength: 4 }), fc.boolean())
    .map(([members, names, isNamed]) =>
      isNamed && members.length > 0
        ? `(${members.join('')})<Name,${names.slice(0, members.length).join(',')}>`
        : `(${members.join('')})`,
    ),
})).any;

const notUtf8 = fc.uint8Array({ maxLength: 8 }).map((bytes) => Uint8Array.of(...bytes, 0xff));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('a', '\u{feff}', '\u{e000}', '\u{10ffff}', 'é'), maxLength: 30 }),
);

function int(bits: number, signed: boolean): fc.Arbitrary<unknown> {
  const maximum = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  const wide = fc.bigInt({ min: signed ? -maximum - 1n : 0n, max: maximum });
  return bits === 64 ? wide : wide.map(Number);
}

/** A metaobject of some size, serialized. */
const metaObject: fc.Arbitrary<Uint8Array> = fc.uniqueArray(fc.nat(200), { maxLength: 3 }).map((ids) => {
  const signals = new Map(ids.map((uid) => [uid, { uid, name: `signal${uid}`, signature: '(o)' }]));
  return encodeValue(METAOBJECT_SIGNATURE, { methods: new Map(), signals, properties: new Map(), description: 'd' });
});

const arbitraryReference: fc.Arbitrary<ObjectReference> = fc.record({
  metaObject,
  service: fc.nat(),
  object: fc.nat(),
  uid: fc.uint8Array({ minLength: 20, maxLength: 20 }),
});

/** A value as the decoder would give it, dynamics wrapped. */
export function arbitraryValue(node: SignatureNode, depth = 0): fc.Arbitrary<unknown> {
  const inner = (child: SignatureNode): fc.Arbitrary<unknown> => arbitraryValue(child, depth + 1);
  const some = { maxLength: 3 };
  switch (node.kind) {
    case 'void':
      return fc.constant(undefined);
    case 'bool':
      return fc.boolean();
    case 'int':
      return int(node.bits, node.signed);
    case 'float':
      return fc.float();
    case 'double':
      return fc.double();
    case 'string':
      return fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: notUtf8 });
    case 'raw':
      return fc.uint8Array({ maxLength: 100 });
    case 'list':
    case 'varargs':
      return fc.array(inner(node.element), some);
    case 'kwargs':
      return fc
        .uniqueArray(fc.tuple(text, inner(node.element)), { ...some, selector: ([key]) => key })
        .map((entries) => Object.fromEntries(entries));
    case 'map': {
      const entries = fc.uniqueArray(fc.tuple(node.key.kind === 'string' ? text : inner(node.key), inner(node.value)), {
        ...some,
        selector: ([key]) => key,
      });
      return entries.map((pairs) => (node.key.kind === 'string' ? Object.fromEntries(pairs) : new Map(pairs)));
    }
    case 'tuple': {
      const { fieldNames } = node;
      const members = fc.tuple(...node.members.map(inner));
      return fieldNames === undefined
        ? members
        : members.map((values) => Object.fromEntries(fieldNames.map((name, index) => [name, values[index]])));
    }
    case 'optional': {
      const isAmbiguous = node.element.kind === 'optional' || node.element.kind === 'void';
      return fc.option(inner(node.element).map((value) => (isAmbiguous ? new Some(value) : value)));
    }
    case 'dynamic':
      return depth > 4 ? fc.constant(new Dynamic('v', null)) : arbitraryDynamic(depth);
    case 'object':
      return arbitraryReference;
    default:
      throw new Error(`no value of ${signatureText(node)}`);
  }
}

function arbitraryDynamic(depth: number): fc.Arbitrary<Dynamic> {
  const content = depth > 1 ? fc.constantFrom('i', 's', 'v', '[i]', '') : arbitrarySignature;
  return content.chain((signature) => {
    if (signature === '' || signature === 'v') return fc.constant(new Dynamic(signature, null));
    return arbitraryValue(parseSignature(signature), depth + 1).map((value) => new Dynamic(signature, value));
  });
}

/** A signature and a value of it. */
export const arbitraryTyped: fc.Arbitrary<readonly [string, unknown]> = arbitrarySignature.chain((signature) =>
  arbitraryValue(parseSignature(signature)).map((value) => [signature, value] as const),
);
