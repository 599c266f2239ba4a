// A small line of the last figures. Layer: parts. Decoration: the figure beside it says what it means.
import type { JSX } from 'preact';

interface SparkLineProps {
  readonly values: readonly number[];
  /** How many fit; fewer begin at the right. */
  readonly room: number;
}

const WIDTH = 100;
const HEIGHT = 24;
/** A flat line lies in the middle, not at a random end of its own noise. */
const LEAST_RANGE = 1;
/** Fewer look like a slip of the pen. */
const LEAST_POINTS = 5;

export function SparkLine({ values, room }: SparkLineProps): JSX.Element {
  const shown = values.slice(-room);
  const low = Math.min(...shown);
  const range = Math.max(LEAST_RANGE, Math.max(...shown) - low);
  const margin = (range - (Math.max(...shown) - low)) / 2;
  const points = shown.map((value, index) => {
    const x = WIDTH - ((shown.length - 1 - index) / (room - 1)) * WIDTH;
    const y = HEIGHT - 2 - ((value - low + margin) / range) * (HEIGHT - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg
      class="spark-line"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {points.length >= LEAST_POINTS && <polyline points={points.join(' ')} />}
    </svg>
  );
}
