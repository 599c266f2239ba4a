// The frame of Qiway's own link: a 24-byte header, little endian, before each body. Layer 1; does not look into bodies.
// As a qi message without magic and version, with control types and fragments; see docs/link-protocol.md.
import { QiwayError } from '../errors.ts';
import { readUint32, writeUint32 } from './bytes.ts';
import { wireInvalid } from './wire-errors.ts';

/** Bytes before the body. */
export const FRAME_HEADER_BYTES = 24;

/** Frames that are not qi messages (those have types 1 to 11). */
export interface ControlTypes {
  readonly hello: 32;
  readonly welcome: 33;
  readonly refuse: 34;
  readonly ping: 35;
  readonly pong: 36;
  readonly goodbye: 37;
  readonly status: 38;
  readonly received: 39;
  readonly attached: 40;
}
export const ControlType: ControlTypes = {
  hello: 32,
  welcome: 33,
  refuse: 34,
  ping: 35,
  pong: 36,
  goodbye: 37,
  status: 38,
  received: 39,
  attached: 40,
};

export interface FrameFlagBits {
  /** As in a qi message. */
  readonly dynamicPayload: 1;
  /** As in a qi message. */
  readonly returnType: 2;
  /** Not numbered, not kept, not replayed. */
  readonly lossy: 0x40;
  /** More fragments of this body follow, with the same `stream`. */
  readonly fragment: 0x80;
}
export const FrameFlags: FrameFlagBits = { dynamicPayload: 1, returnType: 2, lossy: 0x40, fragment: 0x80 };

/** Takes the place, and the number, of a frame that was withdrawn. */
export const NOTHING = 11;
/** Types from here on speak of the link, and have no number. */
export const FIRST_CONTROL = 32;

/** Fields are mutable so that one object can be used for every frame read. */
export interface FrameHeader {
  /** Bytes of the body that follow this header. */
  size: number;
  type: number;
  flags: number;
  /** 0: the body is whole. Else the number of the stream of fragments it belongs to. */
  stream: number;
  id: number;
  service: number;
  object: number;
  action: number;
}

/** A header of zeroes, to be read into. */
export function emptyFrameHeader(): FrameHeader {
  return { size: 0, type: 0, flags: 0, stream: 0, id: 0, service: 0, object: 0, action: 0 };
}

/** Writes the 24 bytes of a header at `offset`; there must be room for them. */
export function writeFrameHeader(bytes: Uint8Array, offset: number, header: FrameHeader): void {
  if (offset + FRAME_HEADER_BYTES > bytes.length)
    throw new QiwayError('internal', 'there is no room for the header of a frame.');
  writeUint32(bytes, offset, header.size);
  bytes[offset + 4] = header.type;
  bytes[offset + 5] = header.flags;
  bytes[offset + 6] = header.stream;
  bytes[offset + 7] = header.stream >>> 8;
  writeUint32(bytes, offset + 8, header.id);
  writeUint32(bytes, offset + 12, header.service);
  writeUint32(bytes, offset + 16, header.object);
  writeUint32(bytes, offset + 20, header.action);
}

/** Reads the header at `offset` into an object of the caller, and returns that. @throws wire-invalid for too few bytes */
export function readFrameHeader(bytes: Uint8Array, offset: number, into: FrameHeader): FrameHeader {
  if (offset + FRAME_HEADER_BYTES > bytes.length) throw wireInvalid('the header of a frame is cut off.', offset);
  into.size = readUint32(bytes, offset);
  into.type = bytes[offset + 4] as number;
  into.flags = bytes[offset + 5] as number;
  into.stream = (bytes[offset + 6] as number) | ((bytes[offset + 7] as number) << 8);
  into.id = readUint32(bytes, offset + 8);
  into.service = readUint32(bytes, offset + 12);
  into.object = readUint32(bytes, offset + 16);
  into.action = readUint32(bytes, offset + 20);
  return into;
}
