// Envelopes and artwork IDs (docs/protocol.md, The envelope): Cobblestone-256 chunks, headers, wrapping to a `kem` key.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { openGcm, openOaep32, sameSecret, sealGcm, sealOaep } from './keys.mjs';
import {
    ascii, concat, expand, label, nameBytes, nonceFor, ProtocolError, Reader, require, u16, u64, u8, vec16, zeros,
} from './wire.mjs';

export const chunkPlain = 16384;
export const chunkSealed = chunkPlain + 16;
export const dataBytes = 4 * chunkSealed;

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const noAad = zeros(0);

/** The check character of 9 characters: Luhn mod 32, the last of the nine counting double. */
export function checkCharacter(nine) {
    let sum = 0;
    for (let i = 0; i < 9; ++i) {
        const value = alphabet.indexOf(nine[i]) * (i % 2 === 0 ? 2 : 1);
        sum += Math.floor(value / 32) + (value % 32);
    }
    return alphabet[(32 - (sum % 32)) % 32];
}

export const isArtworkId = (text) => typeof text === 'string' && text.length === 10
    && [...text].every((character) => alphabet.includes(character)) && checkCharacter(text) === text[9];

export const chunkCount = (plainBytes) => Math.floor(plainBytes / chunkPlain) + 1;
export const sealedLength = (plainBytes) => plainBytes + 16 * chunkCount(plainBytes);

/** Cobblestone-256's key, base nonce and commitment. */
export function chunkKeys(dek, salt, context) {
    const info = concat(ascii('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'), u8(0), salt, context);
    const material = expand(dek, info, 76, 'sha512');
    return { key: material.subarray(0, 32), nonce: material.subarray(32, 44), commitment: material.subarray(44) };
}

export const sealChunk = (keys, number, plain) => sealGcm(keys.key, nonceFor(keys.nonce, number), noAad, plain);
export const openChunk = (keys, number, sealed) =>
    openGcm(keys.key, nonceFor(keys.nonce, number), noAad, sealed, `chunk ${number}`);

/** The sealed stream in pieces of four chunks, as DATA carries them, from chunk `begin` on. */
export function* sealStream(keys, plain, begin = 0) {
    const chunks = chunkCount(plain.length);
    for (let first = begin; first < chunks; first += 4) {
        const piece = [];
        for (let number = first; number < Math.min(first + 4, chunks); ++number) {
            piece.push(sealChunk(keys, number, plain.subarray(number * chunkPlain, (number + 1) * chunkPlain)));
        }
        yield concat(...piece);
    }
}

/** Opens a stream piece by piece, from chunk `first` on; `finish` refuses a plaintext of another length. */
export class StreamOpener {
    constructor(keys, plainBytes, first = 0) {
        this.keys = keys;
        this.plainBytes = plainBytes;
        this.number = first;
    }
    /** The plaintext of a piece that is whole chunks, or ends the stream. */
    push(piece) {
        const plain = [];
        for (let at = 0; at < piece.length; at += chunkSealed) {
            const left = this.plainBytes - this.number * chunkPlain;
            const opened = openChunk(this.keys, this.number, piece.subarray(at, at + chunkSealed));
            require(left >= 0 && opened.length === Math.min(left, chunkPlain),
                `chunk ${this.number} has another length`);
            plain.push(opened);
            ++this.number;
        }
        return concat(...plain);
    }
    finish() {
        require(this.number === chunkCount(this.plainBytes), 'the stream has another length than its header says');
    }
}

const fixedHead = (artwork) => concat(ascii('SATE'), u8(1), u8(1), u16(0), ascii(artwork), zeros(6));
export const chunkContext = (artwork) => label('SAT/1 artwork', fixedHead(artwork));
export const wrapLabel = (artwork, wallet, purpose = 'SAT/1 env') =>
    label(purpose, concat(ascii(artwork), nameBytes(wallet)));

/**
 * An envelope for `recipient` ({ wallet, kem, kemId }), a new one or a known DEK wrapped anew:
 * { header, keys, dek, salt }.
 * `wrap` is OAEP, with a fixed seed for vectors.
 */
export function makeEnvelope(artwork, plainBytes, recipient,
    { dek = randomBytes(32), salt = randomBytes(24), purpose = 'SAT/1 env', wrap = sealOaep } = {}) {
    const keys = chunkKeys(dek, salt, chunkContext(artwork));
    const wrapped = wrap(recipient.kem, dek, wrapLabel(artwork, recipient.wallet, purpose));
    const header = concat(fixedHead(artwork), u64(plainBytes), nameBytes(recipient.wallet), nameBytes(recipient.kemId),
        vec16(wrapped), salt, keys.commitment);
    return { header, keys, dek, salt };
}

/** Opens a header made for `me`, for that artwork and plaintext length: the chunk keys, their commitment checked. */
export function openEnvelope(header, me, artwork, plainBytes) {
    const reader = new Reader(header, 'an envelope header');
    require(reader.take(24).equals(fixedHead(artwork)), 'an envelope header is of another version or artwork');
    require(reader.u64() === plainBytes, 'an envelope header tells another length');
    require(reader.take(32).equals(nameBytes(me.wallet)), 'an envelope is for another wallet');
    require(reader.take(32).equals(nameBytes(me.kem.id)), 'an envelope is for another key');
    const wrapped = reader.vec16();
    const salt = reader.take(24);
    const commitment = reader.take(32);
    reader.done();
    const dek = openOaep32(me.kem.privateKey, wrapped, wrapLabel(artwork, me.wallet), me.rejection);
    const keys = chunkKeys(dek, salt, chunkContext(artwork));
    if (!sameSecret(keys.commitment, commitment)) {
        throw new ProtocolError('an envelope does not open');
    }
    return { ...keys, dek, salt };
}
