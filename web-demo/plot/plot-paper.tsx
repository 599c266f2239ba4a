// Draws series over time with uPlot. Layer: plot. It must not know where numbers come from.
import 'uplot/dist/uPlot.min.css';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { SeriesBuffer } from './series-buffer.ts';

interface PlotPaperProps {
  readonly buffer: SeriesBuffer;
  /** Seconds shown. */
  readonly spanS: number;
  /** The time at the right edge, in seconds since the epoch. */
  readonly now: () => number;
  readonly isPaused: boolean;
  /** Changes when colours have to be read again. */
  readonly theme: string;
  readonly label: string;
}

/** Told apart by people with colour blindness too (after Okabe and Ito), on light and on dark plates. */
export const SERIES_COLORS: readonly string[] = ['#0a84c6', '#d9660b', '#12976c', '#b0559b', '#a08600', '#7a6ff0'];

/** A drawing takes a few milliseconds of a tablet's time. */
const REDRAW_MS = 50;
const CALM_REDRAW_MS = 500;

export function PlotPaper({ buffer, spanS, now, isPaused, theme, label }: PlotPaperProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const shown = useRef({ spanS, isPaused });
  shown.current = { spanS, isPaused };

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    let plot: uPlot | undefined;
    let seriesCount = -1;
    const sizeOf = (): { width: number; height: number } => ({
      width: Math.max(120, element.clientWidth),
      height: Math.max(120, element.clientHeight),
    });
    const draw = (): void => {
      if (seriesCount !== buffer.labels.length) {
        plot?.destroy();
        seriesCount = buffer.labels.length;
        plot =
          seriesCount === 0
            ? undefined
            : new uPlot(optionsFor(buffer.labels, sizeOf(), getComputedStyle(element)), [], element);
      }
      if (plot === undefined) return;
      const end = now();
      plot.batch(() => {
        plot?.setData(buffer.columns as unknown as uPlot.AlignedData);
        plot?.setScale('x', { min: end - shown.current.spanS, max: end });
      });
    };
    const timer = setInterval(
      () => {
        if (!shown.current.isPaused && !document.hidden) draw();
      },
      matchMedia('(prefers-reduced-motion: reduce)').matches ? CALM_REDRAW_MS : REDRAW_MS,
    );
    const resized = new ResizeObserver(() => plot?.setSize(sizeOf()));
    resized.observe(element);
    draw();
    return () => {
      clearInterval(timer);
      resized.disconnect();
      plot?.destroy();
    };
  }, [buffer, theme]);
  return <div ref={place} class="plot-sheet" role="img" aria-label={label} />;
}

function optionsFor(
  labels: readonly string[],
  size: { width: number; height: number },
  style: CSSStyleDeclaration,
): uPlot.Options {
  const ink = style.getPropertyValue('color');
  const axis = {
    stroke: ink,
    font: `12px ${style.getPropertyValue('font-family')}`,
    grid: { stroke: 'rgba(128, 145, 155, 0.25)', width: 1 },
    ticks: { stroke: 'rgba(128, 145, 155, 0.25)', width: 1, size: 5 },
  };
  return {
    ...size,
    padding: [12, 12, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false, auto: false }, y: { range: (_plot, low, high) => rangeAround(low, high) } },
    axes: [
      {
        ...axis,
        space: 96,
        values: (_plot, ticks) => ticks.map((tick) => new Date(tick * 1000).toTimeString().slice(0, 8)),
      },
      { ...axis, size: 60 },
    ],
    series: [
      {},
      ...labels.map((label, index) => ({
        label,
        stroke: SERIES_COLORS[index % SERIES_COLORS.length] ?? ink,
        width: 2,
        spanGaps: false,
      })),
    ],
  };
}

/** With room above and below, also for a line that is flat. */
function rangeAround(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const margin = high - low < 1e-6 ? Math.max(0.5, Math.abs(high) * 0.1) : (high - low) * 0.12;
  return [low - margin, high + margin];
}
