// Envelopes: Cobblestone-256 against C2SP's vectors, lengths, artwork IDs, and what must not open.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import {
    checkCharacter, chunkCount, chunkKeys, chunkSealed, isArtworkId, makeEnvelope, openChunk, openEnvelope, sealChunk,
    sealedLength, sealStream, StreamOpener,
} from './envelope.mjs';
import { testIdentity } from './test_keys.mjs';
import { loadVectors } from './vectors.mjs';
import { concat, ProtocolError } from './wire.mjs';

const hex = (text) => Buffer.from(text, 'hex');
const artwork = `000000001${checkCharacter('000000001')}`;
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
let me;
before(async () => {
    me = testIdentity('collector');
});
const recipient = () => ({ wallet: me.wallet, kem: me.kem.publicKey, kemId: me.kem.id });

// Opens salt ‖ commitment ‖ chunks, as C2SP writes a whole message.
function openMessage(key, context, message) {
    assert(key.length === 32 && message.length >= 24 + 32 + 16);
    const keys = chunkKeys(key, message.subarray(0, 24), context);
    assert(keys.commitment.equals(message.subarray(24, 56)));
    const chunks = message.subarray(56);
    assert(chunks.length % chunkSealed >= 16);
    const plain = [];
    for (let number = 0; number * chunkSealed < chunks.length; ++number) {
        plain.push(openChunk(keys, number, chunks.subarray(number * chunkSealed, (number + 1) * chunkSealed)));
    }
    return { keys, plain: concat(...plain) };
}

test('Cobblestone-256 opens and refuses as the C2SP vectors say', () => {
    const file = loadVectors('wycheproof/c2sp_chunked_encryption_aes_256_gcm_test.json');
    if (file === null) {
        return;
    }
    const counts = { valid: 0, invalid: 0 };
    for (const vector of file.testGroups.flatMap(({ tests }) => tests)) {
        const open = () => openMessage(hex(vector.key), hex(vector.ctx), inflateSync(hex(vector.ct)));
        if (vector.result === 'valid') {
            const { keys, plain } = open();
            assert.equal(keys.key.toString('hex'), vector.aeadKey);
            assert.equal(keys.nonce.toString('hex'), vector.baseNonce);
            assert.equal(plain.length, vector.msgLength, vector.comment);
            assert.equal(createHash('sha512').update(plain).digest('hex'), vector.msgSha512, vector.comment);
        } else {
            assert.throws(open, vector.comment);
        }
        ++counts[vector.result];
    }
    assert(counts.valid > 0 && counts.invalid > 0);
});

test('L bytes are floor(L / 16384) + 1 chunks', () => {
    const expected = [[0, 1], [1, 1], [16383, 1], [16384, 2], [16385, 2], [32767, 2], [32768, 3], [65535, 4],
        [65536, 5], [70000, 5], [1000000, 62]];
    for (const [bytes, chunks] of expected) {
        assert.equal(chunkCount(bytes), chunks);
        assert.equal(sealedLength(bytes), bytes + 16 * chunks);
    }
});

test('The check character follows the rule by hand and finds every single error', () => {
    assert.equal(checkCharacter('000000000'), '0');
    assert.equal(checkCharacter('000000001'), 'Y');     // 1 doubled is 2; 30 is missing to 32
    assert.equal(checkCharacter('00000000Z'), '1');     // 31 doubled is 62: 1 + 30; 1 is missing
    assert.equal(checkCharacter('000000010'), 'Z');     // not doubled
    assert.equal(checkCharacter('ZZZZZZZZZ'), '9');     // 9 × 31 = 279; 9 is missing to 288
    const id = `7K3VQ9XAB${checkCharacter('7K3VQ9XAB')}`;
    assert(isArtworkId(id));
    for (let at = 0; at < 10; ++at) {
        for (const other of alphabet) {
            const changed = id.slice(0, at) + other + id.slice(at + 1);
            assert.equal(isArtworkId(changed), changed === id);
        }
    }
    assert(!isArtworkId(id.toLowerCase()) && !isArtworkId(`${id}0`) && !isArtworkId('ILOU000000'));
});

test('An envelope opens for its recipient, from any chunk on', () => {
    for (const size of [1, 16383, 16384, 16385, 65535, 65536, 70000]) {
        const image = randomBytes(size);
        const { header, keys } = makeEnvelope(artwork, size, recipient());
        assert.equal(header.length, 666);
        const sealed = concat(...sealStream(keys, image));
        assert.equal(sealed.length, sealedLength(size));
        const opened = openEnvelope(header, me, artwork, size);
        for (const first of [0, chunkCount(size) - 1]) {
            const opener = new StreamOpener(opened, size, first);
            assert(opener.push(sealed.subarray(first * chunkSealed)).equals(image.subarray(first * 16384)));
            opener.finish();
        }
    }
});

test('An envelope does not open for another work, length, key or with another wrapping', () => {
    const { header } = makeEnvelope(artwork, 5, recipient());
    assert.throws(() => openEnvelope(header, me, '0000000000', 5), ProtocolError);
    assert.throws(() => openEnvelope(header, me, artwork, 6), ProtocolError);
    assert.throws(() => openEnvelope(header, { ...me, wallet: me.kem.id }, artwork, 5), ProtocolError);
    assert.throws(() => openEnvelope(header.subarray(0, -1), me, artwork, 5), ProtocolError);
    for (const at of [97, 98 + 511, 98 + 512, 665]) {       // the wrapping, the salt, the commitment
        const changed = Buffer.from(header);
        changed[at] ^= 1;
        assert.throws(() => openEnvelope(changed, me, artwork, 5), ProtocolError, `byte ${at}`);
    }
});

test('Chunks that are swapped, cut or too long are not taken', () => {
    const image = randomBytes(40000);
    const { header, keys } = makeEnvelope(artwork, image.length, recipient());
    const [sealed] = sealStream(keys, image);
    const opened = openEnvelope(header, me, artwork, image.length);
    const swapped = concat(sealed.subarray(chunkSealed, 2 * chunkSealed), sealed.subarray(0, chunkSealed));
    assert.throws(() => new StreamOpener(opened, image.length).push(swapped), ProtocolError);
    const cut = new StreamOpener(opened, image.length);
    cut.push(sealed.subarray(0, chunkSealed));
    assert.throws(() => cut.finish(), ProtocolError);
    const longer = sealChunk(keys, 2, Buffer.alloc(40000 - 32768 + 1));
    assert.throws(() => new StreamOpener(opened, image.length, 2).push(longer), /another length/);
});
