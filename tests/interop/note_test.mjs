// Checkpoints and cosignatures: what a reader takes, and what it refuses.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyChain } from './identity.mjs';
import { makeLogKey } from './keys.mjs';
import { emptyRoot } from './merkle.mjs';
import {
    checkpointText, cosignText, joinNote, logVerifier, originOf, readLogVerifier, readNote, readWitnessVerifier,
    signText,
    verifyCheckpoint, verifyWitnessed, witnessVerifier, writeCheckpoint,
} from './note.mjs';
import { testIdentity } from './test_keys.mjs';
import { ProtocolError, sha256 } from './wire.mjs';

const me = testIdentity('vault');
const vault = verifyChain(me.chain);
const log = { privateKey: me.log.privateKey, verifier: logVerifier(me.wallet, me.log.raw) };
const root = sha256(Buffer.from('a root'));
const text = checkpointText(originOf(me.wallet), 7, root);
const note = writeCheckpoint(log, 7, root);

async function makeWitness(name) {
    const key = await makeLogKey();
    return { privateKey: key.privateKey, verifier: witnessVerifier(name, key.raw) };
}

test("A verifier key has C2SP's form", () => {
    const sumdb = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
    assert.equal(readLogVerifier(sumdb).name, 'sum.golang.org');
    assert.equal(vault.log, log.verifier.text);
    for (const bad of [sumdb.replace('033', '034'), sumdb.slice(0, -4), sumdb.replace('sum', 's um'), '', null]) {
        assert.throws(() => readLogVerifier(bad), ProtocolError);
    }
    assert.throws(() => readWitnessVerifier(sumdb), ProtocolError);
});

test('A key of small order, or in another form than its own, is none', () => {
    const keys = ['00'.repeat(32), `01${'00'.repeat(31)}`, `01${'00'.repeat(30)}80`,
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
        'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
        `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}ff`, 'ff'.repeat(32)];
    for (const key of keys) {
        for (const read of [logVerifier, witnessVerifier]) {
            assert.throws(() => read('name', Buffer.from(key, 'hex')), ProtocolError, key);
        }
    }
});

test('A checkpoint is three lines, an empty one and a signature', () => {
    assert.match(note, new RegExp(`^sat-vault/${me.wallet}\n7\n[A-Za-z0-9+/]{43}=\n\n\u2014 sat-vault/${me.wallet} `
        + '[A-Za-z0-9+/]{91}=\n$'));
    const read = verifyCheckpoint(note, vault);
    assert.deepEqual([read.size, read.root.equals(root)], [7, true]);
    assert.equal(verifyCheckpoint(writeCheckpoint(log, 0, emptyRoot), vault).size, 0);
});

test('A checkpoint of any other form is refused', () => {
    const signed = (body) => joinNote(body, signText(body, log));
    const encoded = root.toString('base64');
    const origin = originOf(me.wallet);
    const bad = {
        'no line feed at the end': note.slice(0, -1),
        'an empty line more': note.replace('\n\n', '\n\n\n'),
        'a leading zero': signed(`${origin}\n07\n${encoded}\n`),
        'a size beyond 2^52': signed(`${origin}\n${2 ** 52 + 1}\n${encoded}\n`),
        'a negative size': signed(`${origin}\n-7\n${encoded}\n`),
        'no padding': signed(`${origin}\n7\n${encoded.slice(0, -1)}\n`),
        'a short root': signed(`${origin}\n7\n${root.subarray(1).toString('base64')}\n`),
        'stray trailing bits': signed(`${origin}\n7\n${encoded.slice(0, -2)}B=\n`),
        'a fourth line': signed(`${text}more\n`),
        'another root of size 0': signed(checkpointText(origin, 0, root)),
        'another origin': signed(checkpointText(originOf('ab'.repeat(32)), 7, root)),
        'a carriage return': note.replaceAll('\n', '\r\n'),
        'a hyphen for the dash': note.replace('\u2014', '-'),
        'no signature': `${text}\n`,
        'seventeen signatures': joinNote(text, ...Array(17).fill(signText(text, log))),
        'more than 2560 bytes': joinNote(text, signText(text, log), `\u2014 w ${'A'.repeat(2400)}\n`),
        'a changed signature': note.replace(/.{8}=\n$/, 'AAAAAAAA=\n'),
        'a good signature and a bad one': note + signText(`${text}x`, log),
        'one signature twice': note + signText(text, log),
        'a signature of another text': joinNote(text, signText(`${text}x`, log)),
        'not a string': null,
    };
    for (const [what, value] of Object.entries(bad)) {
        assert.throws(() => verifyCheckpoint(value, vault), ProtocolError, what);
    }
});

test('A signature by another key under the vault\'s name is none', async () => {
    const other = await makeLogKey();
    const forged = signText(text, { privateKey: other.privateKey, verifier: log.verifier });
    assert.throws(() => verifyCheckpoint(joinNote(text, forged), vault), ProtocolError);
    const named = logVerifier(me.wallet, other.raw);
    assert.throws(() => verifyCheckpoint(joinNote(text, signText(text, { ...other, verifier: named })), vault),
        ProtocolError);
});

test('Lines of unknown keys are passed over', async () => {
    const witness = await makeWitness('witness.example');
    assert.equal(readNote(note + cosignText(text, 1700000000, witness)).signatures.length, 2);
    assert.equal(verifyCheckpoint(note + cosignText(text, 1700000000, witness), vault).size, 7);
});

test('Cosignatures are those of the witnesses, all of them, in order', async () => {
    const [one, two] = [await makeWitness('one.example/w'), await makeWitness('two.example/w')];
    const [first, second] = [one, two].map((witness) => cosignText(text, 1700000000, witness));
    const keys = [one.verifier.text, two.verifier.text];
    assert.equal(verifyWitnessed(note + first + second, vault, keys).size, 7);
    assert.equal(verifyWitnessed(note, vault, []).size, 7);
    const bad = [[note + second + first, keys], [note + first, keys], [note + first + second, keys.slice(0, 1)],
        [note + first + first, keys], [note + first + cosignText(`${text}x`, 1, two), keys],
        [note + first, []], [joinNote(text, first) + signText(text, log), keys.slice(0, 1)]];
    bad.forEach(([value, witnesses], which) =>
        assert.throws(() => verifyWitnessed(value, vault, witnesses), ProtocolError, `${which}`));
});
