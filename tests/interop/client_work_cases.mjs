// Misbehaviours of a vault that shows or serves works: registrations, histories, identities, images, previews; and that
// takes an upload.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { makeEnvelope, sealStream } from './envelope.mjs';
import { forgeries } from './forgery.mjs';
import { leafHash, readLeaf, writeLeaf } from './ledger.mjs';
import { makeLogKey } from './keys.mjs';
import { makeStatement } from './statements.mjs';
import { all, refuse, reply } from './tampering.mjs';
import { payloadOf } from './client_world.mjs';
import { concat, fromBase64url, toBase64url, zeros } from './wire.mjs';

const badProof = 20;
const notThere = 15;
const held = 16;
const forbidden = 77;
const refusing = 69;
const interrupted = 75;
const protocol = 76;
const nothing = '9'.repeat(64);

/** Changes the one work that a listing or artwork.get shows. */
const shown = (world, change) => all(
    reply('artwork.list', (result) => ({
        ...result,
        items: result.items.map((item) => (payloadOf(item.registration, 'register').artwork === world.work
            ? change(item) ?? item : item)),
    })),
    reply('artwork.get', (result) => change(result)));

function browseCases(world) {
    const { people, base } = world;
    const { ann, dan, cyn } = people;
    const good = base.state.work(world.work).registration;
    const payload = payloadOf(good, 'register');
    const browse = (name, exit, tamper, args = ['browse']) =>
        ({ group: 'works', name, who: 'bob', args, exit, tamper: () => tamper });
    const registration = (name, jws, exit = badProof) =>
        browse(`a registration ${name}`, exit, shown(world, (item) => ({ ...item, registration: jws })));
    const forged = Object.entries(forgeries('register')).filter(([name]) =>
        /none|HS256|typ of|payload with a name|kid of|signature of|too many|PKCS|salt/.test(name));
    const identities = (name, change) => browse(name, [badProof, protocol], reply('identity.get', change));
    return [
        ...forged.map(([name, make]) => registration(`with ${name}`, make(payload, ann.sign, dan.sign))),
        registration('by another artist in the name of this one',
            makeStatement('register', dan, payload.vault, { ...payload })),
        registration('with another title under the old signature',
            good.replace(/\.[^.]*\./, `.${toBase64url(Buffer.from(JSON.stringify({ ...payload, title: 'B' })))}.`)),
        registration('for another vault', makeStatement('register', ann, nothing, { ...payload, vault: nothing })),
        registration('with a path for a file name', makeStatement('register', ann, payload.vault,
            { ...payload, file_path: '../x' })),
        registration('that is a claim', base.claimStatement(cyn, world.work), [badProof, protocol]),
        browse('an owner that is no wallet', protocol, shown(world, (item) => ({ ...item, owner: 'Ann' }))),
        browse('a work without a registration', protocol,
            shown(world, (item) => ({ ...item, registration: undefined }))),
        browse('a work whose held is text', protocol, shown(world, (item) => ({ ...item, held: 'no' }))),
        browse('a listing without an end', [badProof, protocol], reply('artwork.list', ({ items }) =>
            ({ items, next_cursor: 'again' })), ['browse', '--all']),
        browse('a page without items that is not the last', protocol, reply('artwork.list', () =>
            ({ items: [], next_cursor: 'next' })), ['browse', '--all']),
        browse('a cursor of 65 characters', protocol, reply('artwork.list', ({ items }) =>
            ({ items, next_cursor: 'x'.repeat(65) }))),
        identities("the identity of somebody else",
            ({ identities: chains }) => ({ identities: chains.map(() => cyn.chain) })),
        identities('no identity', ({ identities: chains }) => ({ identities: chains.map(() => null) })),
        identities('an identity too few', ({ identities: chains }) => ({ identities: chains.slice(1) })),
        identities("a vault's identity for a person's", ({ identities: chains }) =>
            ({ identities: chains.map(() => base.state.me.chain) })),
        identities('an identity with a changed signature', ({ identities: chains }) =>
            ({ identities: chains.map(([document]) => [`${document.slice(0, -8)}AAAAAAAA`]) })),
    ];
}

