// Battery and link as figures with LED rings. Layer: parts.
import type { JSX } from 'preact';
import { LedRing } from './led-ring.tsx';

interface GaugeProps {
  readonly name: string;
  readonly figure: string;
  /** Part of the ring that is lit, 0 to 1. */
  readonly level: number;
  readonly tone: 'good' | 'warn' | 'stop';
}

const SEGMENTS = 10;

function Gauge({ name, figure, level, tone }: GaugeProps): JSX.Element {
  return (
    <div class={`gauge tone-${tone}`}>
      <LedRing
        segments={SEGMENTS}
        lit={(segment) =>
          level <= 0
            ? 0
            : Math.max(0.12, Math.min(1, level * SEGMENTS - segment)) * (segment < level * SEGMENTS ? 1 : 0)
        }
        thickness={0.34}
      />
      <span>
        <span class="gauge-figure figures">{figure}</span>
        <span class="gauge-name">{name}</span>
      </span>
    </div>
  );
}

interface BatteryProps {
  readonly percent: number | undefined;
  /** What was last known of it. */
  readonly isOld: boolean;
}

export function BatteryGauge({ percent, isOld }: BatteryProps): JSX.Element {
  const tone = percent === undefined || percent > 30 ? 'good' : percent > 12 ? 'warn' : 'stop';
  return (
    <Gauge
      name={isOld && percent !== undefined ? 'Last known' : 'Battery'}
      figure={percent === undefined ? '–' : `${Math.round(percent)} %`}
      level={(percent ?? 0) / 100}
      tone={tone}
    />
  );
}

/** From here on, driving by the picture is unpleasant. Milliseconds. */
const SLOW_MS = 150;
const VERY_SLOW_MS = 600;

export function LinkGauge({
  words,
  rttMs,
}: {
  readonly words: string;
  readonly rttMs: number | undefined;
}): JSX.Element {
  const level = rttMs === undefined ? 0 : Math.max(0.1, 1 - Math.log10(Math.max(1, rttMs)) / 3.2);
  const tone = rttMs === undefined || rttMs > VERY_SLOW_MS ? 'stop' : rttMs > SLOW_MS ? 'warn' : 'good';
  const figure = rttMs === undefined ? '–' : rttMs < 10 ? `${rttMs.toFixed(1)} ms` : `${Math.round(rttMs)} ms`;
  return <Gauge name={words} figure={figure} level={level} tone={tone} />;
}
