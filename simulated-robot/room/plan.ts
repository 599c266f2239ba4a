// The furnished room as data: walls, boxes, pillars, balls, a carpet, a docking place. Knows no robot and no picture.
// Lengths in metres, in the robot's world frame (x ahead of where it starts, y to its left); colours are 0xRRGGBB.

export interface Area {
  readonly x: number;
  readonly y: number;
  /** Extent along x. */
  readonly width: number;
  /** Extent along y. */
  readonly depth: number;
}

/** How a surface is painted; the camera knows what each looks like. */
export type Finish = 'plain' | 'wood' | 'books' | 'stripes' | 'cushions' | 'parcel';

/** An upright box standing on the floor; x and y are its corner with the least coordinates. */
export interface Box extends Area {
  readonly name: string;
  readonly height: number;
  readonly color: number;
  readonly finish: Finish;
}

/** An upright cylinder standing on the floor. */
export interface Pillar {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly height: number;
  readonly color: number;
  readonly finish: Finish;
}

/** A ball, `z` is the height of its centre. One that hangs above the robot's base is no obstacle. */
export interface Ball {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly radius: number;
  readonly color: number;
}

/** A wall from one corner to the next, counterclockwise, the room to its left. */
export interface Wall {
  readonly name: string;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly color: number;
}

export interface RoomPlan {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
  readonly height: number;
  readonly walls: readonly [south: Wall, east: Wall, north: Wall, west: Wall];
  readonly boxes: readonly Box[];
  readonly pillars: readonly Pillar[];
  readonly balls: readonly Ball[];
  readonly carpet: Area;
  /** Where the battery charges: within `radius` of its middle. */
  readonly dock: { readonly x: number; readonly y: number; readonly radius: number };
}

/** The room that the simulated robot lives in: 6.5 m by 5.2 m; the robot starts at the origin and looks at the window. */
export const livingRoom: RoomPlan = {
  minX: -2.5,
  minY: -2.6,
  maxX: 4,
  maxY: 2.6,
  height: 2.5,
  walls: [
    { name: 'picture wall', x1: -2.5, y1: -2.6, x2: 4, y2: -2.6, color: 0xd8824f },
    { name: 'window wall', x1: 4, y1: -2.6, x2: 4, y2: 2.6, color: 0xe9e2d0 },
    { name: 'sofa wall', x1: 4, y1: 2.6, x2: -2.5, y2: 2.6, color: 0x5f8a8b },
    { name: 'door wall', x1: -2.5, y1: 2.6, x2: -2.5, y2: -2.6, color: 0xd9c58c },
  ],
  boxes: [
    { name: 'bookshelf', x: -1.7, y: 2.25, width: 1.3, depth: 0.34, height: 1.9, color: 0x7b5331, finish: 'books' },
    { name: 'sofa seat', x: 0.6, y: 1.75, width: 1.9, depth: 0.55, height: 0.42, color: 0x2f6f73, finish: 'cushions' },
    { name: 'sofa back', x: 0.6, y: 2.32, width: 1.9, depth: 0.26, height: 0.85, color: 0x275c60, finish: 'cushions' },
    { name: 'table', x: 1.6, y: -0.45, width: 0.6, depth: 0.8, height: 0.45, color: 0xb07a45, finish: 'wood' },
    { name: 'red box', x: 3, y: -1.95, width: 0.5, depth: 0.5, height: 0.5, color: 0xc8372d, finish: 'parcel' },
    { name: 'yellow box', x: 0.3, y: -1.9, width: 0.35, depth: 0.35, height: 0.35, color: 0xe0b32b, finish: 'parcel' },
    { name: 'blue box', x: 0.8, y: -2.2, width: 0.45, depth: 0.45, height: 0.7, color: 0x2c5fb3, finish: 'parcel' },
    { name: 'sideboard', x: -2.1, y: -2.55, width: 1.4, depth: 0.4, height: 0.75, color: 0x8f6237, finish: 'wood' },
  ],
  pillars: [
    { name: 'striped pillar', x: 3.1, y: 1.15, radius: 0.16, height: 2.5, color: 0xc23b4e, finish: 'stripes' },
    { name: 'green pillar', x: -1.1, y: -1.35, radius: 0.2, height: 1.1, color: 0x4d9a4f, finish: 'stripes' },
    { name: 'plant pot', x: 3.55, y: 2.1, radius: 0.2, height: 0.45, color: 0xb9653a, finish: 'plain' },
  ],
  balls: [
    { name: 'plant', x: 3.55, y: 2.1, z: 0.9, radius: 0.46, color: 0x3f7d3a },
    { name: 'red ball', x: 1.05, y: 0.85, z: 0.13, radius: 0.13, color: 0xd42a1e },
    { name: 'lamp', x: 1.3, y: 0, z: 2.25, radius: 0.2, color: 0xfff0c4 },
  ],
  carpet: { x: 0.55, y: -1.15, width: 2.6, depth: 2.3 },
  dock: { x: -2.05, y: 0, radius: 0.35 },
};
