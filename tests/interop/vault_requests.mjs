// The requests that a vault answers (docs/protocol.md, Requests): exact parameters, then the use case, then the result.
// Uploads and fetches begin here and go on in vault_session.mjs, where the bytes are.
// SPDX-License-Identifier: Apache-2.0
import {
    chunkPlain, chunkSealed, isArtworkId, makeEnvelope, openEnvelope, sealChunk, sealedLength,
} from './envelope.mjs';
import { isMediaType, isText } from './statements.mjs';
import { demand, isOpen, Refusal } from './vault_rules.mjs';
import {
    concat, fromBase64url, hmac, isName, ProtocolError, sha256, toBase64url, utf8, zeros,
} from './wire.mjs';

const pageItems = 50;
const pageBytes = 900 * 1024;
const maxPreview = 65536;
const maxMetadata = 4096;
const walletUploads = 4;
const [minHeader, maxHeader] = [538, 666];

export const limits = { artwork_bytes: 2 ** 30, preview_bytes: maxPreview };

// Checks of single parameters

const isCount = (min, max = Number.MAX_SAFE_INTEGER) => (value) =>
    Number.isSafeInteger(value) && value >= min && value <= max;
const isString = (value) => typeof value === 'string';
const isBinary = (min, max) => (value) => {
    try {
        const { length } = fromBase64url(value);
        return length >= min && length <= max;
    } catch (error) {
        if (error instanceof ProtocolError) {
            return false;
        }
        throw error;
    }
};
const isNote = (value) => typeof value === 'object' && Object.keys(value).length === 2
    && isBinary(32, 32)(value.salt) && isText(1, 280)(value.text);
const isListOfWallets = (value) => Array.isArray(value) && value.length >= 1 && value.length <= pageItems
    && value.every(isName);
const isFilter = isText(0, 200);
const optional = (check) => Object.assign((value) => value === undefined || value === null || check(value),
    { optional: true });

const cursor = optional(isText(1, 64));
const note = optional(isNote);

// Pages

/** The first items that fit, and how many: 50 items or 900 KiB, at least one if there is one. */
function firstPage(items, most = pageItems) {
    const page = [];
    let bytes = 0;
    for (const item of items) {
        bytes += utf8(JSON.stringify(item)).length;
        if (page.length === most || (page.length > 0 && bytes > pageBytes)) {
            break;
        }
        page.push(item);
    }
    return page;
}

/** A cursor is a position and a mark that binds it to the vault and the filters. */
const markOf = (vault, filters, at) =>
    hmac(vault.cursorKey, utf8(JSON.stringify([filters, at]))).subarray(0, 12).toString('hex');

function page(vault, filters, given, items, show, most) {
    let from = 0;
    if (given !== undefined && given !== null) {
        const [at, mark] = given.split('.');
        demand(mark === markOf(vault, filters, at), 100);
        from = items.findIndex(({ id, artwork }) => (id ?? artwork) === at) + 1;
    }
    const shown = firstPage(items.slice(from).map(show), most);
    const last = items[from + shown.length - 1];
    const more = from + shown.length < items.length;
    const at = last?.id ?? last?.artwork;
    return { items: shown, next_cursor: more ? `${at}.${markOf(vault, filters, at)}` : null };
}

const leafPage = (leaves, from, member) => {
    const entries = firstPage(leaves.slice(from).map(({ entry }) => entry));
    const next = from + entries.length;
    return { [member]: entries, next: entries.length > 0 && next < leaves.length ? next : null };
};

// The requests: method → [parameters, handler(session, p)]

const decision = (session, { claim, events, ...rest }) => {
    session.vault.publish(events);
    return Object.keys(rest).length === 0 ? session.state.showClaim(claim)
        : { receipt: rest.receipt, claim: session.state.showClaim(claim) };
};

const servable = (work) => {
    demand(!work.held, 109);
    return work;
};

function uploadBegin(session, { bytes, media_type: mediaType, resume = null }) {
    const { vault, wallet } = session;
    demand(bytes <= limits.artwork_bytes, 104);
    session.dropUpload();
    const name = resume && JSON.stringify([wallet, resume, bytes, mediaType]);
    demand(name === null || !vault.isUnderWay(name), 117);
    demand(vault.uploadsOf(wallet) < walletUploads, 117);
    const kept = vault.takeKept(name);
    session.upload = {
        artwork: kept?.artwork ?? session.state.newId(), bytes, media_type: mediaType, sha256: null, name,
        offered: kept?.plain ?? null, plain: zeros(0), sealed: zeros(0), keys: null,
    };
    return { artwork: session.upload.artwork, offset: kept?.plain.length ?? 0 };
}

