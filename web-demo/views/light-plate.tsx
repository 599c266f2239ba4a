// Colours for the robot's LEDs. Layer: views.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Plate } from '../parts/plate.tsx';
import { offReason } from '../robot/off-reason.ts';
import { isMissing } from '../robot/robot-state.ts';

const COLORS = [
  { name: 'White', value: 0xffffff },
  { name: 'Sky', value: 0x3fbcff },
  { name: 'Green', value: 0x2fd07a },
  { name: 'Amber', value: 0xffb020 },
  { name: 'Red', value: 0xff3b30 },
  { name: 'Violet', value: 0x9a5cff },
  { name: 'Rose', value: 0xff5fa2 },
  { name: 'Off', value: 0x000000 },
] as const;

/** NAOqi's name of the eyes; seconds to fade. */
const GROUP = 'FaceLeds';
const FADE_S = 0.3;

export function LightPlate({ state }: { readonly state: ConsoleState }): JSX.Element {
  const chosen = useSignal<number | undefined>(undefined);
  const { leds } = state.robot;
  const reason = offReason(state.link);
  const isOff = reason !== undefined || leds.value === undefined;
  const paint = (value: number): void => {
    state.attempt('Lights', () =>
      leds.value?.fadeRGB(GROUP, value, FADE_S).then(() => {
        chosen.value = value;
      }),
    );
  };
  return (
    <Plate title="Eyes" class="drive-light">
      <div class="plate-body">
        {isMissing(state.robot.services, 'ALLeds') ? (
          <p class="empty">This robot has no lights</p>
        ) : (
          <div class="swatches">
            {COLORS.map(({ name, value }) => (
              <button
                key={name}
                type="button"
                class="swatch"
                aria-label={name}
                title={reason ?? name}
                aria-pressed={chosen.value === value}
                disabled={isOff}
                onClick={() => paint(value)}
              >
                <i style={{ background: `#${value.toString(16).padStart(6, '0')}` }} />
              </button>
            ))}
          </div>
        )}
      </div>
    </Plate>
  );
}
