// OAEP with a given seed and PSS with a given salt (RFC 8017 §7.1.1, §9.1.1), for vectors alone: OpenSSL draws both
// itself.
// SPDX-License-Identifier: Apache-2.0
import { constants, privateEncrypt, publicEncrypt } from 'node:crypto';
import { modulusOf } from './keys.mjs';
import { concat, sha256, u32, u8, zeros } from './wire.mjs';

const hashBytes = 32;

/** MGF1 with SHA-256 (§B.2.1). */
function mask(seed, length) {
    let out = zeros(0);
    for (let counter = 0; out.length < length; ++counter) {
        out = concat(out, sha256(seed, u32(counter)));
    }
    return out.subarray(0, length);
}
const xor = (a, b) => Buffer.from(a.map((byte, at) => byte ^ b[at]));
const raw = (key) => ({ key, padding: constants.RSA_NO_PADDING });

/** RSAES-OAEP with SHA-256 and MGF1-SHA-256. */
export function sealOaepWith(seed, publicKey, message, label) {
    const data = modulusOf(publicKey).length - hashBytes - 1;
    const block = concat(sha256(label), zeros(data - hashBytes - 1 - message.length), u8(1), message);
    const maskedData = xor(block, mask(seed, data));
    const maskedSeed = xor(seed, mask(maskedData, hashBytes));
    return publicEncrypt(raw(publicKey), concat(u8(0), maskedSeed, maskedData));
}

/** RSASSA-PSS with SHA-256, MGF1-SHA-256 and this salt of 32 bytes; the modulus has a whole number of bytes. */
export function signPssWith(salt, privateKey, data) {
    const length = modulusOf(privateKey).length;
    const digest = sha256(zeros(8), sha256(data), salt);
    const block = concat(zeros(length - 2 * hashBytes - 2), u8(1), salt);
    const masked = xor(block, mask(digest, block.length));
    masked[0] &= 0x7f;
    return privateEncrypt(raw(privateKey), concat(masked, digest, u8(0xbc)));
}
