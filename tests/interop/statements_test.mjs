// Identities, statements and histories: what verifies, and that each contradiction is found.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, test } from 'node:test';
import { checkCharacter } from './envelope.mjs';
import { makeDocument, verifyChain } from './identity.mjs';
import { algorithmOf, readJws, signJws, statementId } from './jws.mjs';
import { makeLogKey, makeRsaKey, spkiOf } from './keys.mjs';
import { leafHash, readLeaf, verifyHistory, writeLeaf } from './ledger.mjs';
import { logVerifier } from './note.mjs';
import { commitText, makeStatement, noteHolds, readStatement, verifyStatement } from './statements.mjs';
import { testIdentity } from './test_keys.mjs';
import { ascii, ProtocolError, sha256, toBase64url, utf8 } from './wire.mjs';

const artwork = `ABCDEFGHJ${checkCharacter('ABCDEFGHJ')}`;
const time = 1700000000;
let ann;
let bob;
let vaultMe;
let vault;

before(async () => {
    [ann, bob, vaultMe] = ['artist', 'collector', 'vault'].map(testIdentity);
    vault = verifyChain(vaultMe.chain, { kind: 'vault' });
});

const chains = () => new Map([ann, bob].map(({ wallet, chain }) => [wallet, verifyChain(chain)]));
const registration = (changed = {}) => makeStatement('register', ann, vault.wallet, {
    artwork, title: 'A', description: '', artist: 'Ann', creation_date: '2024', file_path: 'a.png',
    media_type: 'image/png',
    bytes: 5, width: 3, height: 4, sha256: '0'.repeat(64), release: 'original', preview: null, ...changed,
});

const vaultStatement = (type, fields) => makeStatement(type, vaultMe, vault.wallet, fields);

// A history of a registration and a transfer from Ann to Bob; `changed` alters fields of its statements.
function history(changed = {}, transferTime = time + 10) {
    const first = writeLeaf('register', time, [registration(changed.register)]);
    const of = { artwork, head: leafHash(first), seq: 0 };
    const claim = makeStatement('claim', bob, vault.wallet,
        { ...of, owner: ann.wallet, exp: time + 100, text_commit: null, ...changed.claim });
    const answer = makeStatement('answer', changed.answerer ?? ann, vault.wallet, {
        ...of, claim: statementId(claim), to: bob.wallet, answer: 'yes', exp: time + 50, text_commit: null,
        ...changed.answer,
    });
    const accept = makeStatement('accept', changed.accepter ?? bob, vault.wallet, {
        ...of, claim: statementId(claim), answer: statementId(answer), metadata_commit: '1'.repeat(64),
        ...changed.accept,
    });
    return [first, writeLeaf('transfer', transferTime, [claim, answer, accept])];
}
const verified = (entries) => verifyHistory(entries, vault, async (wallet) => chains().get(wallet));

test('A chain proves its wallet and newest keys', async () => {
    const [nextSign, nextKem] = await Promise.all([makeRsaKey(), makeRsaKey(4096)]);
    const second = (fields = {}, key = ann.sign) => signJws('identity', {
        v: 1, wallet: ann.wallet, kind: 'user', sign: toBase64url(nextSign.spki), kem: toBase64url(nextKem.spki),
        log: null, seq: 1, prev: statementId(ann.chain[0]), iat: time, ...fields,
    }, key);
    const chain = verifyChain([...ann.chain, second()]);
    assert.deepEqual([chain.wallet, chain.kemId, chain.signKeys.size], [ann.wallet, nextKem.id, 2]);
    const bad = [
        [], [ann.chain[0], ann.chain[0]], [second()], [...ann.chain, second({ prev: null })],
        [...ann.chain, second({ seq: 2 })], [...ann.chain, second({}, nextSign)],
        [...ann.chain, second({ kind: 'vault' })],
        [...ann.chain, second({ sign: toBase64url(nextKem.spki) })],
        [...ann.chain, second({ kem: toBase64url(ann.sign.spki) })],
        [...ann.chain, second({ sign: toBase64url(ann.kem.spki) })], [...ann.chain, second({ name: 'Ann' })],
        [...ann.chain, second({ wallet: bob.wallet })],
    ];
    for (const [index, documents] of bad.entries()) {
        assert.throws(() => verifyChain(documents), ProtocolError, `chain ${index}`);
    }
    assert.throws(() => verifyChain(ann.chain, { wallet: bob.wallet }), ProtocolError);
});

