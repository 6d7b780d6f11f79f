// What docs/protocol.md says a vault refuses, and with which code: refusals.mjs HOST:PORT SHA256:<fingerprint>
// Prints a line for each refusal; ends with 1 and a message at the first that is missing or another.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Client } from './client.mjs';
import { Connection } from './connection.mjs';
import { makeEnvelope, sealStream } from './envelope.mjs';
import { maxHandshakeFrame } from './handshake.mjs';
import { makeIdentity } from './identity.mjs';
import { types } from './records.mjs';
import { CutOff, FrameStream } from './stream.mjs';
import { parseTarget, runProgram } from './program.mjs';
import { ascii, concat, Refused, toBase64url, u16, u32, u8, vec16, zeros } from './wire.mjs';

const { host, port, pin } = parseTarget(process.argv.slice(2));
const day = 86400;
const other = '9'.repeat(64);

async function refused(code, what, promise) {
    const error = await promise.then(() => null, (reason) => reason);
    const got = error?.message ?? 'no error';
    assert(error instanceof Refused && error.code === code, `${what}: expected ${code}, got ${got}`);
    console.log(`${code} ${what}`);
}

const connect = async (me) => new Client(await Connection.open({ host, port, pin, me }), me);
const fields = (changed = {}) => ({
    title: 'Refused', description: '', artist: 'Ann', creation_date: '', file_path: 'r.png', media_type: 'image/png',
    width: 3, height: 4, release: 'original', ...changed,
});

// Sends a frame in clear where CLIENT_HELLO belongs; gives the ALERT's code.
async function alertFor(body) {
    const stream = await FrameStream.dial(host, port);
    await stream.frame(1, maxHandshakeFrame);
    await stream.write([concat(u32(body.length), body)]);
    const answer = await stream.frame(1, maxHandshakeFrame);
    stream.end();
    assert.equal(answer[4], 6, 'the answer is no ALERT');
    return answer.readUInt16BE(5);
}

function hello(kemId, { version = 1, wrapped = randomBytes(384) } = {}) {
    wrapped[0] = 0;     // below any modulus
    return concat(u8(3), ascii('SATP'), u8(version), u8(0), u16(1), kemId, randomBytes(32), vec16(wrapped),
        vec16(randomBytes(900)));
}

async function handshakes(vault) {
    const kemId = Buffer.from(vault.kemId, 'hex');
    const cases = [
        [3, 'a frame of another type', concat(u8(5), vec16(zeros(60)))], [4, 'version 2', hello(kemId, { version: 2 })],
        [1, 'a frame of no bytes', zeros(0)], [1, 'a CLIENT_HELLO that ends too early', hello(kemId).subarray(0, 60)],
        [5, 'another vault key', hello(randomBytes(32))], [6, 'a wrapped secret of nobody', hello(kemId)],
    ];
    for (const [code, what, body] of cases) {
        assert.equal(await alertFor(body), code, what);
        console.log(`ALERT ${code} ${what}`);
    }
}

// Breaks a rule on a connection of its own, which the vault has to close without an answer.
async function closed(me, what, breakRule) {
    const client = await connect(me);
    await breakRule(client).catch(() => {});
    await client.connection.reading;
    assert(client.connection.over instanceof CutOff, `${what}: ${client.connection.over}`);
    console.log(`closed: ${what}`);
}

async function brokenRules(me) {
    const send = (flaw) => ({ connection: { sender, stream } }) => {
        const frames = flaw(sender);
        return stream.write(frames);
    };
    await closed(me, 'a record that does not open', send((sender) => {
        const [frame] = sender.message(types.ping, zeros(0));
        frame[10] ^= 1;
        return [frame];
    }));
    await closed(me, 'a record of an unknown type', send((sender) => [sender.record(0x15, 0, zeros(0))]));
    await closed(me, 'an unknown flag', send((sender) => [sender.record(types.ping, 2, zeros(0))]));
    await closed(me, 'an EVENT from a client', send((sender) => [sender.record(types.event, 0, ascii('{}'))]));
    await closed(me, 'a message that is interrupted', send((sender) =>
        [sender.record(types.request, 1, ascii('{')), sender.record(types.ping, 0, zeros(0))]));
    await closed(me, 'JSON with a name twice', send((sender) =>
        sender.message(types.request, ascii('{"m":"artwork.list","p":{"limit":1,"limit":1}}'))));
    await closed(me, 'DATA without an upload', send((sender) => sender.message(types.data, zeros(17))));
    await closed(me, 'an upload that ends before its stream', (client) =>
        spoiledUpload(client, randomBytes(70000), ({ header, pieces }) => ({ header, pieces: pieces.slice(0, 1) })));
    await closed(me, 'an upload with a short DATA in its middle', (client) =>
        spoiledUpload(client, randomBytes(70000), ({ header, pieces: [first, last] }) =>
            ({ header, pieces: [first.subarray(0, 16400), first.subarray(16400), last] })));
}

