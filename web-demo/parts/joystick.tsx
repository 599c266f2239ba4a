// The joystick: pointer or keys to a place in a disc. Lets go when released, on blur, on pointercancel, when the page
// is hidden and when it is disabled. Layer: parts. It must not know of robots: it tells a place, right and up.
import { useSignal } from '@preact/signals';
import type { JSX, TargetedPointerEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { LedRing } from './led-ring.tsx';

interface JoystickProps {
  readonly disabled: boolean;
  /** A hand that is on it does not count: the knob is shown at rest until it is off. */
  readonly isBlocked: boolean;
  /** A place in the unit disc. */
  readonly onMove: (right: number, up: number) => void;
  /** The hand is off. */
  readonly onRelease: () => void;
}

const SEGMENTS = 24;
/** How far the knob travels, in parts of the pad's radius, and its diameter in parts of the pad's (see drive.css). */
const TRAVEL = 0.47;
const KNOB = 0.4;

const KEYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [0, 1],
  KeyW: [0, 1],
  ArrowDown: [0, -1],
  KeyS: [0, -1],
  ArrowLeft: [-1, 0],
  KeyA: [-1, 0],
  ArrowRight: [1, 0],
  KeyD: [1, 0],
};

/** Whether the focused element has a use for the key itself. */
function takesKey({ target, code }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  // A slider, a tab list and a scrolled text know arrows, but no letters.
  const isArrow = code.startsWith('Arrow');
  if (
    target.closest('input[type="range"], input[type="checkbox"], [role="tablist"], [role="slider"], [role="log"]') !==
    null
  )
    return isArrow;
  return target.closest('input, select, textarea, [contenteditable]') !== null;
}

export function Joystick({ disabled, isBlocked, onMove, onRelease }: JoystickProps): JSX.Element {
  const pad = useRef<HTMLButtonElement>(null);
  const place = useSignal<readonly [number, number]>([0, 0]);
  const pointer = useRef<number | undefined>(undefined);
  const pressed = useRef(new Set<string>());
  const calls = useRef({ onMove, onRelease, disabled });
  calls.current = { onMove, onRelease, disabled };

  const moveTo = (right: number, up: number): void => {
    const length = Math.max(1, Math.hypot(right, up));
    place.value = [right / length, up / length];
    calls.current.onMove(right / length, up / length);
  };
  const release = (): void => {
    const wasHeld = pointer.current !== undefined || pressed.current.size > 0;
    pointer.current = undefined;
    pressed.current.clear();
    place.value = [0, 0];
    if (wasHeld) calls.current.onRelease();
  };
  const fromPointer = (event: TargetedPointerEvent<HTMLButtonElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const travel = (box.width / 2) * TRAVEL;
    moveTo((event.clientX - box.left - box.width / 2) / travel, -(event.clientY - box.top - box.height / 2) / travel);
  };

  useEffect(() => {
    const fromKeys = (): void => {
      const held = [...pressed.current].map((code) => KEYS[code] ?? ([0, 0] as const));
      moveTo(
        held.reduce((sum, [right]) => sum + right, 0),
        held.reduce((sum, [, up]) => sum + up, 0),
      );
    };
    const down = (event: KeyboardEvent): void => {
      if (!(event.code in KEYS) || event.ctrlKey || event.metaKey || event.altKey || takesKey(event)) return;
      event.preventDefault();
      if (calls.current.disabled || event.repeat || pointer.current !== undefined) return;
      pressed.current.add(event.code);
      fromKeys();
    };
    const up = (event: KeyboardEvent): void => {
      if (!pressed.current.has(event.code)) return;
      if (pressed.current.size === 1) release();
      else {
        pressed.current.delete(event.code);
        fromKeys();
      }
    };
    const hidden = (): void => {
      if (document.hidden) release();
    };
    // The robot may have been stopped by Escape while a hand or a key is still on the joystick.
    const onEscape = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') release();
    };
    window.addEventListener('keydown', down);
    window.addEventListener('keydown', onEscape);
    window.addEventListener('keyup', up);
    window.addEventListener('blur', release);
    window.addEventListener('pagehide', release);
    document.addEventListener('visibilitychange', hidden);
    return () => {
      release();
      window.removeEventListener('keydown', down);
      window.removeEventListener('keydown', onEscape);
      window.removeEventListener('keyup', up);
      window.removeEventListener('blur', release);
      window.removeEventListener('pagehide', release);
      document.removeEventListener('visibilitychange', hidden);
    };
  }, []);

  useEffect(() => {
    if (disabled) release();
  }, [disabled]);

  const [right, up] = isBlocked ? [0, 0] : place.value;
  const knobPercent = (TRAVEL * 50) / KNOB;
  const speed = Math.hypot(right, up);
  const heading = Math.atan2(right, up);
  const lit = (segment: number): number => {
    const apart = Math.abs(((segment / SEGMENTS) * 2 * Math.PI - heading + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
    return speed < 0.08 ? 0 : Math.min(1, Math.max(0, 1.5 - Math.abs(apart) / 0.5)) * (0.3 + 0.7 * speed);
  };
  return (
    <button
      ref={pad}
      type="button"
      class="joystick"
      aria-label="Joystick: drag, or use the arrow keys or W A S D; letting go stops the robot"
      aria-disabled={disabled}
      data-held={speed > 0}
      onPointerDown={(event) => {
        if (disabled || (event.pointerType === 'mouse' && event.button !== 0)) return;
        pointer.current = event.pointerId;
        event.currentTarget.setPointerCapture(event.pointerId);
        fromPointer(event);
      }}
      onPointerMove={(event) => {
        if (pointer.current === event.pointerId && !disabled) fromPointer(event);
      }}
      onPointerUp={(event) => pointer.current === event.pointerId && release()}
      onPointerCancel={(event) => pointer.current === event.pointerId && release()}
      onLostPointerCapture={(event) => pointer.current === event.pointerId && release()}
      onContextMenu={(event) => event.preventDefault()}
    >
      <LedRing segments={SEGMENTS} lit={lit} thickness={0.07} class="joystick-ring" />
      <span class="joystick-cross" aria-hidden="true" />
      <span
        class="joystick-knob"
        aria-hidden="true"
        style={{ transform: `translate(${right * knobPercent}%, ${-up * knobPercent}%)` }}
      />
    </button>
  );
}
