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
  readonly shape:
    | { readonly kind: 'box'; readonly x: number; readonly y: number; readonly width: number; readonly depth: number }
    | { readonly kind: 'disc'; readonly x: number; readonly y: number; readonly radius: number };
}

export interface RoomPlan {
  readonly walls: readonly Wall[];
  readonly things: readonly Thing[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads structs with `x1 y1 x2 y2` (walls), `x y width depth` (boxes) and `x y radius` (discs), wherever they are in the answer. */
export function readRoomPlan(answer: unknown): RoomPlan {
  const walls: Wall[] = [];
  const things: Thing[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 4) return;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) visit(item, depth + 1);
      return;
    }
    const fields = (value instanceof Map ? Object.fromEntries(value) : value) as Fields;
    const wall = numbersOf(fields, ['x1', 'y1', 'x2', 'y2']);
    const box = numbersOf(fields, ['x', 'y', 'width', 'depth']);
    const disc = numbersOf(fields, ['x', 'y', 'radius']);
    const name = typeof fields['name'] === 'string' ? fields['name'] : '';
    const color = colorOf(fields['color']);
    if (wall !== undefined) walls.push({ x1: wall.x1, y1: wall.y1, x2: wall.x2, y2: wall.y2 });
    else if (box !== undefined)
      things.push({ name, color, shape: { kind: 'box', x: box.x, y: box.y, width: box.width, depth: box.depth } });
    else if (disc !== undefined)
      things.push({ name, color, shape: { kind: 'disc', x: disc.x, y: disc.y, radius: disc.radius } });
    else for (const item of Object.values(fields)) visit(item, depth + 1);
  };
  visit(answer, 0);
  return { walls, things };
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