function takeHeader(session, header) {
    const { upload } = session;
    try {
        upload.keys = openEnvelope(fromBase64url(header), session.state.me, upload.artwork, upload.bytes);
    } catch (error) {
        session.dropUpload();
        throw error instanceof ProtocolError ? new Refusal(111) : error;
    }
}

/** Nothing that was sealed under the key of an earlier connection is left. */
function uploadResume(session, { header }) {
    const { upload } = session;
    demand(upload !== null && upload.offered !== null, 113);
    takeHeader(session, header);
    const plain = upload.offered;
    const chunks = Array.from({ length: plain.length / chunkPlain }, (_, number) =>
        sealChunk(upload.keys, number, plain.subarray(number * chunkPlain, (number + 1) * chunkPlain)));
    Object.assign(upload, { offered: null, plain, sealed: concat(...chunks) });
    return { offset: plain.length, sha256: sha256(plain).toString('hex') };
}

function uploadData(session, { header = null }) {
    const { upload } = session;
    demand(upload !== null && upload.sha256 === null && upload.offered === null, 113);
    demand((header === null) === (upload.keys !== null), 113);
    if (header !== null) {
        takeHeader(session, header);
    }
    return session.receiveUpload;
}

function uploadCommit(session, { registration, preview }) {
    const { upload, state, wallet } = session;
    session.upload = null;
    const statement = state.take(registration, 'register', wallet);
    const before = state.repeated(statement.id);
    if (before !== undefined) {
        return { receipt: before.receipt };
    }
    demand(upload !== null && upload.sha256 !== null, 113);
    const bytes = preview === undefined || preview === null ? null : fromBase64url(preview);
    return { receipt: state.register(statement, upload, bytes, session.origin) };
}

function artworkFetch(session, { artwork, offset }) {
    const work = servable(session.state.work(artwork));
    demand(work.payload.release === 'original' || work.owner === session.wallet, 102);
    demand(offset % chunkSealed === 0 && offset < sealedLength(work.payload.bytes), 100);
    const { dek, salt, sealed } = work.envelope;
    const { header } = makeEnvelope(artwork, work.payload.bytes, session.client, { dek, salt });
    return session.sendBulk({ header: toBase64url(header) }, sealed.subarray(offset));
}

const inboxOf = (session) => [...session.state.claims.values()].filter((claim) => isOpen(claim)
    && session.state.work(claim.artwork).owner === session.wallet && claim.owner === session.wallet);
const mineOf = (session, artwork) => [...session.state.claims.values()].reverse().filter((claim) =>
    claim.collector === session.wallet && (artwork === null || claim.artwork === artwork));

function ledgerHead({ state }, { artwork, size: wanted }) {
    const size = wanted ?? state.ledger.size;
    demand(size <= state.ledger.size, 100);
    const head = state.ledger.head(artwork, size);
    demand(head !== null, 101);
    return { head, checkpoint: state.ledger.checkpoint(size) };
}

function ledgerInclusion({ state }, { leaf, size }) {
    demand(size <= state.ledger.size, 100);
    const found = state.ledger.inclusion(leaf, size);
    demand(found !== null, 101);
    return found;
}

function ledgerReport({ state, vault }, { checkpoint }) {
    let contradicts;
    try {
        contradicts = state.ledger.contradicts(checkpoint);
    } catch (error) {
        throw error instanceof ProtocolError ? new Refusal(100) : error;
    }
    demand(contradicts, 100);
    vault.stopServing(checkpoint);
    return {};
}

const size = isCount(0, 2 ** 52);

