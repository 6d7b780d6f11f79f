// What an artist and a collector do (docs/protocol.md, Requests and the transfer's rules), each with the checks that
// "Who verifies what" asks of a client. Throws ProtocolError at the first contradiction.
// SPDX-License-Identifier: Apache-2.0
import {
    chunkCount, chunkPlain, chunkSealed, makeEnvelope, openEnvelope, isArtworkId, sealedLength, sealStream,
    StreamOpener,
} from './envelope.mjs';
import { writeCertificate } from './certificate.mjs';
import { verifyChain } from './identity.mjs';
import { Connection } from './connection.mjs';
import { leafHash, verifyHistory } from './ledger.mjs';
import { LedgerView } from './ledger_view.mjs';
import { verifyCheckpoint } from './note.mjs';
import { commitMetadata, commitText, makeStatement, noteHolds, readStatement, verifyStatement } from './statements.mjs';
import { concat, fromBase64url, require, sha256, toBase64url } from './wire.mjs';

const day = 86400;
const claimSeconds = 14 * day;
const answerSeconds = 7 * day;
const states = ['pending', 'confirmed', 'declined', 'withdrawn', 'completed', 'expired', 'superseded'];

const hexHash = (bytes) => sha256(bytes).toString('hex');

export class Client {
    constructor(connection, me, view = new LedgerView()) {
        this.connection = connection;
        this.me = me;
        this.vault = connection.vault;
        this.chains = new Map();
        this.view = view;
        this.ask = (method, params) => this.request(method, params);
    }

    /** Connects and holds the vault's ledger against `view` before anything else is asked. */
    static async open({ view = new LedgerView(), ...target }) {
        const connection = await Connection.open({ ...target, seen: view.seen() });
        const client = new Client(connection, target.me, view);
        try {
            await view.greet(connection.ext.checkpoint, client.vault, client.ask);
        } catch (error) {
            await connection.close();
            throw error;
        }
        return client;
    }

    request(method, params) {
        return this.connection.request(method, params);
    }

    // Identities and the ledger

    /** A wallet's proved chain, asked for once, and again for a `kid` that it does not name. */
    async chainOf(wallet, kid = null) {
        if (!this.chains.has(wallet) || (kid !== null && !this.chains.get(wallet).signKeys.has(kid))) {
            const { identities } = await this.request('identity.get', { wallets: [wallet] });
            require(Array.isArray(identities) && identities.length === 1 && identities[0] !== null,
                `the vault does not know the wallet ${wallet}`);
            this.chains.set(wallet, { ...verifyChain(identities[0], { wallet, kind: 'user' }), chain: identities[0] });
        }
        return this.chains.get(wallet);
    }

    /** The newest checkpoint, verified. */
    async checkpoint() {
        return this.view.take((await this.request('ledger.checkpoint', {})).checkpoint, this.vault, this.ask);
    }

    /** The leaf that makes the present owner of a verified history, proved to be in the ledger. */
    async proveHead(history) {
        await this.checkpoint();
        return this.view.prove(history.head, this.ask);
    }

    /** Every entry of the ledger up to the newest checkpoint, which has to be the root of them all. */
    async entries() {
        const entries = [];
        for (let from = 0; from !== null;) {
            const page = await this.request('ledger.entries', { from });
            require(page.next === null || page.next === from + page.entries.length, 'the ledger has a gap');
            entries.push(...page.entries);
            from = page.next;
        }
        return entries;
    }

    /** Who owned a work at a tree head, said by the vault and verified against the history: { head, checkpoint }. */
    async head(artwork, size) {
        const params = size === undefined ? { artwork } : { artwork, size };
        const { head, checkpoint } = await this.request('ledger.head', params);
        const { payload } = verifyStatement(head, 'head', this.vault, this.vault.wallet);
        const seen = await this.view.take(checkpoint, this.vault, this.ask);
        require(payload.artwork === artwork && payload.size === seen.size
            && payload.root === seen.root.toString('hex'), 'a head is of another work or tree');
        return { head, checkpoint, payload };
    }