test("A vault's log key never changes", async () => {
    const [sign, kem, log] = await Promise.all([makeRsaKey(), makeRsaKey(), makeLogKey()]);
    const named = (key) => logVerifier(vaultMe.wallet, key.raw).text;
    const second = (key) => makeDocument({ sign, kem, log: key }, 'vault',
        { wallet: vaultMe.wallet, seq: 1, prev: statementId(vaultMe.chain[0]), log: named(key) }, vaultMe.sign);
    assert.equal(verifyChain([...vaultMe.chain, second(vaultMe.log)]).log, named(vaultMe.log));
    assert.throws(() => verifyChain([...vaultMe.chain, second(log)]), ProtocolError);
});

test('A key of 2048 bits, of another exponent or of RSASSA-PSS is no identity', () => {
    const keys = [
        generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('rsa-pss', { modulusLength: 3072 }),
        generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 }), generateKeyPairSync('ed25519'),
    ];
    for (const { publicKey } of keys) {
        const document = signJws('identity', {
            v: 1, wallet: ann.wallet, kind: 'user', sign: toBase64url(ann.sign.spki),
            kem: toBase64url(spkiOf(publicKey)),
            log: null, seq: 0, prev: null, iat: time,
        }, ann.sign);
        assert.throws(() => verifyChain([document]), ProtocolError);
    }
});

test('The statement id leaves the signature out', () => {
    const jws = registration();
    const [header, payload] = jws.split('.');
    assert.equal(statementId(jws), sha256(ascii(`${header}.${payload}`)).toString('hex'));
    assert.equal(algorithmOf('receipt'), 'EdDSA');
    assert.equal(algorithmOf('release'), 'EdDSA');
    assert.equal(algorithmOf('register'), 'PS256');
});

test('A statement verifies under its chain only, for its vault only, in its type only', () => {
    const jws = registration();
    const chain = chains().get(ann.wallet);
    assert.equal(verifyStatement(jws, 'register', chain, vault.wallet).payload.title, 'A');
    assert.throws(() => verifyStatement(jws, 'register', chains().get(bob.wallet), vault.wallet), ProtocolError);
    assert.throws(() => verifyStatement(jws, 'register', chain, bob.wallet), ProtocolError);
    assert.throws(() => readJws(jws, 'claim'), ProtocolError);
    assert.throws(() => verifyStatement(`${jws.slice(0, -4)}AAAA`, 'register', chain, vault.wallet), ProtocolError);
    assert.throws(() => readJws(`${jws}=`, 'register'), ProtocolError);
    assert.throws(() => readJws(jws.replace(/\..*\./, `.${toBase64url(utf8('{"v":1,"v":1}'))}.`), 'register'),
        ProtocolError);
});

test('Each limit of a registration is kept', () => {
    const fits = [{ title: '🎨'.repeat(200) }, { description: 'd'.repeat(4000) }, { creation_date: '' },
        { creation_date: '2024-02-29' },
        { creation_date: '1999-12' }, { file_path: 'é'.repeat(127) }, { width: 2 ** 31 - 1 },
        { preview: { sha256: '0'.repeat(64), bytes: 65536, media_type: 'image/jpeg' } }];
    const fails = [{ title: '' }, { title: 'x'.repeat(201) }, { description: 'd'.repeat(4001) },
        { creation_date: '2023-02-29' }, { creation_date: '24' }, { creation_date: '2024-13' },
        { file_path: 'a/b' }, { file_path: '' }, { file_path: '..' }, { file_path: 'a\0' }, { bytes: 2 ** 52 + 1 },
        { file_path: 'é'.repeat(128) }, { media_type: 'image/bmp' },
        { bytes: 0 }, { width: 0 }, { height: 2 ** 31 }, { sha256: 'A'.repeat(64) }, { release: 'no' },
        { preview: { sha256: '0'.repeat(64), bytes: 65537, media_type: 'image/jpeg' } }, { seen: {} }, { more: 1 },
        { artwork: 'ABCDEFGHJK' === artwork ? '0000000001' : 'ABCDEFGHJK' }];
    fits.forEach((fields) => readStatement(registration(fields), 'register'));
    fails.forEach((fields) => assert.throws(() => readStatement(registration(fields), 'register'), ProtocolError,
        JSON.stringify(fields)));
});

