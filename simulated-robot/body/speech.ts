// Saying takes time: texts wait their turn, words come one by one. Time comes in by step(). Knows no bus.
import { createNotices, type Notices, type Task } from './notices.ts';

/** How long a word takes at normal speed: a start, then each letter; in seconds. About 150 English words a minute. */
const WORD_START_S = 0.13;
const LETTER_S = 0.055;
/** Pause after a sentence and after a part of one. */
const SENTENCE_PAUSE_S = 0.3;
const PART_PAUSE_S = 0.15;
/** Texts that may wait at once. */
const MAX_WAITING = 64;

/** What happens while a text is said, in order. */
export type SpeechNews =
  | { readonly kind: 'enqueued' | 'started' | 'done' | 'stopped'; readonly id: number; readonly text: string }
  | { readonly kind: 'word'; readonly id: number; readonly word: string; readonly position: number }
  | { readonly kind: 'sentence'; readonly id: number; readonly sentence: string };

/** How a text ended. */
export type SpeechEnd = 'said' | 'stopped';

interface Utterance {
  readonly id: number;
  readonly text: string;
  readonly words: readonly string[];
  readonly end: (how: SpeechEnd) => void;
  next: number;
  /** Seconds until the next word begins, or the text ends. */
  wait: number;
}

export class Speech {
  readonly news: Notices<SpeechNews> = createNotices();
  /** Percent of the normal speed. */
  speed = 100;
  readonly #queue: Utterance[] = [];
  #lastId = 0;

  get isSpeaking(): boolean {
    return this.#queue.length > 0;
  }

  /** Says a text after those that wait. @throws when too many wait */
  say(text: string): Task<SpeechEnd> {
    if (this.#queue.length >= MAX_WAITING)
      throw new Error(`${MAX_WAITING} texts are waiting to be said; wait for one to end, or call stopAll().`);
    const { promise, resolve } = Promise.withResolvers<SpeechEnd>();
    this.#lastId += 1;
    const utterance: Utterance = { id: this.#lastId, text, words: spokenWords(text), end: resolve, next: 0, wait: 0 };
    this.#queue.push(utterance);
    this.news.tell({ kind: 'enqueued', id: utterance.id, text });
    return { done: promise, cancel: () => this.#stop(utterance) };
  }

  /** Ends what is being said and what waits. */
  stopAll(): void {
    for (const utterance of [...this.#queue]) this.#stop(utterance);
  }

  step(seconds: number): void {
    let left = seconds;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (first.wait > left) {
        first.wait -= left;
        return;
      }
      left -= first.wait;
      this.#proceed(first);
    }
  }

  #proceed(utterance: Utterance): void {
    const { id, text, words } = utterance;
    if (utterance.next === 0) this.news.tell({ kind: 'started', id, text });
    // Whoever hears the news may stop the text.
    if (!this.#queue.includes(utterance)) return;
    const word = words[utterance.next];
    if (word === undefined) {
      this.#queue.shift();
      this.news.tell({ kind: 'done', id, text });
      utterance.end('said');
      return;
    }
    const before = words[utterance.next - 1];
    if (before === undefined || /[.!?]$/.test(before))
      this.news.tell({ kind: 'sentence', id, sentence: sentenceFrom(words, utterance.next) });
    utterance.wait = secondsFor(word) * (100 / this.speed);
    this.news.tell({ kind: 'word', id, word: bare(word), position: utterance.next });
    utterance.next += 1;
  }

  #stop(utterance: Utterance): void {
    const place = this.#queue.indexOf(utterance);
    if (place < 0) return;
    this.#queue.splice(place, 1);
    this.news.tell({ kind: 'stopped', id: utterance.id, text: utterance.text });
    utterance.end('stopped');
  }
}

/** The words to be said: instructions such as `\rspd=80\` and `^start(…)` are not. */
function spokenWords(text: string): string[] {
  const plain = text.replace(/\\[a-z]+(=[^\\]*)?\\/gi, ' ').replace(/\^\w+(\([^)]*\))?/g, ' ');
  return plain.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
}

function sentenceFrom(words: readonly string[], start: number): string {
  const end = words.findIndex((word, index) => index >= start && /[.!?]$/.test(word));
  return words.slice(start, end < 0 ? undefined : end + 1).join(' ');
}

function bare(word: string): string {
  return word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
}

function secondsFor(word: string): number {
  const pause = /[.!?]$/.test(word) ? SENTENCE_PAUSE_S : /[,;:]$/.test(word) ? PART_PAUSE_S : 0;
  return WORD_START_S + bare(word).length * LETTER_S + pause;
}
