// A robot object's members, ready for forms. Layer: explorer; pure.
import type { MetaObject } from '@qiway/sdk';
import { type Member, parseArguments, parseSignature, type ValueType } from './signature.ts';

export interface DescribedMethod {
  readonly name: string;
  /** With its signature: names one overload. */
  readonly fullName: string;
  readonly description: string;
  readonly parameters: readonly Member[] | 'any';
  /** What the robot says about each parameter. */
  readonly about: readonly string[];
  readonly returns: ValueType;
  readonly returnAbout: string;
}

export interface DescribedSignal {
  readonly name: string;
  readonly fullName: string;
  readonly parameters: readonly Member[];
}

export interface DescribedProperty {
  readonly name: string;
  readonly fullName: string;
  readonly type: ValueType;
}

export interface Described {
  readonly description: string;
  readonly methods: readonly DescribedMethod[];
  readonly signals: readonly DescribedSignal[];
  readonly properties: readonly DescribedProperty[];
}

/** First id of an object's own members; below are those that every object has. */
const FIRST_OWN_ACTION = 100;

/** The members by name. `isComplete` adds those that every object has, and those whose name begins with `_`. */
export function describeObject(meta: MetaObject, { isComplete }: { readonly isComplete: boolean }): Described {
  const isShown = ({ uid, name }: { readonly uid: number; readonly name: string }): boolean =>
    isComplete || (uid >= FIRST_OWN_ACTION && !name.startsWith('_'));
  const byName = (
    a: { readonly name: string; readonly uid: number },
    b: { readonly name: string; readonly uid: number },
  ): number => a.name.localeCompare(b.name) || a.uid - b.uid;
  return {
    description: meta.description,
    methods: [...meta.methods.values()]
      .filter((method) => isShown(method) && method.uid > 3 && method.uid !== 8)
      .sort(byName)
      .map((method) => {
        const parameters = parseArguments(method.parametersSignature);
        const named =
          parameters === 'any'
            ? parameters
            : parameters.map((member, index) => ({ ...member, name: method.parameters[index]?.name ?? member.name }));
        return {
          name: method.name,
          fullName: `${method.name}::${method.parametersSignature}`,
          description: method.description,
          parameters: named,
          about: method.parameters.map((parameter) => parameter.description),
          returns: parseSignature(method.returnSignature),
          returnAbout: method.returnDescription,
        };
      }),
    signals: [...meta.signals.values()]
      .filter((signal) => isShown(signal) && !meta.properties.has(signal.uid))
      .sort(byName)
      .map(({ name, signature }) => {
        const parameters = parseArguments(signature);
        return {
          name,
          fullName: `${name}::${signature}`,
          parameters: parameters === 'any' ? [{ name: '', type: { kind: 'dynamic' } }] : parameters,
        };
      }),
    properties: [...meta.properties.values()]
      .filter(isShown)
      .sort(byName)
      .map(({ name, signature }) => ({ name, fullName: `${name}::${signature}`, type: parseSignature(signature) })),
  };
}
