// The numbers inside a value, each with a name that tells where it is. Layer: plot; pure.

/** More lines than this cannot be told apart. */
export const MAX_SERIES = 6;

/** Numbers and yes-or-no within lists, maps and structs, in order; at most {@link MAX_SERIES}. */
export function numbersIn(value: unknown, name = ''): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const visit = (item: unknown, path: string, depth: number): void => {
    if (found.size >= MAX_SERIES || depth > 5) return;
    const number = asNumber(item);
    if (number !== undefined) {
      found.set(path === '' ? 'value' : path, number);
      return;
    }
    for (const [key, inner] of partsOf(item)) visit(inner, path === '' ? key : `${path}.${key}`, depth + 1);
  };
  visit(value, name, 0);
  return found;
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'boolean' ? Number(value) : undefined;
}

function partsOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if (Array.isArray(value)) return value.map((item: unknown, index) => [`${index + 1}`, item]);
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].map(([key, item]) => [String(key), item]);
  return Object.entries(value);
}