    /** The certificate of a work, `cosigned(note)` adding witnesses' lines: its bytes. */
    async certificate(artwork, { cosigned = (note) => note, witnesses = [] } = {}) {
        const { head, checkpoint, payload } = await this.head(artwork);
        const entries = (await this.entriesOf(artwork)).slice(0, payload.leaves);
        const leaves = [];
        for (const entry of entries) {
            leaves.push({ entry, ...await this.view.prove(leafHash(entry), this.ask) });
        }
        const signers = new Map();
        await verifyHistory(entries, this.vault, async (wallet) => {
            const proved = await this.chainOf(wallet);
            signers.set(wallet, proved.chain);
            return proved;
        });
        const identities = [...signers.keys()].sort().map((wallet) => signers.get(wallet));
        verifyCheckpoint(checkpoint, this.vault);
        return writeCertificate({
            vault: this.vault.chain, identities, leaves, head, checkpoint: cosigned(checkpoint), witnesses,
        });
    }

    /** A statement of mine for this vault, with what I have seen of its ledger. */
    statement(type, fields) {
        return makeStatement(type, this.me, this.vault.wallet, { seen: this.view.seen(), ...fields });
    }

    /** A work's leaves, unverified. */
    async entriesOf(artwork) {
        const entries = [];
        for (let from = 0; from !== null;) {
            const page = await this.request('artwork.history', { artwork, from });
            require(page.next === null || page.next === from + page.leaves.length, 'a history has a gap');
            entries.push(...page.leaves);
            from = page.next;
        }
        return entries;
    }

    /** A work's whole history, verified. */
    async history(artwork) {
        const history = await verifyHistory(await this.entriesOf(artwork), this.vault,
            (wallet) => this.chainOf(wallet));
        require(history.artwork === artwork, 'a history is of another work');
        return history;
    }

    verifyReceipt(jws, of, status, history) {
        const { payload } = verifyStatement(jws, 'receipt', this.vault, this.vault.wallet);
        require(payload.of === of && payload.status === status, 'a receipt is for something else');
        require(payload.leaf === history.head, 'a receipt names another leaf than the history');
        return payload;
    }

    // Steps 3 to 5: registering

    /**
     * Uploads and registers; `fields` are the registration's. `resume` names what goes on, if the vault kept any of it.
     * Gives { artwork, offset, registration, receipt, history }.
     */
    async register(bytes, fields, preview = null, resume = null) {
        const { artwork, offset } = await this.request('upload.begin',
            { bytes: bytes.length, media_type: fields.media_type, resume });
        require(isArtworkId(artwork), 'an artwork ID has a wrong check character');
        await this.uploadData(artwork, bytes, offset);
        const registration = this.registration(artwork, bytes, fields, preview);
        const receipt = await this.commit(registration, preview);
        const history = await this.history(artwork);
        require(history.registration.jws === registration, 'the ledger holds another registration');
        this.verifyReceipt(receipt, history.registration.id, 'registered', history);
        await this.proveHead(history);
        return { artwork, offset, registration, receipt, history };
    }

    registration(artwork, bytes, fields, preview = null) {
        return this.statement('register', {
            artwork, bytes: bytes.length, sha256: hexHash(bytes),
            preview: preview && { sha256: hexHash(preview), bytes: preview.length, media_type: 'image/jpeg' },
            ...fields,
        });
    }

    /** All of it, or what is missing behind the `offered` bytes that the vault kept, sealed anew under a fresh key. */
    async uploadData(artwork, bytes, offered = 0) {
        const envelope = makeEnvelope(artwork, bytes.length, this.vault);
        const header = toBase64url(envelope.header);
        let offset = 0;
        if (offered > 0) {
            const resumed = await this.request('upload.resume', { header });
            ({ offset } = resumed);
            require(offset <= offered && offset % chunkPlain === 0, 'an upload goes on at another place');
            require(resumed.sha256 === hexHash(bytes.subarray(0, offset)), 'the vault kept another file');
        }
        const result = await this.connection.upload('upload.data', offered > 0 ? {} : { header },
            sealStream(envelope.keys, bytes, offset / chunkPlain));
        require(result.sha256 === hexHash(bytes), 'the vault received other bytes');
    }

    async commit(registration, preview = null) {
        const params = preview === null ? { registration } : { registration, preview: toBase64url(preview) };
        return (await this.request('upload.commit', params)).receipt;
    }

    // Step 7: browsing

