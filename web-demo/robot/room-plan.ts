// The plan of the room the robot is in, read from what a robot says about it. Layer: robot; pure.

export interface Wall {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Something that stands in the room, or lies on its floor. Lengths in metres, the colour for CSS. */
export interface Thing {
  readonly name: string;
  readonly color: string;
  /** Lies on the floor: a carpet, a docking place. */
  readonly isFlat: boolean;
  readonly shape:
    | { readonly kind: 'box'; readonly x: number; readonly y: number; readonly width: number; readonly depth: number }
    | { readonly kind: 'disc'; readonly x: number; readonly y: number; readonly radius: number };
}

export interface RoomPlan {
  readonly walls: readonly Wall[];
  readonly things: readonly Thing[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What hangs higher than this is no obstacle and not on the map. Metres. */
const HANGING_HEIGHT = 1.5;

/**
 * Reads structs with `x1 y1 x2 y2` (walls), `x y width depth` (boxes) and `x y radius` (discs), wherever they are in the
 * answer. One without a name of its own is part of the floor.
 */
export function readRoomPlan(answer: unknown): RoomPlan {
  const walls: Wall[] = [];
  const things: Thing[] = [];
  const visit = (value: unknown, key: string, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 4) return;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) visit(item, key, depth + 1);
      return;
    }
    const fields = (value instanceof Map ? Object.fromEntries(value) : value) as Fields;
    const wall = numbersOf(fields, ['x1', 'y1', 'x2', 'y2']);
    const thing = wall === undefined ? readThing(fields, key) : undefined;
    if (wall !== undefined) walls.push(wall);
    else if (thing !== undefined) things.push(thing);
    else for (const [name, item] of Object.entries(fields)) visit(item, name, depth + 1);
  };
  visit(answer, '', 0);
  return { walls, things: things.sort((a, b) => Number(b.isFlat) - Number(a.isFlat)) };
}

function readThing(fields: Fields, key: string): Thing | undefined {
  const box = numbersOf(fields, ['x', 'y', 'width', 'depth']);
  const disc = numbersOf(fields, ['x', 'y', 'radius']);
  if (Number(fields['z'] ?? 0) > HANGING_HEIGHT) return undefined;
  const isFlat = typeof fields['name'] !== 'string';
  const about = { name: isFlat ? key : String(fields['name']), color: colorOf(fields['color']), isFlat };
  if (box !== undefined) return { ...about, shape: { kind: 'box', ...box } };
  return disc === undefined ? undefined : { ...about, shape: { kind: 'disc', ...disc } };
}

function numbersOf<K extends string>(fields: Fields, names: readonly K[]): Record<K, number> | undefined {
  const found: Partial<Record<K, number>> = {};
  for (const name of names) {
    const value = fields[name];
    if (typeof value !== 'number') return undefined;
    found[name] = value;
  }
  return found as Record<K, number>;
}

function colorOf(value: unknown): string {
  if (typeof value === 'number') return `#${(value & 0xffffff).toString(16).padStart(6, '0')}`;
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : '#8a979f';
}