function historyCases(world) {
    const { people: { ann, cyn, dan, bob } } = world;
    const show = (name, exit, change, prepare = () => {}) => ({
        group: 'histories', name, who: 'bob', args: ['show', world.work], exit, prepare,
        tamper: () => reply('artwork.history', change),
    });
    const get = (name, change) => ({
        group: 'histories', name, who: 'bob', args: ['show', world.work], exit: badProof,
        tamper: () => reply('artwork.get', change),
    });
    const moved = (scene) => scene.transfer(ann, cyn, world.work);
    const pageOf = (leaves) => ({ leaves, next: null });
    const transferOf = (entry, change) => {
        const { type, time, statements } = readLeaf(entry);
        return writeLeaf(type, time, change(statements));
    };
    const replaced = (name, change) => show(name, badProof,
        ({ leaves: [first, second] }) => pageOf([first, transferOf(second, change)]), moved);
    return [
        get('another work', (_, session) => session.state.showWork(session.state.work(world.foreign), nothing)),
        get('an owner whom the history does not name', (work) => ({ ...work, owner: dan.wallet })),
        get('a head that the history does not end in', (work) => ({ ...work, head: nothing })),
        get('a seq that the history does not have', (work) => ({ ...work, seq: 1 })),
        show('no leaves', badProof, () => pageOf([])),
        show('a registration twice', badProof, ({ leaves: [first] }) => pageOf([first, first])),
        show('the history of another work', badProof, (_, session) =>
            pageOf(session.state.ledger.of(world.foreign).map(({ entry }) => entry))),
        show('a history without its last transfer', badProof, ({ leaves: [first] }) => pageOf([first]), moved),
        show('a history without its registration', badProof, ({ leaves: [, second] }) => pageOf([second]), moved),
        show('a transfer twice', badProof, ({ leaves: [first, second] }) => pageOf([first, second, second]), moved),
        show('a leaf of an unknown type', badProof,
            ({ leaves: [first] }) => pageOf([first.replace('register', 'inherit')])),
        show('a leaf without its end', badProof, ({ leaves: [first] }) => pageOf([first.slice(0, -1)])),
        show('a history that goes round', [badProof, protocol], ({ leaves }) => ({ leaves, next: 0 })),
        show('a history with a gap', [badProof, protocol], ({ leaves }) => ({ leaves, next: 7 })),
        replaced('a transfer without an acceptance of its own', ([claim, answer]) => [claim, answer, answer]),
        replaced('a transfer that somebody else accepted', ([claim, answer, accept]) => [claim, answer,
            makeStatement('accept', bob, payloadOf(accept, 'accept').vault,
                { ...payloadOf(accept, 'accept'), iss: bob.wallet })]),
        replaced('a transfer that the collector himself said yes to', ([claim, answer, accept]) => [claim,
            makeStatement('answer', cyn, payloadOf(answer, 'answer').vault, { ...payloadOf(answer, 'answer') }),
                accept]),
        replaced('a transfer with a no', ([claim, answer, accept]) => [claim,
            makeStatement('answer', ann, payloadOf(answer, 'answer').vault,
                { ...payloadOf(answer, 'answer'), answer: 'no', exp: null }), accept]),
        replaced('a transfer after its deadline', ([claim, answer, accept]) => [claim,
            makeStatement('answer', ann, payloadOf(answer, 'answer').vault,
                { ...payloadOf(answer, 'answer'), exp: 1 }), accept]),
    ];
}