    async verifyWork(work) {
        const { iss, artwork } = readStatement(work.registration, 'register').payload;
        const { payload } = verifyStatement(work.registration, 'register', await this.chainOf(iss), this.vault.wallet);
        require(typeof work.held === 'boolean' && Number.isSafeInteger(work.registered_at), 'a work is malformed');
        return { ...work, artwork, payload };
    }

    /** All works that match, over as many pages as it takes, each registration verified. */
    async list(filter, limit = 50) {
        const works = [];
        for (let cursor = null; ;) {
            const params = cursor === null ? { ...filter, limit } : { ...filter, limit, cursor };
            const page = await this.request('artwork.list', params);
            require(page.items.length <= limit, 'a list has more items than asked for');
            for (const work of page.items) {
                works.push(await this.verifyWork(work));
            }
            cursor = page.next_cursor;
            if (cursor === null) {
                return works;
            }
            require(/^[\x20-\x7e]{1,64}$/.test(cursor), 'a cursor is not short ASCII');
        }
    }

    /** One work and its history, which have to agree. */
    async work(artwork) {
        const work = await this.verifyWork(await this.request('artwork.get', { artwork }));
        const history = await this.history(artwork);
        require(work.registration === history.registration.jws, 'a work and its history differ in the registration');
        require(work.owner === history.owner && work.head === history.head && work.seq === history.seq,
            'a work and its history differ in the owner');
        require(work.held === history.held, 'a work and its history differ in the hold');
        return { ...work, history };
    }

    // Step 8: fetching and claiming

    /** The image's bytes from chunk `first` on, every tag checked; from 0 on also the SHA-256. */
    async fetch(work, first = 0) {
        const { artwork, bytes } = work.payload;
        const plain = [];
        let opener = null;
        let received = 0;
        const params = { artwork, offset: first * chunkSealed };
        await this.connection.download('artwork.fetch', params, (piece, { header }) => {
            opener ??= new StreamOpener(openEnvelope(fromBase64url(header), this.me, artwork, bytes), bytes, first);
            plain.push(opener.push(piece));
            received += piece.length;
        });
        require(opener !== null && received === sealedLength(bytes) - first * chunkSealed,
            'a fetch had another length');
        require(opener.number === chunkCount(bytes), 'a fetch had another number of chunks');
        opener.finish();
        const image = concat(...plain);
        require(first !== 0 || hexHash(image) === work.payload.sha256, 'an image is not the registered one');
        return image;
    }

    async preview(work) {
        const { preview } = await this.request('artwork.preview', { artwork: work.payload.artwork });
        const promised = work.payload.preview;
        if (promised === null || preview === null) {
            require(promised === preview, 'a preview is there or not against the registration');
            return null;
        }
        const bytes = fromBase64url(preview);
        require(bytes.length === promised.bytes && hexHash(bytes) === promised.sha256, 'a preview is another one');
        return bytes;
    }

    /** Verifies a claim that the vault shows: { claim, answer (or null), state, shown }. */
    async verifyClaim(shown) {
        const { payload: { iss }, kid } = readStatement(shown.claim, 'claim');
        const claim = verifyStatement(shown.claim, 'claim', await this.chainOf(iss, kid), this.vault.wallet);
        require(states.includes(shown.state), 'a claim is in no known state');
        require(noteHolds(shown.claim_text, claim.payload.text_commit), "a claim's text is not the one committed to");
        const registration = readStatement(shown.registration, 'register').payload;
        verifyStatement(shown.registration, 'register', await this.chainOf(registration.iss), this.vault.wallet);
        require(registration.artwork === claim.payload.artwork, 'a claim is shown with another work');
        let answer = null;
        if (shown.answer !== null) {
            const owner = await this.chainOf(claim.payload.owner, readStatement(shown.answer, 'answer').kid);
            answer = verifyStatement(shown.answer, 'answer', owner, this.vault.wallet);
            const { payload } = answer;
            require(payload.claim === claim.id && payload.to === iss && payload.artwork === claim.payload.artwork
                && payload.head === claim.payload.head && payload.seq === claim.payload.seq,
                'an answer is to another claim');
            require(noteHolds(shown.answer_text, payload.text_commit), "an answer's text is not the one committed to");
        }
        const { exp } = claim.payload;
        const deadline = { pending: exp, confirmed: Math.min(exp, answer?.payload.exp ?? 0) }[shown.state] ?? null;
        require(shown.answer_by === deadline, 'a claim is shown with another deadline');
        return { claim, answer, state: shown.state, shown };
    }

