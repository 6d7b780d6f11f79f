// The committed vectors are those that this folder makes, and what they hold opens and verifies.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { verifyCertificate } from './certificate.mjs';
import { openEnvelope } from './envelope.mjs';
import { sealOaepWith, signPssWith } from './fixed_rsa.mjs';
import { interopFolder, interopVectors } from './interop_vectors.mjs';
import { openOaep32, verifyPss } from './keys.mjs';
import { RecordReceiver } from './records.mjs';
import { testIdentity, testKeys } from './test_keys.mjs';
import { ascii } from './wire.mjs';

const load = (name) => JSON.parse(readFileSync(new URL(name, interopFolder), 'utf8'));
const hex = (text) => Buffer.from(text, 'hex');

test('The committed vectors are made again, byte for byte', () => {
    const made = interopVectors();
    assert.equal(made.length, 4);
    for (const [name, text] of made) {
        assert(text === readFileSync(new URL(name, interopFolder), 'utf8'), `${name}: run write_vectors.mjs`);
    }
});

test('OAEP with a seed and PSS with a salt are what OpenSSL opens and verifies', () => {
    const { sign, kem } = testKeys('collector');
    const message = Buffer.alloc(32, 5);
    const sealed = sealOaepWith(Buffer.alloc(32, 6), kem.publicKey, message, ascii('label'));
    assert(openOaep32(kem.privateKey, sealed, ascii('label'), Buffer.alloc(32)).equals(message));
    assert(verifyPss(sign.publicKey, message, signPssWith(Buffer.alloc(32, 7), sign.privateKey, message)));
});

test('The records of the vector open in order', () => {
    const { epochs, records } = load('records.json');
    const receiver = new RecordReceiver(hex(epochs[0].secret));
    let whole = 0;
    for (const { frame, more } of records.filter((record) => record.frame !== undefined && record.epoch === 0)) {
        whole += receiver.open(hex(frame)) === null ? 0 : 1;
        assert.equal(typeof more, 'boolean');
    }
    assert.equal(whole, 5);
});

test('The envelopes of the vector open for their recipients', () => {
    const { envelopes } = load('envelope.json');
    let opened = 0;
    for (const { recipient, purpose, header, artwork, plaintext_length: bytes, chunk_key: key } of envelopes) {
        const me = ['vault', 'collector'].map((who) => testIdentity(who)).find(({ wallet }) => wallet === recipient);
        if (purpose === 'SAT/1 env') {
            assert.equal(openEnvelope(hex(header), me, artwork, bytes).key.toString('hex'), key);
            ++opened;
        }
    }
    assert(opened > 0);
});

test('The certificate of the vector verifies', async () => {
    const vector = load('ledger.json');
    const { owner, seq } = await verifyCertificate(Buffer.from(vector.certificate), vector.vault.wallet);
    assert.deepEqual([owner, seq], [vector.owner, vector.seq]);
});
