// The map: room, trail, robot with the way it looks. Layer: parts. Drawn with x to the right and y up, in metres.
import type { JSX } from 'preact';
import type { RoomPlan, Thing } from '../robot/room-plan.ts';
import type { Pose } from '../robot/trail.ts';

interface RoomMapProps {
  readonly pose: Pose | undefined;
  readonly trail: readonly Pose[];
  readonly plan: RoomPlan | undefined;
}

interface Bounds {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
}

/** Radius of the robot's mark, and how far its sight is drawn. Metres. */
const ROBOT_RADIUS = 0.17;
const SIGHT = 1.1;
/** Half of the camera's field of view, in radians (NAO: 60.97 degrees across). */
const HALF_SIGHT = 0.53;

function boundsOf({ pose, trail, plan }: RoomMapProps): Bounds {
  const xs: number[] = [];
  const ys: number[] = [];
  for (const wall of plan?.walls ?? []) {
    xs.push(wall.x1, wall.x2);
    ys.push(wall.y1, wall.y2);
  }
  if (xs.length === 0) {
    xs.push(-1.5, 1.5);
    ys.push(-1.5, 1.5);
  }
  for (const place of pose === undefined ? trail : [...trail, pose]) {
    xs.push(place.x);
    ys.push(place.y);
  }
  const margin = 0.25;
  return {
    minX: Math.min(...xs) - margin,
    minY: Math.min(...ys) - margin,
    maxX: Math.max(...xs) + margin,
    maxY: Math.max(...ys) + margin,
  };
}

function ThingShape({ thing }: { readonly thing: Thing }): JSX.Element {
  const { shape, color, name, isFlat } = thing;
  const look = isFlat ? { class: 'map-flat' } : { class: 'map-box', fill: color };
  return shape.kind === 'box' ? (
    <rect {...look} x={shape.x} y={-shape.y - shape.depth} width={shape.width} height={shape.depth} rx="0.04">
      <title>{name}</title>
    </rect>
  ) : (
    <circle {...look} cx={shape.x} cy={-shape.y} r={shape.radius}>
      <title>{name}</title>
    </circle>
  );
}

export function RoomMap(props: RoomMapProps): JSX.Element {
  const { pose, trail, plan } = props;
  const { minX, minY, maxX, maxY } = boundsOf(props);
  const lines: JSX.Element[] = [];
  for (let x = Math.ceil(minX); x <= maxX; x += 1)
    lines.push(<line key={`x${x}`} class="map-grid" x1={x} x2={x} y1={-minY} y2={-maxY} />);
  for (let y = Math.ceil(minY); y <= maxY; y += 1)
    lines.push(<line key={`y${y}`} class="map-grid" y1={-y} y2={-y} x1={minX} x2={maxX} />);
  const floor = (plan?.walls ?? []).map((wall) => `${wall.x1},${-wall.y1}`).join(' ');
  const sightX = Math.cos(HALF_SIGHT) * SIGHT;
  const sightY = Math.sin(HALF_SIGHT) * SIGHT;
  return (
    <svg
      class="map"
      viewBox={`${minX} ${-maxY} ${maxX - minX} ${maxY - minY}`}
      role="img"
      aria-label="Map of where the robot is; one square is one metre"
    >
      {floor !== '' && <polygon class="map-floor" points={floor} />}
      {lines}
      {(plan?.things ?? []).map((thing, index) => (
        <ThingShape key={index} thing={thing} />
      ))}
      {(plan?.walls ?? []).map((wall, index) => (
        <line key={index} class="map-wall" x1={wall.x1} y1={-wall.y1} x2={wall.x2} y2={-wall.y2} stroke-width="0.06" />
      ))}
      {trail.length > 1 && (
        <polyline
          class="map-trail"
          points={trail.map((place) => `${place.x.toFixed(3)},${(-place.y).toFixed(3)}`).join(' ')}
        />
      )}
      {pose !== undefined && (
        <g transform={`translate(${pose.x} ${-pose.y}) rotate(${(-pose.theta * 180) / Math.PI})`}>
          <path class="map-sight" d={`M0 0L${sightX} ${-sightY}A${SIGHT} ${SIGHT} 0 0 1 ${sightX} ${sightY}Z`} />
          <circle class="map-robot" r={ROBOT_RADIUS} />
          <path
            class="map-nose"
            d={`M${ROBOT_RADIUS * 0.78} 0L${-ROBOT_RADIUS * 0.35} ${-ROBOT_RADIUS * 0.5}L${-ROBOT_RADIUS * 0.1} 0L${-ROBOT_RADIUS * 0.35} ${ROBOT_RADIUS * 0.5}Z`}
          />
        </g>
      )}
    </svg>
  );
}