async function requests(client, artwork) {
    for (const method of ['checkpoint', 'inclusion', 'consistency', 'entries']) {
        await refused(100, `ledger.${method}`, client.request(`ledger.${method}`, {}));
    }
    await refused(100, 'a member too many', client.request('artwork.get', { artwork, more: 1 }));
    await refused(100, 'a member too few', client.request('artwork.get', {}));
    await refused(100, 'a list of 51', client.request('artwork.list', { limit: 51 }));
    await refused(100, 'a fetch within a chunk', client.request('artwork.fetch', { artwork, offset: 1 }));
    await refused(100, 'a fetch beyond the end', client.request('artwork.fetch', { artwork, offset: 16400 }));
    await refused(101, 'a work that is not there', client.request('artwork.get', { artwork: '0000000000' }));
    await refused(101, 'a claim that is not there', client.request('claim.get', { claim: other }));
}

// An upload whose header and chunks `change` may spoil; gives what upload.data answers.
async function spoiledUpload(client, bytes, change) {
    const { artwork } = await client.request('upload.begin', { bytes: bytes.length, media_type: 'image/png' });
    const envelope = makeEnvelope(artwork, bytes.length, client.vault);
    const spoiled = change({ header: Buffer.from(envelope.header), pieces: [...sealStream(envelope.keys, bytes)] });
    return client.connection.upload('upload.data', { header: toBase64url(spoiled.header) }, spoiled.pieces);
}

async function uploads(client) {
    const bytes = randomBytes(70000);
    const flip = (buffer, at) => {
        buffer[at] ^= 1;
    };
    const tooLarge = { bytes: client.connection.limits.artwork_bytes + 1, media_type: 'image/png' };
    await refused(104, 'an upload beyond the limit', client.request('upload.begin', tooLarge));
    const spoils = {
        'another commitment': ({ header, pieces }) => (flip(header, header.length - 1), { header, pieces }),
        'another wrapping': ({ header, pieces }) => (flip(header, 200), { header, pieces }),
        'a changed chunk': ({ header, pieces }) => (flip(pieces[0], 20000), { header, pieces }),
        'a changed last chunk': ({ header, pieces }) => (flip(pieces[1], 100), { header, pieces }),
    };
    for (const [what, change] of Object.entries(spoils)) {
        await refused(111, `an upload with ${what}`, spoiledUpload(client, bytes, change));
    }
    const registration = async (changed) => {
        const { artwork } = await client.request('upload.begin', { bytes: bytes.length, media_type: 'image/png' });
        await client.uploadData(artwork, bytes);
        return client.registration(artwork, bytes, fields(changed));
    };
    await refused(112, 'a registration of other bytes', client.commit(await registration({ sha256: other })));
    await refused(116, 'a seen that is not null',
        client.commit(await registration({ seen: { size: 1, root: other } })));
    await refused(108, 'a registration with a member too many', client.commit(await registration({ more: 1 })));
    await refused(108, 'a registration with no title', client.commit(await registration({ title: '' })));
    const good = await registration({});
    await refused(107, 'a registration with a bad signature', client.commit(good.slice(0, -8) + 'AAAAAAAA'));
    await refused(113, 'a second commit, the upload being dropped with the first', client.commit(good));
}

