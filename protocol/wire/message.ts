// The qi message: its 28-byte header and its types. Layer 1; does not look into payloads.
import { QiwayError } from '../errors.ts';
import { readUint32, writeUint32 } from './bytes.ts';
import { wireInvalid } from './wire-errors.ts';

/** Bytes before the payload. */
export const HEADER_BYTES = 28;

/** First four bytes of every message, `42 de ad 42`, read as a little endian number. */
export const MAGIC = 0x42adde42;

export interface MessageTypes {
  readonly call: 1;
  readonly reply: 2;
  readonly error: 3;
  readonly post: 4;
  readonly event: 5;
  readonly capability: 6;
  readonly cancel: 7;
  readonly canceled: 8;
  /** On our links only: events were missed. Qi peers ignore it, as every type that they do not know. */
  readonly gap: 9;
  /** On our links only: an object that was handed over has ended. */
  readonly gone: 10;
}
export const MessageType: MessageTypes = {
  call: 1,
  reply: 2,
  error: 3,
  post: 4,
  event: 5,
  capability: 6,
  cancel: 7,
  canceled: 8,
  gap: 9,
  gone: 10,
};

/** Bits of the header's `flags`. Send them only to a peer that announced `MessageFlags`. */
export interface MessageFlagBits {
  /** The payload is one `m`, for a call one that holds the tuple of its arguments. */
  readonly dynamicPayload: 1;
  /** Of a call: after the arguments comes a string, the signature wanted for the result. */
  readonly returnType: 2;
}
export const MessageFlags: MessageFlagBits = { dynamicPayload: 1, returnType: 2 };

/** Fields are mutable so that one object can be used for every message read. */
export interface MessageHeader {
  id: number;
  /** Bytes of the payload. */
  size: number;
  version: number;
  type: number;
  flags: number;
  service: number;
  object: number;
  action: number;
}

/** A header of zeroes, to be read into. */
export function emptyMessageHeader(): MessageHeader {
  return { id: 0, size: 0, version: 0, type: 0, flags: 0, service: 0, object: 0, action: 0 };
}

/** Writes the 28 bytes of a header at `offset`; there must be room for them. */
export function writeMessageHeader(bytes: Uint8Array, offset: number, header: MessageHeader): void {
  if (offset + HEADER_BYTES > bytes.length)
    throw new QiwayError('internal', 'there is no room for the header of a message.');
  writeUint32(bytes, offset, MAGIC);
  writeUint32(bytes, offset + 4, header.id);
  writeUint32(bytes, offset + 8, header.size);
  bytes[offset + 12] = header.version;
  bytes[offset + 13] = header.version >>> 8;
  bytes[offset + 14] = header.type;
  bytes[offset + 15] = header.flags;
  writeUint32(bytes, offset + 16, header.service);
  writeUint32(bytes, offset + 20, header.object);
  writeUint32(bytes, offset + 24, header.action);
}

/** Reads the header at `offset` into an object of the caller, and returns that. @throws wire-invalid for a wrong magic or too few bytes */
export function readMessageHeader(bytes: Uint8Array, offset: number, into: MessageHeader): MessageHeader {
  if (offset + HEADER_BYTES > bytes.length) throw wireInvalid('the header of a message is cut off.', offset);
  if (readUint32(bytes, offset) !== MAGIC) throw wireInvalid('this is not a qi message: wrong magic.', offset);
  into.id = readUint32(bytes, offset + 4);
  into.size = readUint32(bytes, offset + 8);
  into.version = (bytes[offset + 12] as number) | ((bytes[offset + 13] as number) << 8);
  into.type = bytes[offset + 14] as number;
  into.flags = bytes[offset + 15] as number;
  into.service = readUint32(bytes, offset + 16);
  into.object = readUint32(bytes, offset + 20);
  into.action = readUint32(bytes, offset + 24);
  return into;
}

/** One message in one array; `header.size` is taken from the payload. */
export function encodeMessage(
  header: Omit<MessageHeader, 'size' | 'version' | 'flags'> & Partial<MessageHeader>,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeMessageHeader(bytes, 0, { version: 0, flags: 0, ...header, size: payload.length });
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}
