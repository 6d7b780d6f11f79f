// The eleven steps against a running vault, by this second implementation:
//   eleven_steps.mjs HOST:PORT SHA256:<fingerprint>
// Prints a line for each step; ends with 1 and a message at the first contradiction. The vault needs to be a fresh one.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { verifyCertificate } from './certificate.mjs';
import { Client } from './client.mjs';
import { chunkCount, chunkSealed } from './envelope.mjs';
import { makeIdentity, rekeyed } from './identity.mjs';
import { makeRsaKey } from './keys.mjs';
import { leafHash } from './ledger.mjs';
import { inclusionProof, rootOf, verifyConsistency } from './merkle.mjs';
import { parseTarget, runProgram } from './program.mjs';
import { testIdentity } from './test_keys.mjs';
import { nameBytes, Refused } from './wire.mjs';

const sizes = [1, 16384, 70000, 1000000];
const previewBytes = 65536;
const { host, port, pin } = parseTarget(process.argv.slice(2));

const say = (step, text) => console.log(`step ${step} ${text}`);
const connect = (me, rekeyAfter) => Client.open({ host, port, pin, me, rekeyAfter });

async function refusedWith(code, promise) {
    const error = await promise.then(() => null, (reason) => reason);
    const got = error?.message ?? 'a success';
    assert(error instanceof Refused && error.code === code, `expected code ${code}, got ${got}`);
}

const fieldsFor = (bytes) => ({
    title: `Interop study of ${bytes} bytes`, description: 'Random, and as good as any', artist: 'Zoë Brandström',
    creation_date: '2024-02-29', file_path: `study-${bytes}.png`, media_type: 'image/png', width: 3, height: 4,
    release: 'original',
});

async function run() {
    const [ann, bob] = [await makeIdentity(), testIdentity('collector')];      // keys made, and keys loaded
    say(1, `two identities: ${ann.wallet.slice(0, 8)} (3072), ${bob.wallet.slice(0, 8)} (kem 4096)`);

    const artist = await connect(ann, 3);       // rekeys every three records, also within an upload
    await artist.connection.ping();
    say(2, `connected to ${artist.vault.wallet.slice(0, 8)}, its clock ${artist.connection.ext.time}, `
        + `${artist.connection.limits.artwork_bytes} bytes at most`);

    const works = sizes.map((size) => ({ image: randomBytes(size), fields: fieldsFor(size) }));
    const preview = randomBytes(previewBytes);
    say(3, `metadata for ${works.length} works`);

    for (const work of works) {
        work.made = await artist.register(work.image, work.fields, work.image.length === 70000 ? preview : null);
    }
    say(4, `uploaded ${sizes.join(', ')} bytes over ${artist.connection.sender.epochs + 1} epochs`);
    const own = await artist.work(works[0].made.artwork);
    assert.equal(own.origin.sender_port, artist.connection.localPort, 'the origin is not the port of the upload');
    assert.equal(await artist.commit(works[0].made.registration), works[0].made.receipt,
        'a repeat got another receipt');
    say(5, `registered ${works.map(({ made }) => made.artwork).join(' ')}, receipts and leaves verified`);

    const collector = await connect(bob, 7);
    say(6, 'the collector connected');

    await browse(collector, works, ann);
    say(7, `browsed ${works.length} works by page, word, artist and owner; registrations and histories verified`);

    const found = [];
    for (const work of works) {
        const shown = await collector.work(work.made.artwork);
        assert(work.image.equals(await collector.fetch(shown)), 'the image fetched is another one');
        const last = chunkCount(work.image.length) - 1;
        assert(work.image.subarray(last * 16384).equals(await collector.fetch(shown, last)), 'a resumed fetch differs');
        const seen = await collector.preview(shown);
        assert(seen === null ? work.image.length !== 70000 : seen.equals(preview), 'the preview is another one');
        assert.equal(shown.origin, null, 'somebody else is told the origin');
        found.push(shown);
    }
    assert(collector.connection.receiver.continued > 0, 'no RESPONSE was long enough to go on in a second record');
    await artist.request('claim.subscribe', {});
    await collector.request('claim.subscribe', {});
    const opened = await collector.claim(found[3], 'May I have it? — Bob');
    assert.equal(opened.state, 'pending');
    say(8, `fetched and verified all, resumed at chunk offsets of ${chunkSealed}, claimed ${found[3].artwork}`);

    const told = await artist.connection.event((name) => name === 'claim.opened');
    const asked = await artist.verifyClaim(told.p);
    assert.equal(asked.claim.id, opened.claim.id, 'the event is of another claim');
    const inbox = await artist.request('claim.inbox', {});
    assert.deepEqual(inbox.items, [told.p], 'inbox and event differ');
    say(9, `the owner heard of it: "${told.p.claim_text.text}"`);

    const confirmed = await artist.answer(asked, true, 'With pleasure');
    assert.equal(confirmed.state, 'confirmed');
    const heard = await collector.connection.event((name, p) => name === 'claim.changed' && p.state === 'confirmed');
    const yes = await collector.verifyClaim(heard.p);
    say(10, `the owner said yes: "${heard.p.answer_text.text}", to be accepted by ${heard.p.answer_by}`);

    const done = await collector.accept(yes, 'Bob', 'bob@example.org');
    assert.deepEqual([done.history.seq, done.history.owner, done.history.artist], [1, bob.wallet, ann.wallet]);
    await artist.connection.event((name, p) => name === 'claim.changed' && p.state === 'completed');
    const repeated = await collector.request('claim.accept', done.params);
    assert.equal(repeated.receipt, done.receipt, 'a repeated acceptance got another receipt');
    assert((await collector.work(found[3].artwork)).owner === bob.wallet, 'the work has another owner');
    say(11, `accepted; receipt (copies: ${done.payload.copies}) and history (leaves: ${done.history.leaves.length}) `
        + 'verified');

    const newer = await withNewKeys(bob, collector);
    assert(works[3].image.equals(await newer.fetch(await newer.work(found[3].artwork))), 'the image fetched is another');
    await afterwards(artist, newer, asked, found[3].artwork);
    await proofs(newer, found[3].artwork, works[3].image);
    await Promise.all([artist.connection.close(), newer.connection.close()]);
}

