// Statements (docs/protocol.md, Statements): writing each type, and verifying one against its signer's proved chain.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { isArtworkId } from './envelope.mjs';
import { requireMembers } from './json.mjs';
import { readJws, signatureHolds, signJws, vaultTypes } from './jws.mjs';
import { maxTreeSize } from './merkle.mjs';
import { fromBase64url, isName, label, require, sha256, toBase64url, utf8 } from './wire.mjs';

const mediaTypes = ['image/jpeg', 'image/png', 'image/tiff', 'image/webp', 'image/gif', 'image/avif'];

const codePoints = (text) => [...text].length;
export const isText = (min, max) => (value) =>
    typeof value === 'string' && codePoints(value) >= min && codePoints(value) <= max;
const isCount = (min, max = Number.MAX_SAFE_INTEGER) => (value) =>
    Number.isSafeInteger(value) && value >= min && value <= max;
const isOneOf = (...values) => (value) => values.includes(value);
const orNull = (check) => (value) => value === null || check(value);
export const isMediaType = isOneOf(...mediaTypes);
const isTime = isCount(0);

function isDate(value) {
    const match = /^(?:([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?)?$/.exec(value);
    if (typeof value !== 'string' || match === null) {
        return false;
    }
    const [year, month, day] = [match[1] ?? '2000', match[2] ?? '01', match[3] ?? '01'].map(Number);
    const made = new Date(Date.UTC(2000, 0, 1));
    made.setUTCFullYear(year, month - 1, day);
    return made.getUTCFullYear() === year && made.getUTCMonth() === month - 1 && made.getUTCDate() === day;
}

const isFileName = (value) => typeof value === 'string' && !/[/\0]/.test(value) && value !== '.' && value !== '..'
    && utf8(value).length >= 1 && utf8(value).length <= 255;
const isPreview = (value) => {
    requireMembers(value, ['sha256', 'bytes', 'media_type'], 'a preview');
    return isName(value.sha256) && isCount(1, 65536)(value.bytes) && value.media_type === 'image/jpeg';
};
const isNonce = (value) => fromBase64url(value).length === 16;
const isTreeHead = (value) => {
    require(value !== null && typeof value === 'object', 'a tree head is no object');
    requireMembers(value, ['size', 'root'], 'a tree head');
    return isCount(0, maxTreeSize)(value.size) && isName(value.root);
};

const common = { v: isOneOf(1), iss: isName, vault: isName, nonce: isNonce, iat: isTime, seen: orNull(isTreeHead) };
const ofWork = { artwork: isArtworkId, head: isName, seq: isCount(0) };

/** Each type's further members, in the order they are written, with what they must be. */
const further = {
    register: {
        artwork: isArtworkId, title: isText(1, 200), description: isText(0, 4000), artist: isText(0, 200),
        creation_date: isDate, file_path: isFileName, media_type: isMediaType, bytes: isCount(1, 2 ** 52),
        width: isCount(1, 2 ** 31 - 1), height: isCount(1, 2 ** 31 - 1), sha256: isName,
        release: isOneOf('original', 'preview'), preview: orNull(isPreview),
    },
    claim: { ...ofWork, owner: isName, exp: isTime, text_commit: orNull(isName) },
    answer: {
        ...ofWork, claim: isName, to: isName, answer: isOneOf('yes', 'no'), exp: orNull(isTime),
        text_commit: orNull(isName),
    },
    accept: { ...ofWork, claim: isName, answer: isName, metadata_commit: isName },
    withdraw: { artwork: isArtworkId, claim: isName },
    hold: { artwork: isArtworkId, on: isName, reason: isText(1, 280) },
    release: { artwork: isArtworkId, on: isName, reason: isText(1, 280) },
    head: { ...ofWork, owner: isName, leaves: isCount(1), size: isCount(1, maxTreeSize), root: isName },
    receipt: { of: isName, status: isOneOf('registered', 'completed'), copies: isOneOf(1, 2), leaf: isName },
};

/** Throws unless `value` is what `seen` may be: a tree head or null. */
export const requireSeen = (value) => require(orNull(isTreeHead)(value), 'a seen is no tree head');

/** Signs a statement of `me` for `vault`; `fields` are the type's further members, and `seen` if it is not null. */
export function makeStatement(type, me, vault, fields) {
    const payload = {
        v: 1, iss: me.wallet, vault, nonce: toBase64url(randomBytes(16)), iat: Math.floor(Date.now() / 1000),
        seen: null,
    };
    for (const member of Object.keys(further[type])) {
        payload[member] = fields[member];
    }
    return signJws(type, { ...payload, ...fields }, vaultTypes.has(type) ? me.log : me.sign);
}

/** A statement's members and field limits, without its signature: { kid, payload, id, ... }. */
export function readStatement(jws, type) {
    const checks = { ...common, ...further[type] };
    const statement = readJws(jws, type);
    requireMembers(statement.payload, Object.keys(checks), `a ${type} statement`);
    for (const [member, holds] of Object.entries(checks)) {
        require(holds(statement.payload[member]), `the ${member} of a ${type} statement is out of its limits`);
    }
    if (type === 'answer') {
        require((statement.payload.exp === null) === (statement.payload.answer === 'no'),
            'an answer has no fitting exp');
    }
    return statement;
}

/** Verifies a statement for `vault` under the proved `chain` of its `iss`. */
export function verifyStatement(jws, type, chain, vault) {
    const statement = readStatement(jws, type);
    require(statement.payload.iss === chain.wallet, `a ${type} statement is by another wallet`);
    require(statement.payload.vault === vault, `a ${type} statement is for another vault`);
    const keys = vaultTypes.has(type) ? chain.logKeys : chain.signKeys;
    const key = keys.get(statement.kid);
    require(key !== undefined, `a ${type} statement is signed by a key outside its chain`);
    require(signatureHolds(statement, type, key), `a ${type} statement has a bad signature`);
    return statement;
}

/** The commitment to a text under a raw salt. */
export const commitmentOf = (purpose, salt, text) =>
    sha256(label(purpose, Buffer.concat([salt, utf8(text)]))).toString('hex');

/** A note or metadata with its salt and commitment: { salt, text, commit }. `text` null gives a null commitment. */
export function commitTo(purpose, text) {
    const salt = randomBytes(32);
    return { salt: toBase64url(salt), text, commit: commitmentOf(purpose, salt, text) };
}
export const commitText = (text) => commitTo('SAT/1 text', text);
export const commitMetadata = (text) => commitTo('SAT/1 meta', text);

/** Whether a note ({ salt, text } or null) is the one that the statement committed to. */
export function noteHolds(note, commit) {
    if (note === null || commit === null) {
        return note === null && commit === null;
    }
    const salt = fromBase64url(note.salt);
    return salt.length === 32 && isText(1, 280)(note.text) && commitmentOf('SAT/1 text', salt, note.text) === commit;
}
