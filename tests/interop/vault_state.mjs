// What a vault keeps, in memory, and what it does with it: identities, works, claims, the ledger, outcomes.
// Each use case of docs/protocol.md (Requests) is a method; who may call it over which bytes is the session's business.
// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { checkCharacter } from './envelope.mjs';
import { verifyChain } from './identity.mjs';
import { parseObject, requireMembers } from './json.mjs';
import { signatureHolds } from './jws.mjs';
import { commitmentOf, isText, makeStatement, noteHolds, readStatement } from './statements.mjs';
import { VaultLedger } from './vault_ledger.mjs';
import { deadlineOf, decide, demand, isOpen, Refusal } from './vault_rules.mjs';
import { ProtocolError, sha256, utf8 } from './wire.mjs';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const hexHash = (bytes) => sha256(bytes).toString('hex');

/** A check that throws ProtocolError, as a refusal with `code`. */
function refusing(code, check) {
    try {
        return check();
    } catch (error) {
        throw error instanceof ProtocolError ? new Refusal(code) : error;
    }
}

const fold = (text) => text.normalize('NFKC').toLowerCase().normalize('NFKC');
const wordsOf = (text) => fold(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

export class VaultState {
    constructor(me) {
        this.me = me;
        this.ledger = new VaultLedger(me);
        this.identities = new Map();
        this.ids = new Set();
        this.works = new Map();             // by artwork, in the order of registration
        this.claims = new Map();            // by statement id, in the order of arrival
        this.outcomes = new Map();          // statement id → { receipt, claim }
        this.clockOffset = 0;
        this.contradiction = null;
    }

    /** A copy that goes its own way. */
    clone() {
        const copy = new VaultState(this.me);
        const copied = (map) => new Map([...map].map(([key, value]) => [key, { ...value }]));
        copy.ledger = this.ledger.clone();
        copy.identities = new Map(this.identities);
        copy.ids = new Set(this.ids);
        copy.works = copied(this.works);
        copy.claims = copied(this.claims);
        copy.outcomes = copied(this.outcomes);
        copy.clockOffset = this.clockOffset;
        return copy;
    }

    now() {
        return Math.floor(Date.now() / 1000) + this.clockOffset;
    }

    // Identities

    /** Takes a chain that a client showed: its proved form, or null where another one was known. */
    admit(chain) {
        const proved = verifyChain(chain, { kind: 'user' });
        const known = this.identities.get(proved.wallet);
        if (known !== undefined && !known.chain.every((document, seq) => document === chain[seq])) {
            return null;
        }
        this.identities.set(proved.wallet, { ...proved, chain });
        return proved;
    }

    /** A statement by the caller, verified as "Who verifies what" asks of a vault. */
    take(jws, type, wallet) {
        const statement = refusing(108, () => readStatement(jws, type));
        const { payload, kid } = statement;
        demand(payload.iss === wallet, 107);
        const key = this.identities.get(wallet).signKeys.get(kid);
        demand(key !== undefined && signatureHolds(statement, type, key), 107);
        demand(payload.vault === this.me.wallet, 108);
        demand(this.ledger.knows(payload.seen), 116);
        return { ...statement, jws };
    }

    // Uploads and works

    newId() {
        for (;;) {
            const nine = Array.from({ length: 9 }, () => alphabet[randomInt(32)]).join('');
            if (!this.ids.has(nine)) {
                this.ids.add(nine);
                return nine + checkCharacter(nine);
            }
        }
    }

    receipt(of, status, leaf) {
        const seen = this.ledger.treeHead();
        return makeStatement('receipt', this.me, this.me.wallet, { of, status, copies: 1, leaf, seen });
    }

    repeated(id) {
        return this.outcomes.get(id);
    }

    /** Registers `upload` ({ artwork, bytes, media_type, sha256, envelope }) under its signed registration. */
    register(statement, upload, preview, origin) {
        const { payload, id, jws } = statement;
        demand(payload.artwork === upload.artwork && payload.bytes === upload.bytes
            && payload.media_type === upload.media_type, 108);
        demand((payload.preview === null) === (preview === null), 108);
        demand(payload.sha256 === upload.sha256, 112);
        demand(preview === null || (preview.length === payload.preview.bytes
            && hexHash(preview) === payload.preview.sha256), 112);
        const time = this.now();
        const owner = payload.iss;
        const head = this.ledger.append('register', payload.artwork, [jws], time, { owner });
        const receipt = this.receipt(id, 'registered', head);
        this.works.set(payload.artwork, {
            artwork: payload.artwork, registration: jws, payload, preview, origin, envelope: upload.envelope, owner,
            head, seq: 0, held: false, registeredAt: time,
            words: new Set(wordsOf(`${payload.title}\n${payload.description}\n${payload.artist}`)),
        });
        this.outcomes.set(id, { receipt });
        return receipt;
    }

    work(artwork) {
        const work = this.works.get(artwork);
        demand(work !== undefined, 101);
        return work;
    }

    showWork(work, wallet) {
        const { registration, owner, head, seq, registeredAt, held } = work;
        const origin = owner === wallet ? work.origin : null;
        return { registration, origin, owner, head, seq, registered_at: registeredAt, held };
    }

    /** Works that match, newest first. */
    search({ text = null, artist = null, owner = null }) {
        const wanted = text === null ? [] : wordsOf(text);
        const name = artist === null ? null : fold(artist).trim().replace(/\s+/gu, ' ');
        return [...this.works.values()].reverse().filter((work) => wanted.every((word) => work.words.has(word))
            && (name === null || fold(work.payload.artist).trim().replace(/\s+/gu, ' ') === name)
            && (owner === null || work.owner === owner));
    }

    /** Holds or releases a work, as an operator may. */
    hold(artwork, on, reason) {
        const work = this.work(artwork);
        const type = on ? 'hold' : 'release';
        const jws = makeStatement(type, this.me, this.me.wallet,
            { artwork, on: work.head, reason, seen: this.ledger.treeHead() });
        this.ledger.append(type, artwork, [jws], this.now());
        work.held = on;
    }

    // Claims: each gives { claim, events, receipt }; events are [name, claim, wallets]

    openClaims(artwork) {
        return [...this.claims.values()].filter((claim) => claim.artwork === artwork && isOpen(claim));
    }

    /** Every claim whose deadline has come becomes expired; gives the events. */
    expire() {
        const events = [];
        for (const claim of this.claims.values()) {
            if (isOpen(claim) && this.now() >= deadlineOf(claim)) {
                events.push(this.move(claim, 'expired'));
            }
        }
        return events;
    }

    move(claim, state, ...fields) {
        Object.assign(claim, { state, changedAt: this.now() }, ...fields);
        const wallets = state === 'superseded' ? [claim.collector] : [claim.owner, claim.collector];
        return ['claim.changed', claim, wallets];
    }

    checkNote(note, commit) {
        demand((note === null) === (commit === null), 108);
        demand(noteHolds(note, commit), 112);
    }

    openClaim(jws, note, wallet) {
        const { payload, id } = this.take(jws, 'claim', wallet);
        if (this.outcomes.has(id)) {
            return { claim: this.claims.get(id), events: [] };
        }
        this.checkNote(note, payload.text_commit);
        const work = this.work(payload.artwork);
        const now = this.now();
        const state = decide.claim({ work, wallet, payload, open: this.openClaims(work.artwork), now });
        const claim = {
            id, jws, payload, text: note, artwork: work.artwork, collector: wallet, owner: payload.owner, state,
            askedAt: now, changedAt: now, answer: null, answerText: null,
        };
        this.claims.set(id, claim);
        this.outcomes.set(id, { claim: id });
        return { claim, events: [['claim.opened', claim, [claim.owner]]] };
    }

    answerClaim(jws, note, wallet) {
        const statement = this.take(jws, 'answer', wallet);
        const { payload, id } = statement;
        if (this.outcomes.has(id)) {
            return { claim: this.claims.get(this.outcomes.get(id).claim), events: [] };
        }
        this.checkNote(note, payload.text_commit);
        const work = this.work(payload.artwork);
        const claim = this.claims.get(payload.claim);
        const open = this.openClaims(work.artwork);
        const state = decide.answer({ work, wallet, payload, claimed: claim, open, now: this.now() });
        this.outcomes.set(id, { claim: claim.id });
        return { claim, events: [this.move(claim, state, { answer: statement, answerText: note })] };
    }

    withdrawClaim(jws, wallet) {
        const { payload, id } = this.take(jws, 'withdraw', wallet);
        if (this.outcomes.has(id)) {
            return { claim: this.claims.get(this.outcomes.get(id).claim), events: [] };
        }
        const claim = this.claims.get(payload.claim);
        const state = decide.withdraw({ wallet, payload, claimed: claim });
        this.outcomes.set(id, { claim: claim.id });
        return { claim, events: [this.move(claim, state)] };
    }

    acceptClaim(jws, salt, metadata, wallet) {
        const { payload, id } = this.take(jws, 'accept', wallet);
        if (this.outcomes.has(id)) {
            const { receipt, claim } = this.outcomes.get(id);
            return { receipt, claim: this.claims.get(claim), events: [] };
        }
        this.checkMetadata(payload, salt, metadata, wallet);
        const work = this.work(payload.artwork);
        const claim = this.claims.get(payload.claim);
        const state = decide.accept({ work, wallet, payload, claimed: claim });
        const events = [this.move(claim, state)];
        const head = this.ledger.append('transfer', work.artwork, [claim.jws, claim.answer.jws, jws], this.now(),
            { owner: wallet });
        Object.assign(work, { owner: wallet, head, seq: work.seq + 1 });
        events.push(...this.openClaims(work.artwork).map((other) => this.move(other, 'superseded')));
        const receipt = this.receipt(id, 'completed', head);
        this.outcomes.set(id, { receipt, claim: claim.id });
        return { receipt, claim, events };
    }

    checkMetadata(payload, salt, metadata, wallet) {
        demand(commitmentOf('SAT/1 meta', salt, metadata) === payload.metadata_commit, 112);
        refusing(108, () => {
            const value = parseObject(utf8(metadata));
            requireMembers(value, ['name', 'contact', 'wallet_address'], 'the metadata');
            demand(isText(0, 200)(value.name) && isText(0, 200)(value.contact)
                && value.wallet_address === wallet, 108);
        });
    }

    /** A claim as its collector or the owner it was addressed to may see it. */
    visibleClaim(id, wallet) {
        const claim = this.claims.get(id);
        demand(claim !== undefined && [claim.collector, claim.owner].includes(wallet), 101);
        return claim;
    }

    showClaim(claim) {
        return {
            claim: claim.jws, claim_text: claim.text, answer: claim.answer?.jws ?? null,
            answer_text: claim.answerText, state: claim.state, asked_at: claim.askedAt,
            changed_at: claim.changedAt, answer_by: deadlineOf(claim),
            registration: this.work(claim.artwork).registration,
        };
    }
}
