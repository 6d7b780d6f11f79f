// JWS that are wrong in one thing: another header, another algorithm, a payload that no writer of ours prints.
// SPDX-License-Identifier: Apache-2.0
import { constants, createHmac, sign } from 'node:crypto';
import { algorithmOf } from './jws.mjs';
import { signEd25519, signPss } from './keys.mjs';
import { ascii, toBase64url, utf8 } from './wire.mjs';

const encoded = (value) => toBase64url(utf8(typeof value === 'string' ? value : JSON.stringify(value)));

/** Signs `payload` (an object, or its text as it stands) under any header; `make(bytes)` gives the signature. */
function forge(type, payload, key, { header, make } = {}) {
    const normal = { alg: algorithmOf(type), typ: `sat-${type}+jws`, kid: key.id };
    const signed = `${encoded(header === undefined ? normal : header)}.${encoded(payload)}`;
    const usual = algorithmOf(type) === 'EdDSA' ? signEd25519 : signPss;
    const signature = (make ?? ((bytes) => usual(key.privateKey, bytes)))(ascii(signed));
    return `${signed}.${toBase64url(signature)}`;
}

/** The code that a forgery is refused with: what has not the form is 108, another signer or signature 107. */
export const codeOfForgery = (name) => (/somebody else|PKCS|PSS salt/.test(name) ? 107 : 108);

/** What each forgery of a statement of `type` is called, and how it is made: name → (payload, key, other) → JWS. */
export const forgeries = (type) => {
    const headerOf = (key, fields) => ({ alg: algorithmOf(type), typ: `sat-${type}+jws`, kid: key.id, ...fields });
    const withHeader = (fields) => (payload, key) => forge(type, payload, key, { header: headerOf(key, fields) });
    const rsa = (padding, rest = {}) => (payload, key) => forge(type, payload, key,
        { make: (bytes) => sign('sha256', bytes, { key: key.privateKey, padding, ...rest }) });
    return {
        'alg none': (payload, key) => forge(type, payload, key,
            { header: headerOf(key, { alg: 'none' }), make: () => Buffer.alloc(0) }),
        'alg HS256 keyed with the public key': (payload, key) => forge(type, payload, key, {
            header: headerOf(key, { alg: 'HS256' }),
            make: (bytes) => createHmac('sha256', key.spki).update(bytes).digest(),
        }),
        'alg RS256': withHeader({ alg: 'RS256' }),
        'a typ of another statement': withHeader({ typ: 'sat-withdraw+jws' }),
        'no kid': withHeader({ kid: undefined }),
        'a crit member': withHeader({ crit: ['b64'] }),
        'a jwk of its own': withHeader({ jwk: { kty: 'RSA' } }),
        'a header with white space': (payload, key) => forge(type, payload, key,
            { header: JSON.stringify(headerOf(key), null, 1) }),
        'a header with alg twice': (payload, key) => forge(type, payload, key,
            { header: JSON.stringify(headerOf(key)).replace('{', '{"alg":"none",') }),
        'a padded part': (payload, key) => `${forge(type, payload, key)}=`,
        'a fourth part': (payload, key) => `${forge(type, payload, key)}.AA`,
        'two parts': (payload, key) => forge(type, payload, key).replace(/\.[^.]*$/, ''),
        'the kid of somebody else': (payload, key, other) => forge(type, payload, key,
            { header: headerOf(key, { kid: other.id }) }),
        'the signature of somebody else': (payload, key, other) => forge(type, payload, key,
            { make: (bytes) => signPss(other.privateKey, bytes) }),
        'an empty signature': (payload, key) => forge(type, payload, key, { make: () => Buffer.alloc(0) }),
        'a PKCS #1 v1.5 signature': rsa(constants.RSA_PKCS1_PADDING),
        'a PSS salt of 20 bytes': rsa(constants.RSA_PKCS1_PSS_PADDING, { saltLength: 20 }),
        'a payload with a name twice': (payload, key) =>
            forge(type, JSON.stringify(payload).replace('{', '{"v":1,'), key),
        'a member too many': (payload, key) => forge(type, { ...payload, more: 1 }, key),
        'version 2': (payload, key) => forge(type, { ...payload, v: 2 }, key),
        'a seen of three members': (payload, key) =>
            forge(type, { ...payload, seen: { size: 0, root: '0'.repeat(64), more: 1 } }, key),
        'a seen of a negative size': (payload, key) =>
            forge(type, { ...payload, seen: { size: -1, root: '0'.repeat(64) } }, key),
        'a nonce of 15 bytes': (payload, key) => forge(type, { ...payload, nonce: 'A'.repeat(20) }, key),
        'an iat that is text': (payload, key) => forge(type, { ...payload, iat: '1' }, key),
    };
};
