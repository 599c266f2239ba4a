// Draws what an eye in the room sees. A column at a time, far to near: room, boxes, pillars, balls. Knows no colour spaces.
// Lengths in metres; picture rows count downwards; the pitch shifts the picture, as small pitches look alike.
import type { Eye } from '../body/robot.ts';
import type { Ball, Box, Pillar, RoomPlan } from '../room/plan.ts';
import { CEILING_SCALE, FLOOR_SCALE, paintCeiling, paintFloor } from './floor-painting.ts';
import { blend, type Texture } from './texture.ts';
import { type BoxPainting, paintBox, paintMantle } from './thing-painting.ts';
import { paintWall } from './wall-painting.ts';

/** Horizontal field of view of Pepper's cameras, in radians. */
export const FIELD_OF_VIEW = 0.9983;
/** Nothing nearer to the eye is drawn. */
const NEAR = 0.05;

/** A picture as 0xRRGGBB per pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
}

/** Draws into `picture`. */
export type Raycaster = (eye: Eye, picture: Picture) => void;

/** Everything that does not depend on the eye, painted once (some tens of milliseconds). */
export function createRaycaster(plan: RoomPlan): Raycaster {
  const scenery: Scenery = {
    plan,
    floor: paintFloor(plan),
    ceiling: paintCeiling(plan),
    walls: plan.walls.map((wall) => paintWall(plan, wall)),
    boxes: plan.boxes.map((box) => ({ box, painting: paintBox(box) })),
    pillars: plan.pillars.map((pillar) => ({ pillar, mantle: paintMantle(pillar) })),
  };
  return (eye, picture) => draw(scenery, eye, picture);
}

interface Scenery {
  readonly plan: RoomPlan;
  readonly floor: Texture;
  readonly ceiling: Texture;
  readonly walls: readonly Texture[];
  readonly boxes: readonly { readonly box: Box; readonly painting: BoxPainting }[];
  readonly pillars: readonly { readonly pillar: Pillar; readonly mantle: Texture }[];
}

/** One column of the picture and the ray through it; the depth of a point is its distance along the view axis. */
interface Column {
  readonly picture: Picture;
  readonly index: number;
  readonly eye: Eye;
  readonly focal: number;
  readonly horizon: number;
  readonly dirX: number;
  readonly dirY: number;
}

/** Something a column shows, drawn far to near. */
interface Hit {
  readonly depth: number;
  readonly draw: (column: Column) => void;
}

function draw(scenery: Scenery, eye: Eye, picture: Picture): void {
  const focal = picture.width / 2 / Math.tan(FIELD_OF_VIEW / 2);
  const horizon = picture.height / 2 - focal * Math.tan(eye.pitch);
  const cos = Math.cos(eye.yaw);
  const sin = Math.sin(eye.yaw);
  for (let index = 0; index < picture.width; index++) {
    const side = (index + 0.5 - picture.width / 2) / focal;
    const column: Column = { picture, index, eye, focal, horizon, dirX: cos + side * sin, dirY: sin - side * cos };
    drawRoom(scenery, column);
    const hits: Hit[] = [];
    for (const { box, painting } of scenery.boxes) addBox(hits, column, box, painting);
    for (const { pillar, mantle } of scenery.pillars) addPillar(hits, column, pillar, mantle);
    for (const ball of scenery.plan.balls) addBall(hits, column, ball);
    if (hits.length > 1) hits.sort((a, b) => b.depth - a.depth);
    for (const hit of hits) hit.draw(column);
  }
}

/** Light falls off with the distance from the eye: 256ths. */
function lightAt(depth: number, facing = 1): number {
  return (facing * 305) / (1 + 0.012 * depth * depth + 0.05 * depth);
}

function lit(color: number, light: number): number {
  const r = Math.min(255, (((color >> 16) & 255) * light) >> 8);
  const g = Math.min(255, (((color >> 8) & 255) * light) >> 8);
  const b = Math.min(255, ((color & 255) * light) >> 8);
  return (r << 16) | (g << 8) | b;
}

function rowOf(column: Column, height: number, depth: number): number {
  return column.horizon + ((column.eye.z - height) * column.focal) / depth;
}

