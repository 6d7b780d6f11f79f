// JWS compact serialisation as docs/protocol.md (Statements) fixes it: one exact header for each statement type.
// Knows signatures and ids; what a payload must hold is in statements.mjs and identity.mjs.
// SPDX-License-Identifier: Apache-2.0
import { parseObject } from './json.mjs';
import { signEd25519, signPss, verifyEd25519, verifyPss } from './keys.mjs';
import { ascii, fromBase64url, isName, require, sha256, toBase64url, utf8 } from './wire.mjs';

/** The types that the vault signs with its log key; the type fixes the algorithm. */
export const vaultTypes = new Set(['hold', 'release', 'head', 'receipt']);

export const algorithmOf = (type) => (vaultTypes.has(type) ? 'EdDSA' : 'PS256');
const headerText = (type, kid) => JSON.stringify({ alg: algorithmOf(type), typ: `sat-${type}+jws`, kid });
const sizeLimit = (type) => ({ register: 49152, identity: 4000 }[type] ?? 16384);

/**
 * Signs with a `sign` key, or a `log` key where the type asks for it: the payload is written as it stands, compact.
 * A key that brings `signs(bytes)` signs by it: a fixed salt for vectors.
 */
export function signJws(type, payload, key) {
    const signed = `${toBase64url(utf8(headerText(type, key.id)))}.${toBase64url(utf8(JSON.stringify(payload)))}`;
    const usual = algorithmOf(type) === 'EdDSA' ? signEd25519 : signPss;
    const signature = key.signs?.(ascii(signed)) ?? usual(key.privateKey, ascii(signed));
    return `${signed}.${toBase64url(signature)}`;
}

/** H(ASCII of header.payload), as hex. */
export const statementId = (jws) => sha256(ascii(jws.slice(0, jws.lastIndexOf('.')))).toString('hex');

/** Takes a JWS of one type apart, without trust: { kid, payload, id, signed, signature }. */
export function readJws(jws, type) {
    require(typeof jws === 'string' && jws.length <= sizeLimit(type), `a ${type} statement is too large`);
    const parts = jws.split('.');
    require(parts.length === 3, `a ${type} statement has not three parts`);
    const [header, payload, signature] = parts.map(fromBase64url);
    require(signature.length > 0, `a ${type} statement has no signature`);
    const { kid } = parseObject(header);
    require(isName(kid) && header.equals(utf8(headerText(type, kid))), `a ${type} statement has another header`);
    const id = statementId(jws);
    return { kid, payload: parseObject(payload), id, signed: ascii(`${parts[0]}.${parts[1]}`), signature };
}

/** Whether the signature of what readJws gave holds under `publicKey`, by the type's algorithm. */
export function signatureHolds(statement, type, publicKey) {
    const check = algorithmOf(type) === 'EdDSA' ? verifyEd25519 : verifyPss;
    return check(publicKey, statement.signed, statement.signature);
}
