// Recorded traffic of real programs with some of its bits turned: looks right for a while.
import fc from 'fast-check';
import { readRecordings, streamOf } from '../vectors/recording.ts';

/** What each client of the recordings sent, and what each server. */
const streams: readonly Uint8Array[] = readRecordings()
  .flatMap(({ connections, messages }) =>
    connections.flatMap(({ conn }) =>
      ['c2s', 's2c'].map((direction) =>
        streamOf(messages.filter((message) => message.conn === conn && message.dir === direction)),
      ),
    ),
  )
  .map((stream) => stream.subarray(0, 20_000))
  .filter(({ length }) => length > 0);

export const damagedTraffic: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(...streams),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 7 })), { maxLength: 8 }),
    fc.nat(),
    fc.boolean(),
  )
  .map(([stream, flips, at, isCut]) => {
    const bytes = stream.slice(0, isCut ? 1 + (at % stream.length) : stream.length);
    for (const [position, bit] of flips) {
      const index = position % bytes.length;
      bytes[index] = (bytes[index] as number) ^ (1 << bit);
    }
    return bytes;
  });