async function claims(owner, bob, cyn, artwork) {
    const work = await bob.work(artwork);
    const open = (client, changed) => client.request('claim.open', { claim: client.claimStatement(work, changed) });
    const now = owner.connection.vaultNow();
    await refused(102, "a claim on one's own work", open(owner));
    await refused(105, 'a claim on another head', open(bob, { head: other }));
    await refused(105, 'a claim on another seq', open(bob, { seq: 1 }));
    await refused(105, 'a claim to another owner', open(bob, { owner: cyn.me.wallet }));
    await refused(106, 'a claim whose deadline has passed', open(bob, { exp: now }));
    await refused(108, 'a claim of more than 30 days', open(bob, { exp: now + 30 * day + 60 }));
    await refused(108, 'a claim with a member too many', open(bob, { more: 1 }));
    const claimed = await bob.claim(work, 'first');
    const repeated = await bob.request('claim.get', { claim: claimed.claim.id });
    assert.equal(repeated.claim, claimed.shown.claim);
    await refused(113, 'a second claim by one wallet', open(bob));
    const rival = await cyn.claim(work);
    await refused(101, 'a claim of other people', cyn.request('claim.get', { claim: claimed.claim.id }));

    const answer = (client, to, yes, changed) =>
        client.request('claim.answer', { answer: client.answerStatement(to, yes, changed) });
    await refused(114, 'an answer by somebody who is not the owner', answer(bob, claimed, true));
    await refused(114, 'the same, whatever claim it names', answer(cyn, claimed, true, { claim: other }));
    await refused(101, 'an answer to no claim', answer(owner, claimed, true, { claim: other }));
    await refused(105, 'an answer at another head', answer(owner, claimed, true, { head: other }));
    await refused(108, 'an answer to somebody else', answer(owner, claimed, true, { to: cyn.me.wallet }));
    await refused(108, 'a yes of more than 7 days', answer(owner, claimed, true, { exp: now + 7 * day + 60 }));
    await refused(106, 'a yes whose deadline has passed', answer(owner, claimed, true, { exp: now }));

    const yes = await owner.answer(claimed, true);
    await refused(113, 'a yes to a second claim', answer(owner, rival, true));
    await refused(113, 'a second yes', answer(owner, claimed, true));
    const params = bob.acceptance(yes, 'Bob', 'by the river');
    await refused(112, 'metadata that is not the one committed to',
        bob.request('claim.accept', { ...params, metadata: params.metadata.replace('river', 'sea') }));
    await refused(108, 'an acceptance of another answer', bob.request('claim.accept',
        bob.acceptance({ ...yes, answer: { ...yes.answer, id: other } }, 'Bob', '')));
    await bob.request('claim.subscribe', {});
    await cyn.request('claim.subscribe', {});
    await bob.accept(yes, 'Bob', '');
    const { p } = await cyn.connection.event((name, q) => name === 'claim.changed' && q.state === 'superseded');
    assert.equal((await cyn.verifyClaim(p)).claim.id, rival.claim.id, 'another claim was superseded');
    await refused(115, 'a withdrawal of a superseded claim', cyn.withdraw(rival));
    await refused(113, 'a withdrawal of a completed claim', bob.withdraw(claimed));
    await refused(114, "a former owner's answer to a superseded claim", answer(owner, rival, true));
    await refused(105, 'a claim on a head that has moved', open(cyn));
    const { claim, claim_text: text } = claimed.shown;
    const again = await bob.request('claim.open', { claim, text });
    assert.equal(again.state, 'completed', 'a repeated claim got something else');
    const repeatedYes = await owner.request('claim.answer', { answer: yes.shown.answer });
    assert.equal(repeatedYes.answer, yes.shown.answer, 'a repeated answer got something else');
    console.log('repeats: a claim and an answer got the recorded outcome');
}

async function previews(artist, bob) {
    const { artwork } = await artist.register(randomBytes(5), fields({ release: 'preview' }));
    const work = await bob.work(artwork);
    await refused(102, 'the image of a work that shows a preview', bob.fetch(work));
    await artist.fetch(work);
    assert.equal(await bob.preview(work), null);
}

async function run() {
    const [ann, bob, cyn] = await Promise.all(['ann', 'bob', 'cyn'].map(() => makeIdentity()));
    const clients = [await connect(ann), await connect(bob), await connect(cyn)];
    const { artwork } = await clients[0].register(randomBytes(1), fields());
    await handshakes(clients[0].vault);
    await brokenRules(cyn);
    await requests(clients[0], artwork);
    await uploads(clients[0]);
    await claims(...clients, artwork);
    await previews(clients[0], clients[1]);
    await Promise.all(clients.map(({ connection }) => connection.close()));
}

await runProgram('refusals', run);