function fetchCases(world) {
    const { people: { bob, cyn } } = world;
    const fetch = (name, exit, tamper, artwork = world.work, prepare = () => {}) => ({
        group: 'images', name, who: 'bob', args: ['request', artwork, '-o', '{file}'], exit, prepare, noFile: true,
        tamper: () => tamper,
    });
    const bulk = (name, change, exit = badProof) => fetch(name, exit, { bulk: change });
    const header = (name, change) => bulk(name, ({ result, bytes }) =>
        ({ result: { header: toBase64url(change(fromBase64url(result.header))) }, bytes }), [badProof, protocol]);
    const flip = (bytes, at) => {
        const changed = Buffer.from(bytes);
        changed[at < 0 ? bytes.length + at : at] ^= 1;
        return changed;
    };
    const recipient = (me) => ({ wallet: me.wallet, kem: me.kem.publicKey, kemId: me.kem.id });
    /** A whole good envelope of another image of the same length, for `me`. */
    const other = (me, artwork = world.work, change = 0) => () => {
        const image = randomBytes(world.base.image.length + change);
        const envelope = makeEnvelope(artwork, image.length, recipient(me));
        return { result: { header: toBase64url(envelope.header) }, bytes: concat(...sealStream(envelope.keys, image)) };
    };
    const preview = (name, change) => fetch(name, badProof, reply('artwork.preview', change), world.hidden);
    return [
        bulk('another image', other(bob)),
        bulk('another image, one byte longer', other(bob, world.work, 1), [badProof, protocol]),
        bulk("an envelope for somebody else", other(cyn), [badProof, protocol]),
        bulk('an envelope of another work', other(bob, world.foreign), [badProof, protocol]),
        bulk('a changed chunk', ({ result, bytes }) => ({ result, bytes: flip(bytes, 5) })),
        bulk('a changed last tag', ({ result, bytes }) => ({ result, bytes: flip(bytes, -1) })),
        bulk('two chunks in the wrong order', ({ result, bytes }) => ({
            result, bytes: concat(bytes.subarray(16400, 16400 + (bytes.length - 16400)), bytes.subarray(0, 16400)),
        })),
        bulk('a stream that lacks its last chunk', ({ result, bytes }) => ({ result, bytes: bytes.subarray(0, 16400) }),
            [badProof, protocol]),
        bulk('a stream that is too long', ({ result, bytes }) => ({ result, bytes: concat(bytes, zeros(16)) }),
            [badProof, protocol]),
        bulk('a DATA_END that tells more', ({ result, bytes }) => ({ result, bytes, told: bytes.length + 1 }),
            protocol),
        bulk('short DATA in the middle', ({ result, bytes }) => ({ result, bytes, pieceBytes: 8200 }), protocol),
        bulk('no stream', ({ result }) => ({ result, bytes: zeros(0) }), [badProof, protocol]),
        header('a changed wrapping', (bytes) => flip(bytes, 200)),
        header('a changed commitment', (bytes) => flip(bytes, -1)),
        header('a changed salt', (bytes) => flip(bytes, -40)),
        header('another version', (bytes) => flip(bytes, 4)),
        header('a header cut short', (bytes) => bytes.subarray(0, -1)),
        fetch('a stream that is cut off', [refusing, interrupted], {
            records: ({ type, frames, session }) => {
                if (type === 0x14) {
                    session.stream.socket.destroy();
                    return [];
                }
                return frames;
            },
        }),
        fetch('a work that is not there', notThere, refuse('artwork.fetch', 101)),
        fetch('an image that one may not have', forbidden, refuse('artwork.fetch', 102)),
        fetch('an image that is held', held, refuse('artwork.fetch', 109)),
        preview('a preview of other bytes', () => ({ preview: toBase64url(randomBytes(300)) })),
        preview('a preview of another length', () => ({ preview: toBase64url(randomBytes(299)) })),
        preview('no preview where one is registered', () => ({ preview: null })),
    ];
}

