// Misbehaviours of an artist: streams, envelopes, registrations.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { makeEnvelope, sealStream } from './envelope.mjs';
import { codeOfForgery, forgeries } from './forgery.mjs';
import { vaultKemLabel } from './handshake.mjs';
import { readJws } from './jws.mjs';
import { encap, sealOaep } from './keys.mjs';
import { types } from './records.mjs';
import { makeStatement } from './statements.mjs';
import { registrationFields } from './vault_world.mjs';
import { ascii, concat, label, nameBytes, toBase64url, u64, utf8, zeros } from './wire.mjs';

const png = 'image/png';
const image = randomBytes(70000);
const nothing = '9'.repeat(64);

const begin = (client, bytes = image) => client.request('upload.begin', { bytes: bytes.length, media_type: png });

/** An upload whose header and pieces `change` may spoil; what upload.data answers. */
async function spoiled(client, change, bytes = image) {
    const { artwork } = await begin(client, bytes);
    const envelope = makeEnvelope(artwork, bytes.length, client.vault);
    const parts = { header: Buffer.from(envelope.header), pieces: [...sealStream(envelope.keys, bytes)], artwork,
        envelope };
    const { header, pieces } = { ...parts, ...change(parts) };
    return client.connection.upload('upload.data', { header: toBase64url(header) }, pieces);
}

const flip = (bytes, at) => {
    const changed = Buffer.from(bytes);
    changed[at < 0 ? bytes.length + at : at] ^= 1;
    return changed;
};
const put = (bytes, at, part) => concat(bytes.subarray(0, at), part, bytes.subarray(at + part.length));

function envelopeCases(world) {
    const cyn = world.cyn;
    const { vault } = cyn;
    const wrappedAs = (purpose) => ({ header, artwork, envelope }) => {
        const bound = label(purpose, concat(ascii(artwork), nameBytes(vault.wallet)));
        return { header: put(header, 98, sealOaep(vault.kem, envelope.dek, bound)) };
    };
    const spoil = (name, change) => [111, `an envelope with ${name}`, () => spoiled(cyn, change)];
    return [
        spoil('another magic', ({ header }) => ({ header: put(header, 0, ascii('SATF')) })),
        spoil('version 2', ({ header }) => ({ header: flip(header, 4) })),
        spoil('suite 0', ({ header }) => ({ header: flip(header, 5) })),
        spoil('another artwork', ({ header }) => ({ header: put(header, 8, ascii(world.work)) })),
        spoil('reserved bytes that are set', ({ header }) => ({ header: flip(header, 20) })),
        spoil('another plaintext length', ({ header }) => ({ header: put(header, 24, u64(69999)) })),
        spoil('another recipient', ({ header }) => ({ header: put(header, 32, nameBytes(world.me.ann.wallet)) })),
        spoil("the recipient's sign key", ({ header }) => ({ header: put(header, 64, nameBytes(vault.wallet)) })),
        spoil('another wrapping', ({ header }) => ({ header: flip(header, 200) })),
        spoil('another salt', ({ header }) => ({ header: flip(header, -40) })),
        spoil('another commitment', ({ header }) => ({ header: flip(header, -1) })),
        [100, 'an envelope with a header cut short',
            () => spoiled(cyn, ({ header }) => ({ header: header.subarray(0, 537) }))],
        [100, 'an envelope with no header', () => spoiled(cyn, () => ({ header: zeros(0) }))],
        [100, 'an envelope with a header of 667 bytes',
            () => spoiled(cyn, ({ header }) => ({ header: concat(header, zeros(667)).subarray(0, 667) }))],
        spoil('a header with a tail', ({ header }) => ({ header: concat(header, zeros(1)) })),
        spoil('a wrapping labelled for the store', wrappedAs('SAT/1 store')),
        spoil('a wrapping labelled for a session', ({ header, envelope }) => ({
            header: put(header, 98, sealOaep(vault.kem, envelope.dek, vaultKemLabel(nameBytes(vault.wallet)))),
        })),
        spoil("a victim's recorded session secret as its wrapping", ({ header }) => ({
            header: put(header, 98, encap(vault.kem, vaultKemLabel(nameBytes(vault.wallet))).ciphertext),
        })),
        spoil('a wrapping of another artwork', ({ header, envelope }) => ({
            header: put(header, 98, sealOaep(vault.kem, envelope.dek,
                label('SAT/1 env', concat(ascii(world.work), nameBytes(vault.wallet))))),
        })),
        spoil('a changed chunk', ({ pieces: [first, last] }) => ({ pieces: [flip(first, 20000), last] })),
        spoil('a changed tag', ({ pieces: [first, last] }) => ({ pieces: [flip(first, 16399), last] })),
        spoil('a changed last chunk', ({ pieces: [first, last] }) => ({ pieces: [first, flip(last, 100)] })),
        spoil('two chunks swapped', ({ pieces: [first, last] }) => ({
            pieces: [concat(first.subarray(16400, 32800), first.subarray(0, 16400), first.subarray(32800)), last],
        })),
        spoil('one chunk twice',
            ({ pieces: [first, last] }) => ({ pieces: [put(first, 16400, first.subarray(0, 16400)), last] })),
        spoil('the chunks of another upload', ({ pieces }) => ({
            pieces: [...sealStream(makeEnvelope(world.work, image.length, vault).keys, image)].slice(0, pieces.length),
        })),
    ];
}

