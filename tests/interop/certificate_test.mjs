// Certificates made over a connection to this folder's vault, then bent in every part.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { verifyCertificate, writeCertificate } from './certificate.mjs';
import { Client } from './client.mjs';
import { makeLogKey } from './keys.mjs';
import { cosignText, readNote, witnessVerifier, writeCheckpoint } from './note.mjs';
import { testIdentity } from './test_keys.mjs';
import { Vault } from './vault.mjs';
import { ProtocolError, utf8 } from './wire.mjs';

const image = randomBytes(20000);
const fields = (title) => ({
    title, description: '', artist: 'Ann', creation_date: '2024', file_path: 'a.png', media_type: 'image/png', width: 3,
    height: 4, release: 'original',
});
let vault;
let ann;
let bob;
let artwork;
let other;

before(async () => {
    vault = new Vault(testIdentity('vault'));
    const target = { host: '127.0.0.1', port: await vault.listen(), pin: vault.wallet };
    ann = await Client.open({ ...target, me: testIdentity('artist') });
    bob = await Client.open({ ...target, me: testIdentity('collector') });
    ({ artwork } = await ann.register(image, fields('One')));
    ({ artwork: other } = await ann.register(randomBytes(5), fields('Two')));
    const claim = await bob.claim(await bob.work(artwork));
    await bob.accept(await ann.answer(claim, true), 'Bob', '');
    vault.state.hold(artwork, true, 'asked by a court');
    await ann.register(randomBytes(5), fields('Three'));
});
after(async () => {
    await Promise.all([ann, bob].map(({ connection }) => connection.close()));
    await vault.close();
    assert.deepEqual(vault.failures, []);
});

test('A certificate proves an owner without the vault', async () => {
    const made = await verifyCertificate(await bob.certificate(artwork), vault.wallet, image);
    assert.deepEqual([made.artwork, made.owner, made.seq, made.held, made.checkpoint.size],
        [artwork, bob.me.wallet, 1, true, 5]);
    const two = await verifyCertificate(await bob.certificate(other), vault.wallet);
    assert.equal(two.owner, ann.me.wallet);
});

test('A certificate carries its witnesses', async () => {
    const key = await makeLogKey();
    const witness = { privateKey: key.privateKey, verifier: witnessVerifier('w.example', key.raw) };
    const cosigned = (note) => note + cosignText(readNote(note).text, 1700000000, witness);
    const bytes = await bob.certificate(artwork, { cosigned, witnesses: [witness.verifier.text] });
    assert.deepEqual((await verifyCertificate(bytes, vault.wallet)).witnesses, [witness.verifier.text]);
    await assert.rejects(verifyCertificate(await bob.certificate(artwork, { cosigned }), vault.wallet), ProtocolError);
    await assert.rejects(verifyCertificate(
        await bob.certificate(artwork, { witnesses: [witness.verifier.text] }), vault.wallet), ProtocolError);
});

test('A part that is dropped, doubled, swapped or foreign is found', async () => {
    const parts = JSON.parse(await bob.certificate(artwork));
    const foreign = JSON.parse(await ann.certificate(other));
    const swapped = ([first, second, ...rest]) => [second, first, ...rest];
    const changes = {
        'another vault': { vault: parts.identities[0] },
        'no identity': { identities: [] },
        'an identity dropped': { identities: parts.identities.slice(1) },
        'an identity doubled': { identities: [parts.identities[0], ...parts.identities] },
        'identities swapped': { identities: swapped(parts.identities) },
        'no leaves': { leaves: [] },
        'a leaf dropped': { leaves: parts.leaves.slice(0, 2) },
        'the first leaf dropped': { leaves: parts.leaves.slice(1) },
        'a leaf doubled': { leaves: [parts.leaves[0], ...parts.leaves] },
        'leaves swapped': { leaves: swapped(parts.leaves) },
        'a foreign leaf': { leaves: [...parts.leaves, ...foreign.leaves] },
        'foreign leaves': { leaves: foreign.leaves },
        'a foreign head': { head: foreign.head },
        'an older head': { head: vault.state.ledger.head(artwork, 4) },
        'an older checkpoint': { checkpoint: vault.state.ledger.checkpoint(4) },
        'a checkpoint of another tree': { checkpoint: writeCheckpoint(vault.state.ledger.signer, 5, randomBytes(32)) },
        'another index': { leaves: parts.leaves.map((leaf, at) => (at === 0 ? { ...leaf, index: 1 } : leaf)) },
        'a proof cut': { leaves: parts.leaves.map((leaf) => ({ ...leaf, proof: leaf.proof.slice(1) })) },
        'a proof made longer': { leaves: parts.leaves.map((leaf) => ({ ...leaf,
            proof: [...leaf.proof, leaf.proof[0]] })) },
        'a proof of another leaf': {
            leaves: parts.leaves.map((leaf, at) => ({ ...leaf, proof: parts.leaves.at(at - 1).proof })),
        },
        'a witness who did not sign': { witnesses: [parts.checkpoint] },
    };
    await verifyCertificate(writeCertificate(parts), vault.wallet);
    for (const [what, change] of Object.entries(changes)) {
        await assert.rejects(verifyCertificate(writeCertificate({ ...parts, ...change }), vault.wallet), ProtocolError,
            what);
    }
    const bytes = writeCertificate(parts);
    await assert.rejects(verifyCertificate(bytes, ann.me.wallet), ProtocolError, 'another pin');
    await assert.rejects(verifyCertificate(bytes, vault.wallet, randomBytes(20000)), ProtocolError, 'another image');
    const forms = [JSON.stringify(parts, null, 1), `${bytes} `, `${bytes}`.replace('"v":1', '"v":2'),
        `${bytes}`.replace('{"v":1', '{"v":1,"v":1'), `${bytes}`.replace('{"v":1', '{"w":1,"v":1')];
    for (const form of forms) {
        await assert.rejects(verifyCertificate(utf8(form), vault.wallet), ProtocolError);
    }
});

test('No byte of a certificate may change', async () => {
    const bytes = await ann.certificate(other);
    for (let at = 0; at < bytes.length; at += 61) {
        const changed = Buffer.from(bytes);
        changed[at] ^= 1;
        await assert.rejects(verifyCertificate(changed, vault.wallet), ProtocolError, `byte ${at}`);
    }
});