/** What receipts are forged into: name → (payload, vault identity, another log key) → JWS. */
export const receiptForgeries = (otherLog, person) => ({
    'signed by another log key': (payload, me) =>
        makeStatement('receipt', { ...me, log: otherLog }, payload.vault, payload),
    "signed by the vault's sign key": (payload, me) =>
        forgeries('receipt')['the signature of somebody else'](payload, me.log, me.sign),
    'signed by a person': (payload, me) => makeStatement('receipt', { ...me, log: { ...otherLog, id: person.sign.id } },
        payload.vault, payload),
    'of another statement': (payload, me) => makeStatement('receipt', me, payload.vault, { ...payload, of: nothing }),
    'of another leaf': (payload, me) => makeStatement('receipt', me, payload.vault, { ...payload, leaf: nothing }),
    'of the other status': (payload, me) => makeStatement('receipt', me, payload.vault,
        { ...payload, status: payload.status === 'registered' ? 'completed' : 'registered' }),
    'of another vault': (payload, me) => makeStatement('receipt', me, nothing, { ...payload, vault: nothing }),
    'with alg none': (payload, me) => forgeries('receipt')['alg none'](payload, me.log),
    'with a member too many': (payload, me) => makeStatement('receipt', me, payload.vault, { ...payload, more: 1 }),
    'that is no statement': () => 'a receipt',
});

async function uploadCases(world) {
    const otherLog = await makeLogKey();
    const { me } = world.base.state;
    const upload = (name, exit, tamper) => ({
        group: 'uploads', name, who: 'ann', args: ['upload', '{image}', '--title', 'New'], exit, tamper: () => tamper,
    });
    const receipts = Object.entries(receiptForgeries(otherLog, world.people.dan)).map(([name, make]) =>
        upload(`a receipt ${name}`, badProof, reply('upload.commit', ({ receipt }) =>
            ({ receipt: make(payloadOf(receipt, 'receipt'), me) }))));
    const begun = (artwork) => reply('upload.begin', () => ({ artwork, offset: 0 }));
    /** The vault has, under this name, zeros. */
    const foreign = (always) => reply('upload.begin', (result, session, { resume }) => {
        if (!always && resume === undefined) {
            return undefined;
        }
        session.upload.offered = zeros(16384);
        return { ...result, offset: 16384 };
    });
    const offered = (offset) => reply('upload.begin', ({ artwork }) => ({ artwork, offset }));
    return [
        ...receipts,
        upload('no receipt', protocol, reply('upload.commit', () => ({ receipt: null }))),
        upload('an ID with another check character', [badProof, protocol], begun('0000000001')),
        upload('an ID in lower case', [badProof, protocol], begun('abcdefghjk')),
        upload('an upload to go on with that there is not', [protocol, 17], offered(16384)),
        upload('more to go on with than the file has', protocol, offered(2 ** 40)),
        upload('an offset within a chunk', protocol, offered(100)),
        upload('no offset', protocol, offered(undefined)),
        { ...upload('a beginning of another file', 0, foreign(false)), control: true },
        upload('a beginning of another file, also to one who begins anew', protocol, foreign(true)),
        upload('the hash of other bytes', badProof, reply('upload.data', () => ({ sha256: nothing }))),
        upload('a history without the registration', badProof, reply('artwork.history', (_, session) =>
            ({ leaves: session.state.ledger.of(world.foreign).map(({ entry }) => entry), next: null }))),
        upload('a history whose leaf has another time than the receipt', badProof,
            reply('artwork.history', ({ leaves: [entry] }) => {
            const { type, time, statements } = readLeaf(entry);
            const changed = writeLeaf(type, time + 1, statements);
            return { leaves: leafHash(changed) === leafHash(entry) ? [] : [changed], next: null };
        })),
        upload('too many uploads', [refusing, interrupted], refuse('upload.begin', 117)),
    ];
}

export const workCases = async (world) => [
    ...browseCases(world), ...historyCases(world), ...fetchCases(world), ...await uploadCases(world),
];
