// What is known of the link in a person's words. Layer: robot; pure.

import type { Loss, QiwayError, QueueEntry, Status } from '@qiway/sdk';
import { failureText } from '../failure-text.ts';
import type { LinkState } from './link.ts';

/** One address that was dialled in vain. */
export interface Tried {
  readonly address: string;
  readonly reason: string;
}

const MAX_REASON = 90;
/** What a browser tells of a socket that could not be opened, or broke: no more than that. */
const ABRUPT = /closed \(1006\)/;
/** With this an agent closes that heard nothing: the page slept, or what it said did not get through. */
const UNHEARD = /The link was closed: link-lost/;

/** What an error of dialling says was tried; empty when it says nothing of it. */
export function triedOf(error: QiwayError | undefined): readonly Tried[] {
  if (error === undefined) return [];
  const { attempts, url, reason } = error.data as {
    readonly attempts?: readonly { readonly url: string; readonly reason: string }[];
    readonly url?: string;
    readonly reason?: string;
  };
  if (attempts !== undefined)
    return attempts.map((one) => ({ address: hostOf(one.url), reason: shortened(one.reason) }));
  return error.code === 'dial-failed' && url !== undefined
    ? [{ address: hostOf(url), reason: shortened(reason ?? 'no answer') }]
    : [];
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

function shortened(text: string): string {
  if (ABRUPT.test(text)) return 'nobody answers there';
  return text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON - 1)}…`;
}

/** Addresses in one line; the reason once where all have the same. */
export function triedText(tried: readonly Tried[]): string {
  const [first] = tried;
  if (first === undefined) return '';
  const addresses = tried.map(({ address }) => address).join(', ');
  if (tried.every(({ reason }) => reason === first.reason)) return `Tried ${addresses}: ${first.reason}`;
  return `Tried ${tried.map(({ address, reason }) => `${address} (${reason})`).join(', ')}`;
}

/** Why a link was lost, where more is known than that. */
export function lostText(reason: QiwayError | undefined): string {
  if (reason === undefined) return '';
  if ((reason.data as { readonly reason?: string }).reason === 'silence')
    return 'Nothing was heard of the robot any more.';
  if (UNHEARD.test(reason.message)) return 'The robot heard nothing of this page any more.';
  return ABRUPT.test(reason.message) ? '' : failureText(reason);
}

/** What a person can do about a link that is gone. */
export function adviceFor(error: QiwayError): string {
  switch (error.code) {
    case 'robot-identity-mismatch':
      return 'Another robot answers there. If yours was set up anew, open the URL that its agent prints now.';
    case 'limit-exceeded':
      return 'The link was too slow for what the page asked of it.';
    case 'handshake-failed':
      return 'What answers there is no robot agent, or something between changes what is said.';
    default:
      return 'Is the robot on, and is this device in its network?';
  }
}

/** A while, as people say it: `3 s`, `2 min`, `1 h 5 min`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const ROUTES: Readonly<Record<Status['route'], string>> = {
  direct: 'directly',
  webrtc: 'over WebRTC',
  relay: 'through the relay',
};

export function routeText(route: Status['route']): string {
  return ROUTES[route];
}

export function ownerText(owner: Status['owner']): string {
  return owner === 'worker' ? 'A worker that all tabs share' : 'This page alone';
}

export function sealText(isSealed: boolean): string {
  return isSealed ? 'Sealed: nobody between can read it' : 'Not sealed: it stays on this machine';
}

/** @param isLinked there was a link since the page was opened */
export function sessionText(
  resumes: number,
  { isRenewed, isLinked }: { isRenewed: boolean; isLinked: boolean },
): string {
  if (!isLinked) return 'None since this page was opened';
  const times = resumes === 1 ? 'once' : `${resumes} times`;
  if (isRenewed) return `A new one took the place of the last${resumes === 0 ? '' : `; resumed ${times} since`}`;
  return resumes === 0 ? 'The first since this page was opened' : `Resumed ${times}; everything went on`;
}

/** What a new session cost. */
export function lossText({ calls, objects }: Pick<Loss, 'calls' | 'objects'>): string {
  const lost = [
    calls === 0
      ? ''
      : calls === 1
        ? '1 call under way, which may have run'
        : `${calls} calls under way, which may have run`,
    objects === 0 ? '' : objects === 1 ? '1 object of the robot' : `${objects} objects of the robot`,
  ].filter((text) => text !== '');
  return lost.length === 0 ? 'No call was under way; events may have been missed' : `Lost: ${lost.join('; ')}`;
}

const SHOWN_OF_ID = 4;

/** An id of 52 letters, to be compared by eye. */
export function shortId(id: string): string {
  return id.length <= 4 * SHOWN_OF_ID
    ? id
    : `${id.slice(0, SHOWN_OF_ID)} ${id.slice(SHOWN_OF_ID, 2 * SHOWN_OF_ID)} … ${id.slice(-SHOWN_OF_ID)}`;
}

/** A text with ids in it, which nobody reads whole. */
export function shortIds(text: string): string {
  return text.replaceAll(/\b[a-z2-7]{52}\b/g, shortId);
}

/** A call that waits: `ALTextToSpeech.say("hello")`. */
export function callText({ service, method, args }: Pick<QueueEntry, 'service' | 'method' | 'args'>): string {
  return `${service}.${method.split('::')[0] ?? method}(${args})`;
}

/** What is known of the robot's own bus is as old as the link. */
export function busText({ state, bus }: Pick<Status, 'state' | 'bus'>): string {
  const words = bus === 'up' ? 'Up' : 'Down';
  return state === 'online' ? words : `${words} when the link was lost`;
}

export function rttText(rttMs: number | undefined): string {
  if (rttMs === undefined) return '–';
  return rttMs < 10 ? `${rttMs.toFixed(1)} ms` : `${Math.round(rttMs)} ms`;
}

export type Health = 'good' | 'warn' | 'stop' | 'calm';

/** The state of things in two or three words, and how serious it is. */
export function headlineOf(
  state: LinkState,
  { isAway, isBusUp, hasRobot }: { readonly isAway: boolean; readonly isBusUp: boolean; readonly hasRobot: boolean },
): { readonly words: string; readonly health: Health } {
  switch (state.kind) {
    case 'online':
      if (!isBusUp) return { words: 'Robot’s bus down', health: 'warn' };
      return hasRobot ? { words: 'Online', health: 'good' } : { words: 'No robot on the bus', health: 'warn' };
    case 'lost':
      if (!state.wasOnline)
        return {
          words: state.error.code === 'robot-identity-mismatch' ? 'Another robot answers' : 'Nobody answers',
          health: 'stop',
        };
      return isAway ? { words: 'Looking for the robot', health: 'stop' } : { words: 'Online', health: 'good' };
    case 'dialling':
      return { words: 'Dialling', health: 'calm' };
    case 'refused':
      return { words: 'Refused', health: 'stop' };
    case 'no-token':
      return { words: 'No robot yet', health: 'calm' };
  }
}
