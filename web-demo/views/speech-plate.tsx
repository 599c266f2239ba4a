// Say something, hear what is said as words, set the volume. Layer: views.
import { useSignal } from '@preact/signals';
import { queue } from '@qiway/sdk';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Plate } from '../parts/plate.tsx';
import { offReason } from '../robot/off-reason.ts';
import { isMissing } from '../robot/robot-state.ts';
import { WaitingList } from './waiting-list.tsx';

/** A sentence that is older than this has nothing to do with what goes on. */
const WAIT_MS = 5 * 60_000;

export function SpeechPlate({ state }: { readonly state: ConsoleState }): JSX.Element {
  const text = useSignal('');
  const sentences = useSignal(0);
  const { speech, knownSpeech, words, volume, setVolume } = state.robot;
  const reason = offReason(state.link);
  const isThere = reason === undefined && speech.value !== undefined;
  /** What it says later is harmless; what moves it does not wait. */
  const canWait = reason !== undefined && state.link.robot.value !== undefined && knownSpeech.value !== undefined;
  const canSpeak = isThere || canWait;

  const say = (event: SubmitEvent): void => {
    event.preventDefault();
    const sentence = text.value.trim();
    if (sentence === '' || !canSpeak) return;
    text.value = '';
    if (canWait) {
      const options = { timeoutMs: 0, offline: queue({ ttlMs: WAIT_MS }) };
      state.attempt('Say', () => knownSpeech.value?.say.with(options)(sentence));
      return;
    }
    if (sentences.value === 0) words.value = [];
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
            placeholder={canWait ? 'Said when it is back' : 'Say something'}
            autocomplete="off"
            enterkeyhint="send"
            disabled={!canSpeak}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
          <button type="submit" class="button main" disabled={!canSpeak}>
            {canWait ? 'Say later' : 'Say'}
          </button>
        </form>
        <VolumeSlider
          value={volume.value}
          isOff={setVolume.value === undefined || !isThere}
          reason={reason}
          onChange={(percent) => state.attempt('Volume', () => setVolume.value?.(percent))}
        />
        <WaitingList state={state} service="ALTextToSpeech" />
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
  readonly reason: string | undefined;
  readonly onChange: (percent: number) => void;
}

function VolumeSlider({ value, isOff, reason, onChange }: VolumeProps): JSX.Element {
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
        title={reason}
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