function drawRoom(scenery: Scenery, column: Column): void {
  const { plan } = scenery;
  const { eye, dirX, dirY } = column;
  const depthX = ((dirX > 0 ? plan.maxX : plan.minX) - eye.x) / dirX;
  const depthY = ((dirY > 0 ? plan.maxY : plan.minY) - eye.y) / dirY;
  const isX = !(depthX > depthY);
  const depth = Math.max(NEAR, isX ? depthX : depthY);
  const x = eye.x + depth * dirX;
  const y = eye.y + depth * dirY;
  // Walls run counterclockwise: south along x, east along y, north and west back.
  const wall = isX ? (dirX > 0 ? 1 : 3) : dirY > 0 ? 2 : 0;
  const along = wall === 0 ? x - plan.minX : wall === 1 ? y - plan.minY : wall === 2 ? plan.maxX - x : plan.maxY - y;
  const length = isX ? plan.maxY - plan.minY : plan.maxX - plan.minX;
  const texture = scenery.walls[wall];
  if (texture === undefined) return;
  const slab = {
    texture,
    share: along / length,
    bottom: 0,
    top: plan.height,
    depth,
    light: lightAt(depth, isX ? 0.94 : 1),
  };
  drawUpright(column, slab);
  drawLevel(column, {
    texture: scenery.ceiling,
    height: plan.height,
    near: 0,
    far: depth,
    x: plan.minX,
    y: plan.minY,
    scale: CEILING_SCALE,
  });
  drawLevel(column, {
    texture: scenery.floor,
    height: 0,
    near: 0,
    far: depth,
    x: plan.minX,
    y: plan.minY,
    scale: FLOOR_SCALE,
  });
}

interface Upright {
  readonly texture: Texture;
  /** 0 to 1 along the texture. */
  readonly share: number;
  readonly bottom: number;
  readonly top: number;
  readonly depth: number;
  readonly light: number;
}

function drawUpright(column: Column, slab: Upright): void {
  const { picture, index } = column;
  const { texture, depth, light } = slab;
  const topRow = rowOf(column, slab.top, depth);
  const bottomRow = rowOf(column, slab.bottom, depth);
  const first = Math.max(0, Math.ceil(topRow - 0.5));
  const last = Math.min(picture.height, Math.ceil(bottomRow - 0.5));
  const u = Math.min(texture.width - 1, Math.max(0, Math.floor(slab.share * texture.width)));
  const step = texture.height / (bottomRow - topRow);
  let v = (first + 0.5 - topRow) * step;
  for (let row = first; row < last; row++) {
    const texel = texture.texels[Math.min(texture.height - 1, v | 0) * texture.width + u] ?? 0;
    picture.pixels[row * picture.width + index] = lit(texel, light);
    v += step;
  }
}