/** Streams that break the rules of DATA: a connection each, which has to be closed. */
function streamCases(world) {
    const broken = (name, send) => ['closed', name, () => world.onConnection('cyn', async (connection) => {
        const client = { connection, vault: connection.vault, request: (...args) => connection.request(...args) };
        const { artwork } = await begin(client);
        const envelope = makeEnvelope(artwork, image.length, client.vault);
        await connection.send(types.request,
            utf8(JSON.stringify({ m: 'upload.data', p: { header: toBase64url(envelope.header) } })));
        for (const [type, body] of send([...sealStream(envelope.keys, image)])) {
            await connection.send(type, body);
        }
    })];
    const data = (...pieces) => pieces.map((piece) => [types.data, piece]);
    const end = (bytes) => [[types.dataEnd, u64(bytes)]];
    const whole = image.length + 5 * 16;
    return [
        broken('an upload that ends before its stream', ([first]) => [...data(first), ...end(first.length)]),
        broken('an upload of no DATA', () => end(0)),
        broken('a short DATA in the middle', ([first, last]) =>
            [...data(first.subarray(0, 16400), first.subarray(16400), last), ...end(whole)]),
        broken('a last DATA that is too long',
            ([first, last]) => [...data(first, concat(last, zeros(1))), ...end(whole + 1)]),
        broken('DATA after the stream', ([first, last]) => [...data(first, last, zeros(16)), ...end(whole + 16)]),
        broken('a DATA without bytes', ([first]) => [...data(first, zeros(0))]),
        broken('a DATA_END that tells more', (pieces) => [...data(...pieces), ...end(whole + 1)]),
        broken('a DATA_END that tells less', (pieces) => [...data(...pieces), ...end(whole - 1)]),
        broken('a DATA_END of seven bytes', (pieces) => [...data(...pieces), [types.dataEnd, zeros(7)]]),
        broken('an EVENT within a stream', ([first]) => [...data(first), [types.event, utf8('{}')]]),
    ];
}

function orderCases(world) {
    const cyn = world.cyn;
    const header = (artwork) => toBase64url(makeEnvelope(artwork, image.length, cyn.vault).header);
    const registration = (artwork) => makeStatement('register', world.me.cyn, cyn.vault.wallet,
        registrationFields({ artwork, bytes: 70000, sha256: nothing, preview: null }));
    return [
        [113, 'DATA of an upload that was not begun', async () => {
            const fresh = await world.connect('cyn');
            try {
                await fresh.connection.upload('upload.data', { header: header(world.work) }, []);
            } finally {
                await fresh.connection.close();
            }
        }],
        [113, 'a commit of an upload that was not begun', () => cyn.commit(registration(world.work))],
        [113, 'a commit before the data', async () => cyn.commit(registration((await begin(cyn)).artwork))],
        [113, 'a commit of an upload that another connection made', async () => {
            const { artwork } = await begin(cyn);
            await cyn.uploadData(artwork, image);
            const fresh = await world.connect('cyn');
            try {
                await fresh.commit(fresh.registration(artwork, image, registrationFields()));
            } finally {
                await fresh.connection.close();
            }
        }],
        [113, 'a good commit after a refused one', async () => {
            const { artwork } = await begin(cyn);
            await cyn.uploadData(artwork, image);
            const good = cyn.registration(artwork, image, registrationFields());
            await cyn.commit(`${good.slice(0, -8)}AAAAAAAA`).catch(() => {});
            return cyn.commit(good);
        }],
        [117, 'a fifth upload of one wallet', async () => {
            const fresh = await Promise.all([1, 2, 3, 4].map(() => world.connect('cyn')));
            try {
                await begin(cyn);
                for (const client of fresh) {
                    await begin(client);
                }
            } finally {
                await Promise.all(fresh.map(({ connection }) => connection.close()));
            }
        }],
    ];
}

