// What consoles in other tabs of this browser have to know of this one: that somebody pressed stop, and that somebody drives.
// Layer: robot; the browser only through `Channel`. Faster than the robot can tell, and there without a link too.

export interface OtherTabs {
  /** Stop was pressed here. */
  tellStop(): void;
  /** A drive begins here. */
  tellDrive(): void;
  /** Begins to listen; again after `close`. */
  open(): void;
  /** The page is left: a page in the back/forward cache hears nothing. */
  close(): void;
}

/** The part of a BroadcastChannel that is used. */
export interface Channel {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}

export interface OtherTabsOptions {
  /** A channel between all tabs of the origin; a tab does not hear itself. */
  readonly openChannel: () => Channel;
  readonly stopped: () => void;
  readonly driven: () => void;
}

type Word = 'stop' | 'drive';

export function createOtherTabs({ openChannel, stopped, driven }: OtherTabsOptions): OtherTabs {
  let channel: Channel | undefined;
  const tell = (word: Word): void => channel?.postMessage({ console: word });
  return {
    tellStop: () => tell('stop'),
    tellDrive: () => tell('drive'),
    open() {
      if (channel !== undefined) return;
      channel = openChannel();
      channel.addEventListener('message', ({ data }) => {
        const word = (data as { readonly console?: unknown } | null)?.console;
        if (word === 'stop') stopped();
        if (word === 'drive') driven();
      });
    },
    close() {
      channel?.close();
      channel = undefined;
    },
  };
}
