// A ring of LED segments, as round a robot's eyes: the console's one ornament, always showing a figure.
// Layer: parts (drawing only). It must not know of robots.
import type { JSX } from 'preact';

interface LedRingProps {
  /** How many segments; the first begins at the top, clockwise. */
  readonly segments: number;
  /** Brightness of a segment, 0 to 1. */
  readonly lit: (segment: number) => number;
  /** Thickness as a part of the radius. */
  readonly thickness?: number;
  readonly class?: string;
}

const RADIUS = 100;

function arc(from: number, to: number, inner: number): string {
  const point = (angle: number, radius: number): string => {
    const x = Math.sin(angle) * radius;
    const y = -Math.cos(angle) * radius;
    return `${x.toFixed(2)} ${y.toFixed(2)}`;
  };
  return `M${point(from, RADIUS)}A${RADIUS} ${RADIUS} 0 0 1 ${point(to, RADIUS)}L${point(to, inner)}A${inner} ${inner} 0 0 0 ${point(from, inner)}Z`;
}

/** Decoration: what it shows must also be said in text. */
export function LedRing({ segments, lit, thickness = 0.12, class: name = '' }: LedRingProps): JSX.Element {
  const step = (2 * Math.PI) / segments;
  const gap = Math.min(step * 0.28, 0.07);
  const inner = RADIUS * (1 - thickness);
  const paths = Array.from({ length: segments }, (_, segment) => {
    const middle = segment * step;
    const light = Math.max(0, Math.min(1, lit(segment)));
    return (
      <g key={segment}>
        <path class="led-off" d={arc(middle - step / 2 + gap, middle + step / 2 - gap, inner)} />
        {light > 0 && (
          <path class="led-on" d={arc(middle - step / 2 + gap, middle + step / 2 - gap, inner)} opacity={light} />
        )}
      </g>
    );
  });
  return (
    <svg class={`led-ring ${name}`} viewBox="-104 -104 208 208" aria-hidden="true" focusable="false">
      {paths}
    </svg>
  );
}