/** An upload that was cut off after four chunks, and who goes on with it how. */
function resumeCases(world) {
    const cyn = world.cyn;
    const name = randomBytes(32).toString('hex');
    const named = (client, fields = {}) => client.request('upload.begin',
        { bytes: image.length, media_type: png, resume: name, ...fields });
    const sealed = (client, artwork) => makeEnvelope(artwork, image.length, client.vault);
    const must = (condition, text) => {
        if (!condition) {
            throw new Error(text);
        }
    };
    /** Of what is kept, on a connection of its own; the upload is kept again afterwards, whatever `act` does. */
    const offered = (code, text, act) => [code, text, async () => {
        const fresh = await world.connect('cyn');
        try {
            const begun = await named(fresh);
            must(begun.offset === 4 * 16384, `offered are ${begun.offset} bytes`);
            await act(fresh, begun);
        } finally {
            await fresh.connection.close();
        }
    }];
    const header = (envelope) => ({ header: toBase64url(envelope.header) });
    const nothingOffered = (text, client, fields) => ['step', text, async () => {
        const { offset } = await named(client, fields);
        must(offset === 0, `${text} was offered ${offset} bytes`);
        // A commit that is refused ends it.
        await client.commit('none').catch(() => {});
    }];
    return [
        [100, 'a name to resume by that is none', () => named(cyn, { resume: 'name' })],
        [100, 'a name to resume by in capitals', () => named(cyn, { resume: 'A'.repeat(64) })],
        [113, 'going on with an upload that is new', async () => {
            const { artwork } = await begin(cyn);
            await cyn.request('upload.resume', header(sealed(cyn, artwork)));
        }],
        [113, 'DATA without a header of an upload that is new', async () => {
            await begin(cyn);
            await cyn.connection.upload('upload.data', {}, []);
        }],
        ['step', 'an upload is cut off', () => world.onConnection('cyn', async (connection) => {
            const client = { connection, vault: connection.vault, request: (...args) => connection.request(...args) };
            const { artwork } = await named(client);
            const envelope = sealed(client, artwork);
            await connection.send(types.request, utf8(JSON.stringify({ m: 'upload.data', p: header(envelope) })));
            const [first] = sealStream(envelope.keys, image);
            await connection.send(types.data, first);
            await connection.send(types.data, zeros(0));        // which ends the connection, behind what it took
        }).catch(() => {})],
        nothingOffered('another wallet', world.bob),
        nothingOffered('another length', cyn, { bytes: image.length - 1 }),
        nothingOffered('another media type', cyn, { media_type: 'image/gif' }),
        offered(111, 'an envelope for another artwork to go on with', (fresh) =>
            fresh.request('upload.resume', header(sealed(fresh, world.work)))),
        offered(113, 'DATA with a header of an upload that goes on', (fresh, { artwork }) =>
            fresh.connection.upload('upload.data', header(sealed(fresh, artwork)), [])),
        offered(113, 'DATA without a header before what was kept is sealed anew', (fresh) =>
            fresh.connection.upload('upload.data', {}, [])),
        offered(113, 'going on twice', async (fresh, { artwork }) => {
            await fresh.request('upload.resume', header(sealed(fresh, artwork)));
            await fresh.request('upload.resume', header(sealed(fresh, artwork)));
        }),
        offered(111, 'chunks that go on under another key', async (fresh, { artwork }) => {
            await fresh.request('upload.resume', header(sealed(fresh, artwork)));
            await fresh.connection.upload('upload.data', {}, sealStream(sealed(fresh, artwork).keys, image, 4));
        }),
        offered(111, 'chunks that go on at another place', async (fresh, { artwork }) => {
            const envelope = sealed(fresh, artwork);
            await fresh.request('upload.resume', header(envelope));
            // As long as what is due, from one chunk further on.
            const [piece] = sealStream(envelope.keys, concat(image, zeros(16384)), 5);
            await fresh.connection.upload('upload.data', {}, [piece.subarray(0, image.length - 4 * 16384 + 16)]);
        }),
        offered('closed', 'the whole stream where only its end is due', async (fresh, { artwork }) => {
            const envelope = sealed(fresh, artwork);
            await fresh.request('upload.resume', header(envelope));
            fresh.connection.upload('upload.data', {}, sealStream(envelope.keys, image)).catch(() => {});
            await fresh.connection.reading;
            throw fresh.connection.over;
        }),
        [107, 'a registration by nobody of an upload that went on', async () => {
            const { artwork, offset } = await named(cyn);
            must(offset === 4 * 16384, `offered are ${offset} bytes`);
            await cyn.uploadData(artwork, image, offset);
            const good = cyn.registration(artwork, image, registrationFields());
            await cyn.commit(`${good.slice(0, -8)}AAAAAAAA`);
        }],
        nothingOffered('after a refused commit', cyn),
    ];
}

