// The header of a frame of the link.
import { expect, test } from 'vitest';
import {
  ControlType,
  emptyFrameHeader,
  FRAME_HEADER_BYTES,
  FrameFlags,
  type FrameHeader,
  readFrameHeader,
  writeFrameHeader,
} from '../../protocol/wire/link-frame.ts';
import { failure } from './failure.ts';

const header: FrameHeader = {
  size: 0x01020304,
  type: ControlType.hello,
  flags: FrameFlags.fragment | FrameFlags.returnType,
  stream: 0xfffe,
  id: 0x80000001,
  service: 0x80000002,
  object: 0x80000003,
  action: 0xffffffff,
};

test('a frame header is 24 bytes, little endian', () => {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + 3);
  writeFrameHeader(bytes, 3, header);
  expect(Buffer.from(bytes.subarray(3)).toString('hex')).toBe('040302012082feff010000800200008003000080ffffffff');
});

test('it is read into the object of the caller', () => {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  writeFrameHeader(bytes, 0, header);
  const into = emptyFrameHeader();
  expect(readFrameHeader(bytes, 0, into)).toBe(into);
  expect(into).toEqual(header);
});

test('one that is cut off is wire-invalid', () => {
  expect(failure(() => readFrameHeader(new Uint8Array(30), 7, emptyFrameHeader()))).toMatchObject({
    code: 'wire-invalid',
    data: { offset: 7 },
  });
  expect(failure(() => writeFrameHeader(new Uint8Array(FRAME_HEADER_BYTES), 1, header)).code).toBe('internal');
});
