// The published test keys of tests/vectors/keys as identities: RSA keys take seconds to make, and fixed ones repeat.
// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { identityOf } from './identity.mjs';
import { keyId, spkiOf } from './keys.mjs';

function load(name) {
    const privateKey = createPrivateKey(readFileSync(new URL(`../vectors/keys/test-${name}.pem`, import.meta.url)));
    const publicKey = createPublicKey(privateKey);
    return { privateKey, publicKey, spki: spkiOf(publicKey), id: keyId(publicKey) };
}

/** The keys of 'vault', 'artist' or 'collector': { sign, kem, log and store (a vault's, else null) }. */
export function testKeys(who) {
    const log = who === 'vault' ? load('vault-log') : null;
    const store = who === 'vault' ? load('vault-store') : null;
    return {
        sign: load(`${who}-sign`), kem: load(`${who}-kem`), log: log && { ...log, raw: log.spki.subarray(-32) }, store,
    };
}

export const testIdentity = (who) => identityOf(testKeys(who), who === 'vault' ? 'vault' : 'user');