    claimStatement(work, fields = {}) {
        return this.statement('claim', {
            artwork: work.artwork, head: work.history.head, seq: work.history.seq, owner: work.history.owner,
            exp: this.connection.vaultNow() + claimSeconds, text_commit: null, ...fields,
        });
    }

    /** Claims a work as `work()` gave it, with a note or without. */
    async claim(work, text = null) {
        await this.proveHead(work.history);
        const note = text === null ? null : commitText(text);
        const claim = this.claimStatement(work, { text_commit: note?.commit ?? null });
        return this.verifyClaim(await this.request('claim.open', withNote({ claim }, note)));
    }

    async withdraw({ claim }) {
        const withdraw = this.statement('withdraw', { artwork: claim.payload.artwork, claim: claim.id });
        return this.verifyClaim(await this.request('claim.withdraw', { withdraw }));
    }

    // Steps 9 and 10: answering

    answerStatement({ claim }, yes, fields = {}) {
        const { artwork, head, seq, exp } = claim.payload;
        return this.statement('answer', {
            artwork, head, seq, claim: claim.id, to: claim.payload.iss, answer: yes ? 'yes' : 'no',
            exp: yes ? Math.min(exp, this.connection.vaultNow() + answerSeconds) : null, text_commit: null, ...fields,
        });
    }

    /** Says yes or no; before a yes the history has to name this wallet as the owner, at the claim's head. */
    async answer(claimed, yes, text = null) {
        const { artwork, head, seq, owner } = claimed.claim.payload;
        if (yes) {
            const history = await this.history(artwork);
            require(history.owner === this.me.wallet && owner === this.me.wallet && history.head === head
                && history.seq === seq, 'a claim does not name the present owner and head');
            await this.proveHead(history);
            await this.view.agree(claimed.claim.payload.seen, this.vault, this.ask);
        }
        const note = text === null ? null : commitText(text);
        const answer = this.answerStatement(claimed, yes, { text_commit: note?.commit ?? null });
        return this.verifyClaim(await this.request('claim.answer', withNote({ answer }, note)));
    }

    // Step 11: accepting

    acceptance({ claim, answer }, name, contact) {
        require(answer?.payload.answer === 'yes' && answer.payload.iss === claim.payload.owner
            && answer.payload.to === this.me.wallet && answer.payload.exp > this.connection.vaultNow(),
        'there is no yes to accept');
        const metadata = commitMetadata(JSON.stringify({ name, contact, wallet_address: this.me.wallet }));
        const { artwork, head, seq } = claim.payload;
        const accept = this.statement('accept',
            { artwork, head, seq, claim: claim.id, answer: answer.id, metadata_commit: metadata.commit });
        return { accept, salt: metadata.salt, metadata: metadata.text };
    }

    /** Accepts a yes: { receipt, history, params }, the receipt verified against the whole history. */
    async accept(confirmed, name, contact) {
        const before = await this.history(confirmed.claim.payload.artwork);
        require(before.head === confirmed.claim.payload.head, 'the head has moved since the claim');
        await this.proveHead(before);
        await this.view.agree(confirmed.answer?.payload.seen ?? null, this.vault, this.ask);
        const params = this.acceptance(confirmed, name, contact);
        const result = await this.request('claim.accept', params);
        const { state } = await this.verifyClaim(result.claim);
        require(state === 'completed', 'an acceptance did not complete the claim');
        const history = await this.history(confirmed.claim.payload.artwork);
        require(history.owner === this.me.wallet && history.leaves.at(-1).statements[2] === params.accept,
            'the history does not end with this acceptance');
        const { id } = readStatement(params.accept, 'accept');
        const payload = this.verifyReceipt(result.receipt, id, 'completed', history);
        await this.proveHead(history);
        return { receipt: result.receipt, payload, history, params };
    }
}

const withNote = (params, note) => (note === null ? params : { ...params, text: { salt: note.salt, text: note.text } });