test('The log key signs receipts, and a receipt by anybody else is none', () => {
    const fields = { of: '0'.repeat(64), status: 'registered', copies: 2, leaf: '1'.repeat(64) };
    assert.equal(verifyStatement(vaultStatement('receipt', fields), 'receipt', vault, vault.wallet).payload.copies, 2);
    const forged = signJws('receipt', readJws(vaultStatement('receipt', fields), 'receipt').payload, vaultMe.sign);
    assert.throws(() => verifyStatement(forged, 'receipt', vault, vault.wallet), ProtocolError);
});

test('A note is held to its commitment', () => {
    const { salt, text, commit } = commitText('Please');
    assert(noteHolds({ salt, text }, commit) && noteHolds(null, null));
    assert(!noteHolds({ salt, text: 'please' }, commit) && !noteHolds(null, commit));
    assert(!noteHolds({ salt, text }, null));
    const long = commitText('x'.repeat(281));
    assert(!noteHolds({ salt: long.salt, text: long.text }, long.commit));
});

test('A leaf has one form', () => {
    const entry = writeLeaf('hold', 7, ['a.b.c']);
    assert.equal(entry, 'sat-leaf/1\nhold\n7\na.b.c\n');
    assert.equal(leafHash(entry), sha256(Buffer.of(0), ascii(entry)).toString('hex'));
    assert.deepEqual(readLeaf(entry).statements, ['a.b.c']);
    const bad = ['sat-leaf/1\nhold\n07\na\n', 'sat-leaf/1\nhold\n7\na', 'sat-leaf/2\nhold\n7\na\n',
        'sat-leaf/1\nhold\n7\na\nb\n',
        'sat-leaf/1\nlose\n7\na\n', 'sat-leaf/1\nhold\n\na\n', 'sat-leaf/1\nhold\n7\n', '', `${entry}\n`];
    bad.forEach((text) => assert.throws(() => readLeaf(text), ProtocolError, text));
});

test('A history gives the owner, the head and the number of transfers', async () => {
    const entries = history();
    const hold = vaultStatement('hold', { artwork, on: leafHash(entries[1]), reason: 'asked' });
    const release = vaultStatement('release', { artwork, on: leafHash(entries[1]), reason: 'settled' });
    const held = [...entries, writeLeaf('hold', time + 20, [hold])];
    const state = await verified(held);
    assert.deepEqual([state.owner, state.artist, state.head, state.seq, state.held],
        [bob.wallet, ann.wallet, leafHash(entries[1]), 1, true]);
    assert.equal((await verified([...held, writeLeaf('release', time + 30, [release])])).held, false);
    assert.equal((await verified(entries.slice(0, 1))).owner, ann.wallet);
});

test('A history with any broken rule is refused', async () => {
    const other = '9'.repeat(64);
    const good = history();
    const hold = (fields = {}, type = 'hold') => {
        const jws = vaultStatement(type, { artwork, on: leafHash(good[1]), reason: 'r', ...fields });
        return writeLeaf(type, time, [jws]);
    };
    const bad = {
        'empty': [],
        'without registration': good.slice(1),
        'two registrations': [good[0], good[0]],
        'the transfer twice': [...good, good[1]],
        'another head': history({ accept: { head: other } }),
        'another seq': history({ claim: { seq: 1 } }),
        'another owner': history({ claim: { owner: bob.wallet } }),
        'an answer by the collector': history({ answerer: bob }),
        'an acceptance by the owner': history({ accepter: ann }),
        'a no': history({ answer: { answer: 'no', exp: null } }),
        'an answer to another claim': history({ answer: { claim: other } }),
        'an acceptance of another answer': history({ accept: { answer: other } }),
        'an answer to somebody else': history({ answer: { to: ann.wallet } }),
        'a transfer at the deadline': history({}, time + 50),
        'another vault': history({ accept: { vault: other } }),
        'a hold on another head': [...good, hold({ on: other })],
        'two holds': [...good, hold(), hold()],
        'a release of what is not held': [...good, hold({}, 'release')],
        'a transfer while held': [good[0], hold({ on: leafHash(good[0]) }), good[1]],
        'a hold on another work': [...good, hold({ artwork: '0000000000' })],
    };
    for (const [what, entries] of Object.entries(bad)) {
        await assert.rejects(verified(entries), ProtocolError, what);
    }
});
