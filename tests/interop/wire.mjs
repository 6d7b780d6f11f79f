// Bytes as docs/protocol.md writes them: integers, vec16, names, labels, hashes, HKDF, and the codes a peer may send.
// Everything here is pure; sockets are in stream.mjs, records in records.mjs.
// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto';

/** The peer said or did something that the protocol does not allow. */
export class ProtocolError extends Error {}

/** A transport code that the peer sent in ALERT or CLOSE. */
export class Ended extends Error {
    constructor(where, code) {
        super(`${where} ${code} ${transportCodes[code] ?? 'unknown'}`);
        this.code = code;
    }
}

/** An error RESPONSE: the vault understood the request and refused it. */
export class Refused extends Error {
    constructor(method, code, name) {
        super(`${method} was refused with ${code} ${name}`);
        this.code = code;
    }
}

export const transportCodes = {
    0: 'done', 1: 'malformed', 2: 'too_large', 3: 'unexpected', 4: 'version', 5: 'unknown_vault_key',
    6: 'handshake_failed', 7: 'timeout', 8: 'overloaded', 9: 'internal', 10: 'going_away',
};

export const applicationCodes = {
    9: 'internal', 100: 'bad_request', 101: 'not_found', 102: 'forbidden', 103: 'rate_limited', 104: 'too_large',
    105: 'head_moved', 106: 'expired', 107: 'bad_signature', 108: 'bad_statement', 109: 'held', 110: 'key_policy',
    111: 'envelope_invalid', 112: 'hash_mismatch', 113: 'state', 114: 'not_owner', 115: 'superseded',
    116: 'checkpoint_inconsistent', 117: 'busy', 118: 'quota', 120: 'storage_full',
};

/** Throws a ProtocolError with `message` unless `condition` holds. */
export function require(condition, message) {
    if (!condition) {
        throw new ProtocolError(message);
    }
}

export const ascii = (text) => Buffer.from(text, 'latin1');
export const utf8 = (text) => Buffer.from(text, 'utf8');
export const concat = (...parts) => Buffer.concat(parts);
export const zeros = (count) => Buffer.alloc(count);

export const u8 = (value) => Buffer.of(value);
export function u16(value) {
    const out = Buffer.alloc(2);
    out.writeUInt16BE(value);
    return out;
}
export function u32(value) {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(value);
    return out;
}
export function u64(value) {
    const out = Buffer.alloc(8);
    out.writeBigUInt64BE(BigInt(value));
    return out;
}
export const vec16 = (bytes) => concat(u16(bytes.length), bytes);

/** Reads a binary structure from its beginning; `done` refuses what is left over. */
export class Reader {
    constructor(bytes, what) {
        this.bytes = bytes;
        this.at = 0;
        this.what = what;
    }
    take(count) {
        require(this.at + count <= this.bytes.length, `${this.what} ends too early`);
        this.at += count;
        return this.bytes.subarray(this.at - count, this.at);
    }
    u8() {
        return this.take(1)[0];
    }
    u16() {
        return this.take(2).readUInt16BE();
    }
    u64() {
        const value = this.take(8).readBigUInt64BE();
        require(value <= BigInt(Number.MAX_SAFE_INTEGER), `${this.what} has a length beyond 2^53`);
        return Number(value);
    }
    vec16() {
        return this.take(this.u16());
    }
    done() {
        require(this.at === this.bytes.length, `${this.what} has bytes left over`);
    }
}

/** ASCII(s) ‖ 00 ‖ t. */
export const label = (text, tail = zeros(0)) => concat(ascii(text), u8(0), tail);

export const sha256 = (...parts) => createHash('sha256').update(concat(...parts)).digest();
export const hmac = (key, data, hash = 'sha256') => createHmac(hash, key).update(data).digest();

/** HKDF-Extract with SHA-256 (RFC 5869 §2.2). */
export const extract = (salt, ikm) => hmac(salt, ikm);

/** HKDF-Expand (RFC 5869 §2.3); node:crypto has only the two steps in one. */
export function expand(prk, info, length, hash = 'sha256') {
    let block = zeros(0);
    let out = zeros(0);
    for (let counter = 1; out.length < length; ++counter) {
        block = hmac(prk, concat(block, info, u8(counter)), hash);
        out = concat(out, block);
    }
    return out.subarray(0, length);
}

/** nonce XOR (00^4 ‖ u64 number), for records and for chunks. */
export function nonceFor(base, number) {
    const nonce = Buffer.from(base);
    const low = u64(number);
    for (let i = 0; i < 8; ++i) {
        nonce[4 + i] ^= low[i];
    }
    return nonce;
}

const hexName = /^[0-9a-f]{64}$/;
export const isName = (value) => typeof value === 'string' && hexName.test(value);

/** The 32 bytes of a wallet, hash, key id or statement id. */
export function nameBytes(text) {
    require(isName(text), 'a name is not 64 lower-case hex digits');
    return Buffer.from(text, 'hex');
}

export const toBase64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** Strict base64url: no padding, no foreign character, no impossible length, no stray trailing bits. */
export function fromBase64url(text) {
    require(typeof text === 'string' && /^[A-Za-z0-9_-]*$/.test(text), 'base64url has foreign characters');
    const bytes = Buffer.from(text, 'base64url');
    require(toBase64url(bytes) === text, 'base64url has an impossible length or trailing bits');
    return bytes;
}
