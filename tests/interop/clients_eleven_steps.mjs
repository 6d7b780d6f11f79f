// The eleven steps by the project's own clients against this folder's vault:
//   clients_eleven_steps.mjs SAT_ARTIST SAT_COLLECTOR IMAGE
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { verifyCertificate } from './certificate.mjs';
import { Client } from './client.mjs';
import { makeLogKey } from './keys.mjs';
import { cosignText, readNote, witnessVerifier } from './note.mjs';
import { runProgram } from './program.mjs';
import { runClient, vaultOptions } from './programs.mjs';
import { testIdentity } from './test_keys.mjs';
import { Vault } from './vault.mjs';

const [artistProgram, collectorProgram, image] = process.argv.slice(2).map((path) => resolve(path));
const say = (step, text) => console.log(`${step === 'ledger' ? '' : 'step '}${step} ${text}`);

/** A wallet with a home of its own; each call is one run of the program, which has to succeed. */
function person(program, home, options) {
    return async (...args) => {
        const { code, value, stderr } = await runClient(program, home, [...options, ...args], { cwd: tmpdir() });
        assert.equal(code, 0, `${args[0]} ended with ${code}: ${stderr}`);
        assert.equal(value.ok, true);
        return value.data;
    };
}

async function steps(vault, folder) {
    const options = vaultOptions(await vault.listen(), vault.wallet);
    const ann = person(artistProgram, join(folder, 'artist'), options);
    const bob = person(collectorProgram, join(folder, 'collector'), options);
    const [artist, collector] = await Promise.all([ann('init', '--no-passphrase', '--name', 'Ann'),
        bob('init', '--no-passphrase', '--name', 'Bob', '--contact', 'bob@example.org')]);
    say(1, `two homes: ${artist.wallet.slice(0, 8)}, ${collector.wallet.slice(0, 8)}`);

    const work = await ann('upload', image, '--title', 'Of another hand', '--artist', 'Zoë',
        '--created', '2024-02-29');
    assert.equal(vault.state.ledger.size, 1);
    assert.equal(work.copies, 1);
    say(5, `connected, sealed, uploaded and registered ${work.id}`);

    const { items } = await bob('browse', 'HAND another');
    assert.deepEqual(items.map(({ id }) => id), [work.id]);
    assert.equal((await bob('show', work.id)).sha256, work.sha256);
    say(7, 'browsed');

    const file = join(folder, 'fetched');
    assert.equal((await bob('request', work.id, '-o', file)).verified, true);
    assert(readFileSync(file).equals(readFileSync(image)), 'another image was fetched');
    const waiting = bob('claim', work.id, '--message', 'May I?', '--wait', '40');
    say(8, 'fetched the image, claimed it');

    let inbox = [];
    for (let tries = 0; inbox.length === 0 && tries < 100; ++tries) {
        inbox = (await ann('inbox')).items;
    }
    assert.deepEqual([inbox[0]?.artwork, inbox[0]?.from, inbox[0]?.state], [work.id, collector.wallet, 'pending']);
    say(9, 'the claim lies in the inbox');
    assert.equal((await ann('confirm', work.id)).state, 'confirmed');
    say(10, 'the owner said yes');
    assert.equal((await waiting).state, 'completed');
    const owned = await bob('list');
    assert.deepEqual(owned.items.map(({ id, owner }) => [id, owner]), [[work.id, collector.wallet]]);
    const { items: owners } = await ann('history', work.id);
    assert.deepEqual(owners.map(({ owner, verified }) => [owner, verified]),
        [[artist.wallet, true], [collector.wallet, true]]);
    say(11, 'accepted; the history names both owners');

    const newer = await bob('rekey');
    assert.deepEqual([newer.wallet, newer.documents, newer.told], [collector.wallet, 2, true]);
    assert.equal(vault.state.identities.get(collector.wallet).chain.length, 2);
    assert.equal((await bob('request', work.id, '-o', join(folder, 'again'))).verified, true);
    say(1, 'again: the new owner has new keys, and this vault knows');

    await afterwards(bob, person(collectorProgram, join(folder, 'second'), options), work.id);
    assert.equal(vault.state.works.get(work.id).seq, 1);
    await certificates(vault, bob, work.id, folder);
}

/** A certificate that the program made is verified here, one that was made here by the program. */
async function certificates(vault, owner, artwork, folder) {
    const bytes = readFileSync(image);
    const theirs = join(folder, 'theirs.json');
    await owner('certificate', artwork, '-o', theirs);
    const { seq } = await verifyCertificate(readFileSync(theirs), vault.wallet, bytes);
    const [host, port] = ['127.0.0.1', vault.server.address().port];
    const client = await Client.open({ host, port, pin: vault.wallet, me: testIdentity('artist') });
    const key = await makeLogKey();
    const witness = { privateKey: key.privateKey, verifier: witnessVerifier('witness.example', key.raw) };
    const ours = join(folder, 'ours.json');
    writeFileSync(ours, await client.certificate(artwork, {
        cosigned: (note) => note + cosignText(readNote(note).text, 1700000000, witness),
        witnesses: [witness.verifier.text],
    }));
    await client.connection.close();
    await owner('verify', ours, '--image', image, '--witness', witness.verifier.text);
    assert.equal(seq, 1);
    say('ledger', 'certificates of either side, verified by the other');
}

/** The two other ends of a claim: declined by the new owner, withdrawn by who made it. */
async function afterwards(owner, second, artwork) {
    await second('init', '--no-passphrase', '--name', 'Cyn');
    await second('claim', artwork, '--wait', '0').catch(({ message }) => assert.match(message, /ended with 11/));
    assert.equal((await owner('decline', artwork, '--reason', 'Not now')).state, 'declined');
    await second('claim', artwork, '--wait', '0').catch(({ message }) => assert.match(message, /ended with 11/));
    assert.equal((await second('withdraw', artwork)).state, 'withdrawn');
    assert.deepEqual((await owner('inbox')).items, []);
    say(10, 'again: a claim was declined, another withdrawn');
}

async function run() {
    const folder = mkdtempSync(join(tmpdir(), 'sat-interop-'));
    const vault = new Vault(testIdentity('vault'));
    try {
        await steps(vault, folder);
        assert.deepEqual(vault.failures, []);
    } finally {
        await vault.close();
        rmSync(folder, { recursive: true });
    }
}

await runProgram('clients_eleven_steps', run);