function registrationCases(world) {
    const cyn = world.cyn;
    const { vault } = cyn;
    const preview = randomBytes(100);
    /** Uploads, then commits what `make(payload)` gives: [statement, preview]. */
    const commit = (expected, name, make, fields = {}) => [expected, `a registration with ${name}`, async () => {
        const { artwork } = await begin(cyn);
        await cyn.uploadData(artwork, image);
        const good = cyn.registration(artwork, image, registrationFields(fields));
        const [statement, shown = null] = [].concat(make(readJws(good, 'register').payload, good));
        return cyn.commit(statement, shown);
    }];
    const signed = (fields) => (payload) =>
        makeStatement('register', world.me.cyn, vault.wallet, { ...payload, ...fields });
    const field = (expected, name, fields) => commit(expected, name, signed(fields));
    const forged = Object.entries(forgeries('register')).map(([name, make]) =>
        commit(codeOfForgery(name), name, (payload) => make(payload, world.me.cyn.sign, world.me.ann.sign)));
    const { size, root } = cyn.view.seen();
    return [
        ...forged,
        field(108, 'another artwork', { artwork: world.work }),
        field(108, 'another length', { bytes: 69999 }),
        field(108, 'another media type', { media_type: 'image/gif' }),
        field(112, 'the hash of other bytes', { sha256: nothing }),
        field(108, 'no title', { title: '' }),
        field(108, 'a title of 201 code points', { title: 'x'.repeat(201) }),
        field(108, 'a day that does not exist', { creation_date: '2023-02-29' }),
        field(108, 'a path', { file_path: '../../etc/passwd' }),
        field(108, 'a file name with a zero byte', { file_path: 'a\0.png' }),
        field(108, 'no width', { width: 0 }),
        field(108, 'a height of 2^31', { height: 2 ** 31 }),
        field(108, 'an unknown release', { release: 'all' }),
        field(108, 'a preview of 65537 bytes',
            { preview: { sha256: nothing, bytes: 65537, media_type: 'image/jpeg' } }),
        field(107, 'another wallet', { iss: world.me.ann.wallet }),
        field(108, 'another vault', { vault: nothing }),
        field(116, 'a seen beyond the ledger', { seen: { size: size + 1000, root } }),
        field(116, 'a seen of another root', { seen: { size, root: nothing } }),
        commit(107, "another artist's signature", (payload) =>
            makeStatement('register', world.me.ann, vault.wallet, { ...payload, iss: world.me.cyn.wallet })),
        commit(107, "another artist's statement", (payload) => makeStatement('register', world.me.ann, vault.wallet,
            { ...payload, iss: world.me.ann.wallet })),
        commit(108, 'a preview that it does not name', (_, good) => [good, preview]),
        field(108, 'a preview that does not come',
            { preview: { sha256: nothing, bytes: 5, media_type: 'image/jpeg' } }),
        commit(112, 'a preview of other bytes', (payload) => [signed({
            preview: { sha256: nothing, bytes: preview.length, media_type: 'image/jpeg' },
        })(payload), preview]),
        commit(108, 'a claim in its place', (payload) => makeStatement('claim', world.me.cyn, vault.wallet, {
            artwork: payload.artwork, head: nothing, seq: 0, owner: world.me.ann.wallet, exp: 1, text_commit: null,
        })),

    ];
}

export const uploadCases = (world) =>
    [...envelopeCases(world), ...streamCases(world), ...orderCases(world), ...resumeCases(world),
        ...registrationCases(world)];
