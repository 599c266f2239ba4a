// Values as text, for people. Layer: explorer; pure. It must not know how values came here.

const MAX_ITEMS = 64;
const MAX_BYTES = 32;

/** A value on as few lines as it fits: short containers on one line, long ones indented. */
export function showValue(value: unknown, indent = ''): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return showNumber(value);
  if (typeof value === 'bigint') return `${value}`;
  if (value instanceof Uint8Array) return showBytes(value);
  if (Array.isArray(value))
    return showItems(
      value.map((item: unknown) => (inner: string) => showValue(item, inner)),
      '[]',
      indent,
    );
  if (value instanceof Map)
    return showItems(
      [...(value as Map<unknown, unknown>)].map(
        ([key, item]) =>
          (inner: string) =>
            `${showValue(key)}: ${showValue(item, inner)}`,
      ),
      '{}',
      indent,
    );
  if (typeof value === 'object' && isPlain(value))
    return showItems(
      Object.entries(value).map(
        ([key, item]) =>
          (inner: string) =>
            `${key}: ${showValue(item, inner)}`,
      ),
      '{}',
      indent,
    );
  return typeof value === 'boolean' ? String(value) : 'object';
}

/** Plain data, in difference to an object of the robot. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Numbers as they are, but without the noise of single precision: 0.1, not 0.10000000149. */
export function showNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}

function showBytes(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, MAX_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${bytes.length} bytes: ${shown}${bytes.length > MAX_BYTES ? ' …' : ''}`;
}

function showItems(items: readonly ((indent: string) => string)[], brackets: '[]' | '{}', indent: string): string {
  const [open, close] = [brackets.charAt(0), brackets.charAt(1)];
  const inner = `${indent}  `;
  const shown = items.slice(0, MAX_ITEMS).map((item) => item(inner));
  if (items.length > MAX_ITEMS) shown.push(`… ${items.length - MAX_ITEMS} more`);
  const line = `${open}${shown.join(', ')}${close}`;
  if (line.length <= 72 && !line.includes('\n')) return line;
  return `${open}\n${shown.map((item) => inner + item).join(',\n')}\n${indent}${close}`;
}