interface Level {
  readonly texture: Texture;
  readonly height: number;
  /** Depths between which the surface lies. */
  readonly near: number;
  readonly far: number;
  /** Place of the texture's first texel, and texels per metre. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

function drawLevel(column: Column, level: Level): void {
  const { picture, index, eye, horizon, dirX, dirY } = column;
  const { texture, scale } = level;
  const rise = (eye.z - level.height) * column.focal;
  const farRow = horizon + rise / level.far;
  const nearRow = level.near <= NEAR ? (rise > 0 ? picture.height : 0) : horizon + rise / level.near;
  const first = Math.max(0, Math.ceil((rise > 0 ? farRow : nearRow) - 0.5));
  const last = Math.min(picture.height, Math.ceil((rise > 0 ? nearRow : farRow) - 0.5));
  for (let row = first; row < last; row++) {
    const depth = rise / (row + 0.5 - horizon);
    const u = ((eye.x + depth * dirX - level.x) * scale) | 0;
    const v = ((eye.y + depth * dirY - level.y) * scale) | 0;
    const inU = u < 0 ? 0 : u >= texture.width ? texture.width - 1 : u;
    const inV = v < 0 ? 0 : v >= texture.height ? texture.height - 1 : v;
    picture.pixels[row * picture.width + index] = lit(texture.texels[inV * texture.width + inU] ?? 0, lightAt(depth));
  }
}

function addBox(hits: Hit[], column: Column, box: Box, painting: BoxPainting): void {
  const { eye, dirX, dirY } = column;
  const toX1 = (box.x - eye.x) / dirX;
  const toX2 = (box.x + box.width - eye.x) / dirX;
  const toY1 = (box.y - eye.y) / dirY;
  const toY2 = (box.y + box.depth - eye.y) / dirY;
  const enterX = Math.min(toX1, toX2);
  const enterY = Math.min(toY1, toY2);
  const near = Math.max(enterX, enterY);
  const far = Math.min(Math.max(toX1, toX2), Math.max(toY1, toY2));
  if (!(near < far) || near < NEAR) return;
  const isX = enterX > enterY;
  const share = isX ? (eye.y + near * dirY - box.y) / box.depth : (eye.x + near * dirX - box.x) / box.width;
  const light = lightAt(near, isX ? 0.82 : 0.96);
  hits.push({
    depth: near,
    draw: () => {
      if (box.height < eye.z) {
        drawLevel(column, {
          texture: painting.top,
          height: box.height,
          near,
          far,
          x: box.x,
          y: box.y,
          scale: painting.top.width / box.width,
        });
      }
      drawUpright(column, {
        texture: isX ? painting.sideX : painting.sideY,
        share,
        bottom: 0,
        top: box.height,
        depth: near,
        light,
      });
    },
  });
}

/** Depths at which the column's ray enters and leaves a circle. */
function cross(
  column: Column,
  circle: { readonly x: number; readonly y: number; readonly radius: number },
): readonly [number, number] | undefined {
  const { eye, dirX, dirY } = column;
  const dx = circle.x - eye.x;
  const dy = circle.y - eye.y;
  const square = dirX * dirX + dirY * dirY;
  const middle = (dx * dirX + dy * dirY) / square;
  const miss = dx * dx + dy * dy - middle * middle * square;
  const inside = circle.radius * circle.radius - miss;
  if (inside <= 0) return undefined;
  const half = Math.sqrt(inside / square);
  return middle - half < NEAR ? undefined : [middle - half, middle + half];
}

function addPillar(hits: Hit[], column: Column, pillar: Pillar, mantle: Texture): void {
  const depths = cross(column, pillar);
  if (depths === undefined) return;
  const [near, far] = depths;
  const { eye, dirX, dirY } = column;
  const normalX = (eye.x + near * dirX - pillar.x) / pillar.radius;
  const normalY = (eye.y + near * dirY - pillar.y) / pillar.radius;
  // Lit from the window's side, a little from everywhere.
  const light = lightAt(near, 0.72 + 0.22 * normalX + 0.14 * normalY);
  const share = (Math.atan2(normalY, normalX) + Math.PI) / (2 * Math.PI);
  hits.push({
    depth: near,
    draw: () => {
      if (pillar.height < eye.z) drawLid(column, { height: pillar.height, near, far, color: pillar.color });
      drawUpright(column, { texture: mantle, share, bottom: 0, top: pillar.height, depth: near, light });
    },
  });
}

function drawLid(
  column: Column,
  lid: { readonly height: number; readonly near: number; readonly far: number; readonly color: number },
): void {
  const { picture, index } = column;
  const first = Math.max(0, Math.ceil(rowOf(column, lid.height, lid.far) - 0.5));
  const last = Math.min(picture.height, Math.ceil(rowOf(column, lid.height, lid.near) - 0.5));
  const color = lit(lid.color, lightAt(lid.near, 1.15));
  for (let row = first; row < last; row++) picture.pixels[row * picture.width + index] = color;
}

function addBall(hits: Hit[], column: Column, ball: Ball): void {
  const depths = cross(column, ball);
  if (depths === undefined) return;
  const depth = (depths[0] + depths[1]) / 2;
  hits.push({ depth, draw: () => drawBall(column, ball, depth, (depths[1] - depths[0]) / 2) });
}

/** `half`: half the depth of the ball along this ray. */
function drawBall(column: Column, ball: Ball, depth: number, half: number): void {
  const { picture, index, dirX, dirY } = column;
  const reach = Math.min(ball.radius, half * Math.hypot(dirX, dirY));
  const topRow = rowOf(column, ball.z + reach, depth);
  const bottomRow = rowOf(column, ball.z - reach, depth);
  const first = Math.max(0, Math.ceil(topRow - 0.5));
  const last = Math.min(picture.height, Math.ceil(bottomRow - 0.5));
  const isLamp = ball.z > 2;
  const sidewards = Math.sqrt(Math.max(0, 1 - (reach / ball.radius) ** 2));
  for (let row = first; row < last; row++) {
    const v = (1 - (2 * (row + 0.5 - topRow)) / (bottomRow - topRow)) * (reach / ball.radius);
    const towards = Math.sqrt(Math.max(0, 1 - v * v - sidewards * sidewards));
    const facing = isLamp ? 1.2 : 0.35 + 0.35 * towards + 0.4 * Math.max(0, v * 0.75 + towards * 0.6);
    const shine = !isLamp && v > 0.3 && towards > 0.62 && v < 0.62 ? 0.22 : 0;
    const color = lit(ball.color, lightAt(depth, facing));
    picture.pixels[row * picture.width + index] = shine === 0 ? color : blend(color, 0xffffff, shine);
  }
}
