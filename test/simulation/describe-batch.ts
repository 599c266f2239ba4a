// What is in a transport message, for traces. Support of the tests.

import {
  ControlType,
  emptyFrameHeader,
  FRAME_HEADER_BYTES,
  FrameFlags,
  readFrameHeader,
} from '../../protocol/wire/link-frame.ts';
import { MessageType } from '../../protocol/wire/message.ts';

const NAMES = new Map<number, string>(
  [...Object.entries(MessageType), ...Object.entries(ControlType)].map(([name, type]) => [type, name]),
);
const TEXT_TYPES: readonly number[] = [ControlType.refuse, ControlType.goodbye];

/** Its frames, with their ids. */
export function describeBatch(bytes: Uint8Array): string {
  const frames: string[] = [];
  for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length; ) {
    const { type, id, size, stream, flags } = readFrameHeader(bytes, at, emptyFrameHeader());
    const part = stream === 0 ? '' : ` (stream ${stream}${(flags & FrameFlags.fragment) === 0 ? ', last' : ''})`;
    at += FRAME_HEADER_BYTES;
    const text = TEXT_TYPES.includes(type) ? ` ${new TextDecoder().decode(bytes.subarray(at, at + size))}` : '';
    frames.push(`${NAMES.get(type) ?? `type ${type}`} ${id}${part}${text}`);
    at += size;
  }
  return frames.join(', ');
}
