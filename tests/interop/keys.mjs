// The keys of docs/protocol.md (Conventions, Keys and identities): RSA for PSS and OAEP, X25519, Ed25519, AES-256-GCM.
// Also Encap and Decap, which the handshake and the envelope share in spirit and the handshake in full.
// SPDX-License-Identifier: Apache-2.0
import {
    constants, createCipheriv, createDecipheriv, createPublicKey, diffieHellman, generateKeyPair,
    privateDecrypt, publicEncrypt, randomBytes, sign, timingSafeEqual, verify,
} from 'node:crypto';
import { promisify } from 'node:util';
import { ascii, concat, expand, extract, hmac, ProtocolError, require, sha256, zeros } from './wire.mjs';

const spkiPrefix = {
    x25519: Buffer.from('302a300506032b656e032100', 'hex'),
    ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
};
const generate = promisify(generateKeyPair);

export const spkiOf = (publicKey) => publicKey.export({ type: 'spki', format: 'der' });

/** key_id(K) as 64 hex digits. */
export const keyId = (publicKey) => sha256(spkiOf(publicKey)).toString('hex');

/** A new RSA key pair with its id: { privateKey, publicKey, spki, id }. */
export async function makeRsaKey(bits = 3072) {
    const { privateKey, publicKey } = await generate('rsa', { modulusLength: bits, publicExponent: 0x10001 });
    return { privateKey, publicKey, spki: spkiOf(publicKey), id: keyId(publicKey) };
}

/** An Ed25519 key pair for a log: { privateKey, publicKey, raw, id }. */
export async function makeLogKey() {
    const { privateKey, publicKey } = await generate('ed25519');
    return { privateKey, publicKey, raw: spkiOf(publicKey).subarray(-32), id: keyId(publicKey) };
}

/** An RSA public key from its SPKI, with every check that the document asks at each use. */
export function readRsaKey(spki) {
    require(spki.length <= 600, 'an RSA key has more than 600 bytes');
    let key;
    try {
        key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    } catch {
        throw new ProtocolError('an RSA key does not decode');
    }
    require(key.asymmetricKeyType === 'rsa', 'a key is not rsaEncryption');
    require(spkiOf(key).equals(spki), 'an RSA key is not in its one DER form');
    const { modulusLength, publicExponent } = key.asymmetricKeyDetails;
    require(modulusLength === 3072 || modulusLength === 4096, 'an RSA key has neither 3072 nor 4096 bits');
    require(publicExponent === 65537n, 'an RSA key has a public exponent other than 65537');
    const modulus = Buffer.from(key.export({ format: 'jwk' }).n, 'base64url');
    require((modulus.at(-1) & 1) === 1, 'an RSA modulus is even');
    return key;
}

/** The modulus of an RSA key, big-endian; its length is the length of a ciphertext and of a signature. */
export const modulusOf = (key) => 
    Buffer.from((key.type === 'public' ? key : createPublicKey(key)).export({ format: 'jwk' }).n, 'base64url');

const pss = (key) => ({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
export const signPss = (privateKey, data) => sign('sha256', data, pss(privateKey));
export const verifyPss = (publicKey, data, signature) => verify('sha256', data, pss(publicKey), signature);

// The y of the eight points of small order, whatever the sign of x.
const smallOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

/** An Ed25519 public key from its 32 bytes: the one encoding of a point, and of none of small order. */
export function readEd25519(raw) {
    require(raw.length === 32, 'an Ed25519 key has not 32 bytes');
    const y = Buffer.from(raw);
    y[31] &= 0x7f;
    require(BigInt(`0x${Buffer.from(y).reverse().toString('hex')}`) < 2n ** 255n - 19n,
        'an Ed25519 key is not in its one form');
    require(!smallOrder.includes(y.toString('hex')), 'an Ed25519 key is of small order');
    return createPublicKey({ key: concat(spkiPrefix.ed25519, raw), format: 'der', type: 'spki' });
}
export const signEd25519 = (privateKey, data) => sign(null, data, privateKey);
export const verifyEd25519 = (publicKey, data, signature) => verify(null, data, publicKey, signature);

const oaep = (key, oaepLabel) =>
    ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel });
export const sealOaep = (publicKey, message, oaepLabel) => publicEncrypt(oaep(publicKey, oaepLabel), message);

/**
 * OAEP⁻¹ to exactly 32 bytes with implicit rejection: a failure gives a value that depends on the ciphertext and on
 * `rejection` (32 random bytes of the key's owner) alone, so that only what is authenticated next can tell.
 */
export function openOaep32(privateKey, ciphertext, oaepLabel, rejection) {
    const modulus = modulusOf(privateKey);
    require(ciphertext.length === modulus.length, 'a wrapped secret has not the length of the key');
    require(Buffer.compare(ciphertext, modulus) < 0, 'a wrapped secret is not below the modulus');
    const rejected = hmac(rejection, concat(sha256(ciphertext), oaepLabel));
    try {
        const opened = privateDecrypt(oaep(privateKey, oaepLabel), ciphertext);
        return opened.length === 32 ? opened : rejected;
    } catch {
        return rejected;
    }
}

/** ss from m, as Encap and Decap end. `id` is the recipient key's id, raw. */
export const sharedSecret = (message, id, ciphertext, kemLabel) =>
    expand(extract(ascii('SAT/1 kem'), message), concat(id, sha256(ciphertext), kemLabel), 32);

/** Encap(pk, L): { ciphertext, secret }. */
export function encap(publicKey, kemLabel) {
    const message = randomBytes(32);
    const ciphertext = sealOaep(publicKey, message, kemLabel);
    return { ciphertext, secret: sharedSecret(message, sha256(spkiOf(publicKey)), ciphertext, kemLabel) };
}

/** Decap(sk, ct, L) with a key as makeRsaKey gives it. */
export function decap(key, ciphertext, kemLabel, rejection) {
    const message = openOaep32(key.privateKey, ciphertext, kemLabel, rejection);
    return sharedSecret(message, Buffer.from(key.id, 'hex'), ciphertext, kemLabel);
}

/** An ephemeral X25519 key: { privateKey, raw }. */
export async function makeEphemeral() {
    const { privateKey, publicKey } = await generate('x25519');
    return { privateKey, raw: spkiOf(publicKey).subarray(-32) };
}

/** The raw public half of an X25519 or Ed25519 private key. */
export const publicOf = (privateKey) => spkiOf(createPublicKey(privateKey)).subarray(-32);

/** X25519; an all-zero result is refused (RFC 7748 §6.1). */
export function agree(privateKey, peerRaw) {
    const publicKey = createPublicKey({ key: concat(spkiPrefix.x25519, peerRaw), format: 'der', type: 'spki' });
    let shared;
    try {
        shared = diffieHellman({ privateKey, publicKey });
    } catch {
        throw new ProtocolError('the key agreement gave nothing');
    }
    require(!shared.equals(zeros(32)), 'the key agreement gave zero');
    return shared;
}

/** AES-256-GCM: ciphertext ‖ tag. */
export function sealGcm(key, nonce, aad, plaintext) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(aad);
    const ciphertext = concat(cipher.update(plaintext), cipher.final());
    return concat(ciphertext, cipher.getAuthTag());
}

/** Opens ciphertext ‖ tag; throws ProtocolError("`what` does not open") and gives nothing when the tag is wrong. */
export function openGcm(key, nonce, aad, sealed, what) {
    require(sealed.length >= 16, `${what} is shorter than a tag`);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(-16));
    const plaintext = decipher.update(sealed.subarray(0, -16));
    try {
        return concat(plaintext, decipher.final());
    } catch {
        throw new ProtocolError(`${what} does not open`);
    }
}

export const sameSecret = (a, b) => a.length === b.length && timingSafeEqual(a, b);
