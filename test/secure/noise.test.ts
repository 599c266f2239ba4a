// The handshake to the byte: the vectors that two other implementations publish, on every Crypto.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@qiway/protocol/hex';
import { type AgreementKey, type Crypto, concat, type SealingKey } from '@qiway/protocol/secure/crypto';
import { walk } from '@qiway/protocol/secure/later';
import { NoiseHandshake, type Pattern } from '@qiway/protocol/secure/noise';
import { Nonces } from '@qiway/protocol/secure/nonces';
import { describe, expect, test } from 'vitest';
import { cryptos, fromHex, type TestedCrypto } from './cryptos.ts';

interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly init_remote_static?: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}
const vectors = ['cacophony', 'snow'].flatMap((source) => {
  const file = readFileSync(join(import.meta.dirname, 'vectors', `${source}.json`), 'utf8');
  return (JSON.parse(file) as { vectors: Vector[] }).vectors.map((vector) => ({ source, vector }));
});

/** The same, but that the ephemeral key is the one of the vector. */
function withEphemeral(crypto: Crypto, ephemeral: AgreementKey): Crypto {
  return { ...crypto, makeAgreementKey: () => ephemeral };
}

async function bothSides({ crypto, agreementKey }: TestedCrypto, vector: Vector): Promise<NoiseHandshake[]> {
  const pattern = /^Noise_(XX|IK)_/.exec(vector.protocol_name)?.[1] as Pattern;
  const initiator = await walk(
    NoiseHandshake.begin({
      crypto: withEphemeral(crypto, await agreementKey(fromHex(vector.init_ephemeral))),
      pattern,
      isInitiator: true,
      prologue: fromHex(vector.init_prologue),
      staticKey: await agreementKey(fromHex(vector.init_static)),
      ...(vector.init_remote_static !== undefined && { remoteStatic: fromHex(vector.init_remote_static) }),
    }),
  );
  const responder = await walk(
    NoiseHandshake.begin({
      crypto: withEphemeral(crypto, await agreementKey(fromHex(vector.resp_ephemeral))),
      pattern,
      isInitiator: false,
      prologue: fromHex(vector.resp_prologue),
      staticKey: await agreementKey(fromHex(vector.resp_static)),
    }),
  );
  return [initiator, responder];
}

const cases = cryptos.flatMap((tested) => vectors.map(({ source, vector }) => ({ tested, source, vector })));

describe.each(cases)('$vector.protocol_name of $source on $tested.name', ({ tested, vector }) => {
  const handshakeMessages = vector.protocol_name.startsWith('Noise_XX') ? 3 : 2;

  test('both sides write the published bytes, and read each other', async () => {
    const sides = await bothSides(tested, vector);
    const [initiator, responder] = sides as [NoiseHandshake, NoiseHandshake];
    for (const [index, { payload, ciphertext }] of vector.messages.slice(0, handshakeMessages).entries()) {
      const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const message = await walk(writer.write(fromHex(payload)));
      expect(toHex(message)).toBe(ciphertext);
      expect(toHex(await walk(reader.read(message)))).toBe(payload);
    }
    expect(toHex(initiator.hash)).toBe(toHex(responder.hash));
    if (vector.handshake_hash !== undefined) expect(toHex(initiator.hash)).toBe(vector.handshake_hash);
    expect(toHex(initiator.remoteStatic)).toBe(
      toHex((await tested.agreementKey(fromHex(vector.resp_static))).publicKey),
    );
    expect(toHex(responder.remoteStatic)).toBe(
      toHex((await tested.agreementKey(fromHex(vector.init_static))).publicKey),
    );

    const [ours, theirs] = [await walk(initiator.split()), await walk(responder.split())];
    const keys: Record<'initiator' | 'responder', { seal: SealingKey; open: SealingKey; nonces: [Nonces, Nonces] }> = {
      initiator: { seal: ours.send, open: theirs.receive, nonces: [new Nonces(), new Nonces()] },
      responder: { seal: theirs.send, open: ours.receive, nonces: [new Nonces(), new Nonces()] },
    };
    for (const [offset, { payload, ciphertext }] of vector.messages.slice(handshakeMessages).entries()) {
      const { seal, open, nonces } = keys[(handshakeMessages + offset) % 2 === 0 ? 'initiator' : 'responder'];
      const plain = fromHex(payload);
      const sealed = concat(...(await seal.seal(nonces[0].next(), [plain.subarray(0, 3), plain.subarray(3)])));
      expect(toHex(sealed)).toBe(ciphertext);
      expect(toHex((await open.open(nonces[1].next(), sealed)) as Uint8Array)).toBe(payload);
    }
  });

  test('a message with one bit changed is not read', async () => {
    for (let index = 0; index < handshakeMessages; index++) {
      const message = fromHex(vector.messages[index]?.ciphertext ?? '');
      // A key that nothing is encrypted under yet may be any; all else is held by the next tag.
      const isPlain = index === 0 && vector.protocol_name.startsWith('Noise_XX');
      if (isPlain) continue;
      for (const at of [0, 31, 32, 60, message.length - 1]) {
        const sides = await bothSides(tested, vector);
        for (const [before, { payload }] of vector.messages.slice(0, index).entries()) {
          const [writer, reader] = before % 2 === 0 ? sides : sides.toReversed();
          await walk((reader as NoiseHandshake).read(await walk((writer as NoiseHandshake).write(fromHex(payload)))));
        }
        const [writer, reader] = index % 2 === 0 ? sides : sides.toReversed();
        await walk((writer as NoiseHandshake).write(fromHex(vector.messages[index]?.payload ?? '')));
        const changed = message.slice();
        changed[at]! ^= 1;
        await expect(async () => walk((reader as NoiseHandshake).read(changed))).rejects.toMatchObject({
          code: 'handshake-failed',
        });
      }
    }
  });
});
