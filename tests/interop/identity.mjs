// Identities (docs/protocol.md, Keys and identities): making one, and proving a chain of documents against its wallet.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { requireMembers } from './json.mjs';
import { readJws, signatureHolds, signJws } from './jws.mjs';
import { keyId, makeLogKey, makeRsaKey, readRsaKey } from './keys.mjs';
import { logVerifier, originOf, readLogVerifier } from './note.mjs';
import { ascii, concat, fromBase64url, isName, Reader, require, toBase64url, u8, vec16 } from './wire.mjs';

const members = ['v', 'wallet', 'kind', 'sign', 'kem', 'log', 'seq', 'prev', 'iat'];
const maxDocuments = 4;

/** Signs an identity document of `keys` ({ sign, kem, log }), `fields` changed in it, by `signer`. */
export const makeDocument = ({ sign, kem, log = null }, kind, fields = {}, signer = sign) => signJws('identity', {
    v: 1, wallet: sign.id, kind, sign: toBase64url(sign.spki), kem: toBase64url(kem.spki),
    log: log === null ? null : logVerifier(sign.id, log.raw).text, seq: 0, prev: null,
    iat: Math.floor(Date.now() / 1000), ...fields,
}, signer);

/** The identity of given keys: { wallet, sign, kem, log, chain, rejection }; `rejection` is the rk of Decap. */
export const identityOf = (keys, kind = 'user') => ({
    ...keys, wallet: keys.sign.id, chain: [makeDocument(keys, kind)], rejection: randomBytes(32),
});

/** An identity after a rekey: `keys` ({ sign, kem }) in one document more, signed by the old `sign`. */
export function rekeyed(me, keys) {
    const prev = readJws(me.chain.at(-1), 'identity').id;
    const fields = { wallet: me.wallet, seq: me.chain.length, prev };
    return { ...me, ...keys, chain: [...me.chain, makeDocument({ ...me, ...keys }, 'user', fields, me.sign)] };
}

/** A new identity in memory; a vault has a `log` key too. */
export async function makeIdentity({ kind = 'user', signBits = 3072, kemBits = 3072 } = {}) {
    const [sign, kem, log] = await Promise.all([makeRsaKey(signBits), makeRsaKey(kemBits),
        kind === 'vault' ? makeLogKey() : null]);
    return identityOf({ sign, kem, log }, kind);
}

export const writeChain = (chain) => concat(u8(chain.length), ...chain.map((jws) => vec16(ascii(jws))));

/** Reads a binary chain from a Reader, without trust: an array of JWS. */
export function readChain(reader) {
    const count = reader.u8();
    require(count >= 1 && count <= maxDocuments, 'a chain has not 1 to 4 documents');
    return Array.from({ length: count }, () => reader.vec16().toString('latin1'));
}

/**
 * Proves a chain: { wallet, kind, signKeys, logKeys (kid to key; a vault has one `log`), log, kem, kemId (newest) }.
 * `expected` may name the wallet and the kind that it has to be of.
 */
export function verifyChain(chain, expected = {}) {
    require(Array.isArray(chain) && chain.length >= 1 && chain.length <= maxDocuments,
        'a chain has not 1 to 4 documents');
    const signKeys = new Map();
    const logKeys = new Map();
    const kemIds = new Set();
    let first;
    let before;
    let newest;
    for (const [index, jws] of chain.entries()) {
        const document = readJws(jws, 'identity');
        const { payload } = document;
        requireMembers(payload, members, 'an identity document');
        require(payload.v === 1 && payload.seq === index, 'an identity document is out of its place');
        require(payload.prev === (before?.id ?? null), 'an identity document does not follow the one before');
        require(payload.kind === 'user' || payload.kind === 'vault', 'an identity is of no known kind');
        require(isName(payload.wallet) && Number.isSafeInteger(payload.iat), 'an identity document is malformed');
        const sign = readRsaKey(fromBase64url(payload.sign));
        const kem = readRsaKey(fromBase64url(payload.kem));
        signKeys.set(keyId(sign), sign);
        kemIds.add(keyId(kem));
        require(![...kemIds].some((id) => signKeys.has(id)), 'an identity has one key for two purposes');
        first ??= { wallet: payload.wallet, kind: payload.kind, log: payload.log, sign };
        require(payload.wallet === first.wallet && payload.kind === first.kind && payload.log === first.log,
            'an identity changed its wallet, kind or log key');
        const signer = before?.sign ?? sign;
        require(document.kid === keyId(signer), 'an identity document names another signer');
        require(signatureHolds(document, 'identity', signer), 'an identity document has a bad signature');
        if (payload.kind === 'vault') {
            const verifier = readLogVerifier(payload.log);
            require(verifier.name === originOf(payload.wallet), 'a log key is of another vault');
            logKeys.set(keyId(verifier.publicKey), verifier.publicKey);
        } else {
            require(payload.log === null, 'a user names a log key');
        }
        before = { id: document.id, sign };
        newest = kem;
    }
    require(keyId(first.sign) === first.wallet, 'a wallet is not the id of its first key');
    require((expected.wallet ?? first.wallet) === first.wallet, `a chain is of another wallet than ${expected.wallet}`);
    require((expected.kind ?? first.kind) === first.kind, `an identity is not of kind ${expected.kind}`);
    return { wallet: first.wallet, kind: first.kind, signKeys, logKeys, log: first.log, kem: newest, kemId: keyId(newest) };
}