/** A wallet comes back with a chain of two documents; the old keys, and the connection they opened, are worth nothing. */
async function withNewKeys(me, before) {
    const [sign, kem] = await Promise.all([makeRsaKey(3072), makeRsaKey(3072)]);
    const client = await connect(rekeyed(me, { sign, kem }));
    await client.request('claim.subscribe', {});
    await assert.rejects(before.request('claim.mine', {}), 'a connection of replaced keys was served on');
    await assert.rejects(connect(me).then((late) => late.request('claim.mine', {})), 'replaced keys came in');
    const { identities } = await client.request('identity.get', { wallets: [me.wallet] });
    assert.equal(identities[0].length, 2);
    say(1, 'again: new keys, one document more; the old ones are refused');
    return client;
}

async function browse(client, works, artist) {
    const names = works.map(({ made }) => made.artwork).reverse();
    const pages = [await client.list({}, 1), await client.list({ owner: artist.wallet }, 3),
        await client.list({ artist: 'ZOË brandström' }), await client.list({ text: 'interop STUDY' })];
    for (const page of pages) {
        assert.deepEqual(page.map(({ artwork }) => artwork), names, 'a list is not all works, newest first');
    }
    const one = await client.list({ text: 'study 70000', artist: null });
    assert.deepEqual(one.map(({ payload }) => payload.bytes), [70000], 'a search found something else');
    assert.deepEqual(await client.list({ text: 'nowhere' }), [], 'a search found what is not there');
    const { identities } = await client.request('identity.get', { wallets: [artist.wallet, '0'.repeat(64)] });
    assert.deepEqual(identities, [artist.chain, null], 'identity.get gave something else');
}

/** What the ledger proves to somebody who has read it all, and what a certificate proves to everybody else. */
async function proofs(client, artwork, image) {
    const entries = await client.entries();
    const { size, root } = await client.checkpoint();
    const hashes = entries.map((entry) => nameBytes(leafHash(entry)));
    assert.equal(size, entries.length, 'the newest checkpoint is of another size');
    assert(rootOf(hashes).equals(root), "the checkpoint's root is not that of the entries");
    for (const [index, entry] of entries.entries()) {
        const proved = await client.view.prove(leafHash(entry), client.ask);
        assert.deepEqual(proved, { index, proof: inclusionProof(hashes, index).map((node) => node.toString('hex')) });
    }
    for (let old = 0; old <= size; ++old) {
        const { proof } = await client.request('ledger.consistency', { old, size });
        verifyConsistency({ oldSize: old, oldRoot: rootOf(hashes, 0, old), size, root, proof: proof.map(nameBytes) });
    }
    const certificate = await client.certificate(artwork);
    const made = await verifyCertificate(certificate, client.vault.wallet, image);
    assert.equal(made.owner, client.me.wallet, 'the certificate names another owner');
    const before = await client.head(artwork, size - 1);
    assert.deepEqual([before.payload.seq, before.payload.size], [0, size - 1], 'an earlier head is another one');
    console.log(`ledger: ${size} leaves, all proofs, an earlier head, a certificate of ${certificate.length} bytes`);
}

/** What must no longer go, and the two other ends of a claim. */
async function afterwards(former, owner, asked, artwork) {
    await refusedWith(114, former.request('claim.answer', { answer: former.answerStatement(asked, true) }));
    say(10, "again: the former owner's new answer was refused with 114");

    const declined = await former.claim(await former.work(artwork), 'May I have it back?');
    const { p } = await owner.connection.event((name) => name === 'claim.opened');
    assert.equal((await owner.answer(await owner.verifyClaim(p), false, 'No')).state, 'declined');
    const heard = await former.connection.event((name, q) => name === 'claim.changed' && q.state === 'declined');
    assert.equal((await former.verifyClaim(heard.p)).claim.id, declined.claim.id);
    say(10, 'again: the new owner said no, and the claim is declined');

    const second = await former.claim(await former.work(artwork));
    assert.equal((await former.withdraw(second)).state, 'withdrawn');
    const { p: gone } = await owner.connection.event((name, q) => name === 'claim.changed' && q.state === 'withdrawn');
    assert.equal((await owner.verifyClaim(gone)).claim.id, second.claim.id);
    const mine = await former.request('claim.mine', { artwork });
    assert.deepEqual(mine.items.map(({ state }) => state), ['withdrawn', 'declined'],
        'claim.mine shows something else');
    say(8, 'again: a second claim was withdrawn');
}

await runProgram('eleven_steps', run);