export const requests = {
    'identity.get': [{ wallets: isListOfWallets }, ({ state }, { wallets }) =>
        ({ identities: wallets.map((wallet) => state.identities.get(wallet)?.chain ?? null) })],
    'upload.begin': [{ bytes: isCount(1, 2 ** 52), media_type: isMediaType, resume: optional(isName) }, uploadBegin],
    'upload.resume': [{ header: isBinary(minHeader, maxHeader) }, uploadResume],
    'upload.data': [{ header: optional(isBinary(minHeader, maxHeader)) }, uploadData],
    'upload.commit': [{ registration: isString, preview: optional(isBinary(1, maxPreview)) }, uploadCommit],
    'artwork.list': [
        {
            text: optional(isFilter), artist: optional(isFilter), owner: optional(isName), limit: isCount(1, 50),
            cursor,
        },
        (session, { limit, cursor: given, ...filters }) => page(session.vault, ['list', filters.text ?? null,
            filters.artist ?? null, filters.owner ?? null], given, session.state.search(filters),
        (work) => session.state.showWork(work, session.wallet), limit)],
    'artwork.get': [{ artwork: isArtworkId }, ({ state, wallet }, { artwork }) =>
        state.showWork(state.work(artwork), wallet)],
    'artwork.preview': [{ artwork: isArtworkId }, ({ state }, { artwork }) => {
        const { preview } = servable(state.work(artwork));
        return { preview: preview && toBase64url(preview) };
    }],
    'artwork.history': [{ artwork: isArtworkId, from: isCount(0) }, ({ state }, { artwork, from }) =>
        leafPage(state.ledger.of(state.work(artwork).artwork), from, 'leaves')],
    'artwork.fetch': [{ artwork: isArtworkId, offset: isCount(0) }, artworkFetch],
    'claim.open': [{ claim: isString, text: note }, (session, { claim, text }) =>
        decision(session, session.state.openClaim(claim, text ?? null, session.wallet))],
    'claim.withdraw': [{ withdraw: isString }, (session, { withdraw }) =>
        decision(session, session.state.withdrawClaim(withdraw, session.wallet))],
    'claim.get': [{ claim: isName }, ({ state, wallet }, { claim }) =>
        state.showClaim(state.visibleClaim(claim, wallet))],
    'claim.mine': [{ artwork: optional(isArtworkId), cursor }, (session, { artwork, cursor: given }) =>
        page(session.vault, ['mine', session.wallet, artwork ?? null], given, mineOf(session, artwork ?? null),
            (claim) => session.state.showClaim(claim))],
    'claim.inbox': [{ cursor }, (session, { cursor: given }) => page(session.vault, ['inbox', session.wallet], given,
        inboxOf(session), (claim) => session.state.showClaim(claim))],
    'claim.subscribe': [{}, (session) => {
        session.subscribed = true;
        return {};
    }],
    'claim.answer': [{ answer: isString, text: note }, (session, { answer, text }) =>
        decision(session, session.state.answerClaim(answer, text ?? null, session.wallet))],
    'claim.accept': [
        {
            accept: isString, salt: isBinary(32, 32),
            metadata: (value) => isString(value) && utf8(value).length <= maxMetadata,
        },
        (session, { accept, salt, metadata }) => decision(session,
            session.state.acceptClaim(accept, fromBase64url(salt), metadata, session.wallet))],
    'ledger.checkpoint': [{}, ({ state }) => ({ checkpoint: state.ledger.checkpoint() })],
    'ledger.inclusion': [{ leaf: isName, size: isCount(1, 2 ** 52) }, ledgerInclusion],
    'ledger.consistency': [{ old: size, size }, ({ state }, { old, size: to }) => {
        demand(old <= to && to <= state.ledger.size, 100);
        return { proof: state.ledger.consistency(old, to) };
    }],
    'ledger.entries': [{ from: isCount(0) }, ({ state }, { from }) => leafPage(state.ledger.leaves, from, 'entries')],
    'ledger.head': [{ artwork: isArtworkId, size: optional(size) }, ledgerHead],
    'ledger.report': [{ checkpoint: isString }, ledgerReport],
};

/** Answers one request: its result, or a function that goes on with a bulk stream; throws Refusal. */
export function answerRequest(session, method, params) {
    demand(Object.hasOwn(requests, method), 100);
    const [checks, handle] = requests[method];
    demand(params !== null && typeof params === 'object' && !Array.isArray(params), 100);
    demand(Object.keys(params).every((name) => Object.hasOwn(checks, name)), 100);
    for (const [name, holds] of Object.entries(checks)) {
        demand(holds.optional || Object.hasOwn(params, name), 100);
        demand(holds(params[name]), 100);
    }
    return handle(session, params);
}

/** What a finished upload is kept as. */
export const finishUpload = (upload, plain, sealed) => Object.assign(upload, {
    plain,
    sha256: sha256(plain).toString('hex'), envelope: { dek: upload.keys.dek, salt: upload.keys.salt, sealed },
});
