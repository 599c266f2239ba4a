// Say something, hear what is said as words, set the volume. Layer: views.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Plate } from '../parts/plate.tsx';
import { isMissing } from '../robot/robot-state.ts';

export function SpeechPlate({ state }: { readonly state: ConsoleState }): JSX.Element {
  const text = useSignal('');
  const sentences = useSignal(0);
  const { speech, words, volume, setVolume } = state.robot;
  const canSpeak = state.link.state.value.kind === 'online' && speech.value !== undefined;

  const say = (event: SubmitEvent): void => {
    event.preventDefault();
    const sentence = text.value.trim();
    if (sentence === '' || !canSpeak) return;
    if (sentences.value === 0) words.value = [];
    text.value = '';
    sentences.value += 1;
    state.attempt('Say', () =>
      speech.value?.say
        .with({ timeoutMs: 0 })(sentence)
        .finally(() => (sentences.value -= 1)),
    );
  };
  const isSpeaking = sentences.value > 0;
  return (
    <Plate title="Speech" class="drive-speech">
      <div class="plate-body speech">
        <form class="say" onSubmit={say}>
          <label class="visually-hidden" for="say">
            What the robot is to say
          </label>
          <input
            id="say"
            class="field"
            value={text}
            placeholder="Say something"
            autocomplete="off"
            enterkeyhint="send"
            disabled={!canSpeak}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
          <button type="submit" class="button main" disabled={!canSpeak}>
            Say
          </button>
        </form>
        <VolumeSlider
          value={volume.value}
          isOff={setVolume.value === undefined || !canSpeak}
          onChange={(percent) => state.attempt('Volume', () => setVolume.value?.(percent))}
        />
        <p class="spoken" data-figure="spoken">
          {words.value.length > 0 ? (
            <>
              {words.value.slice(0, -1).join(' ')}{' '}
              {isSpeaking ? <strong>{words.value.at(-1)}</strong> : words.value.at(-1)}
            </>
          ) : isMissing(state.robot.services, 'ALTextToSpeech') ? (
            'This robot does not speak'
          ) : isSpeaking ? (
            'Speaking…'
          ) : (
            'Words appear here as the robot says them'
          )}
        </p>
      </div>
    </Plate>
  );
}

interface VolumeProps {
  readonly value: number | undefined;
  readonly isOff: boolean;
  readonly onChange: (percent: number) => void;
}

function VolumeSlider({ value, isOff, onChange }: VolumeProps): JSX.Element {
  const held = useSignal<number | undefined>(undefined);
  const shown = held.value ?? value;
  return (
    <div class="slider">
      <label class="label" for="volume">
        Volume
      </label>
      <input
        id="volume"
        type="range"
        min="0"
        max="100"
        step="1"
        value={shown ?? 0}
        disabled={isOff}
        onInput={(event) => (held.value = Number(event.currentTarget.value))}
        onChange={(event) => {
          onChange(Number(event.currentTarget.value));
          held.value = undefined;
        }}
      />
      <output class="figures" for="volume">
        {shown === undefined ? '–' : `${Math.round(shown)} %`}
      </output>
    </div>
  );
}
