// Certificates (docs/protocol.md, Certificates): what proves an ownership without the vault, written and verified.
// SPDX-License-Identifier: Apache-2.0
import { verifyChain } from './identity.mjs';
import { parseObject, requireMembers } from './json.mjs';
import { leafHash, verifyHistory } from './ledger.mjs';
import { verifyInclusion } from './merkle.mjs';
import { verifyWitnessed } from './note.mjs';
import { verifyStatement } from './statements.mjs';
import { isName, nameBytes, require, sha256, utf8 } from './wire.mjs';

const maxBytes = 16 * 2 ** 20;
const maxWitnesses = 15;
const members = ['v', 'vault', 'identities', 'leaves', 'head', 'checkpoint', 'witnesses'];
const leafMembers = ['entry', 'index', 'proof'];

/** The bytes of a certificate; the parts are those of the document, `v` aside. */
export const writeCertificate = ({ vault, identities, leaves, head, checkpoint, witnesses = [] }) =>
    utf8(JSON.stringify({ v: 1, vault, identities, leaves, head, checkpoint, witnesses }));

function readParts(bytes) {
    require(bytes.length <= maxBytes, 'a certificate has more than 16 MiB');
    const parts = parseObject(bytes);
    requireMembers(parts, members, 'a certificate');
    require(parts.v === 1 && Array.isArray(parts.identities) && Array.isArray(parts.leaves)
        && Array.isArray(parts.witnesses), 'a certificate is malformed');
    require(parts.witnesses.length <= maxWitnesses && parts.witnesses.every((key) => typeof key === 'string'),
        'a certificate has more than 15 witnesses');
    for (const leaf of parts.leaves) {
        require(leaf !== null && typeof leaf === 'object', 'a leaf of a certificate is malformed');
        requireMembers(leaf, leafMembers, 'a leaf of a certificate');
        require(Array.isArray(leaf.proof) && leaf.proof.every(isName), 'a proof of a certificate is malformed');
    }
    const again = writeCertificate({ ...parts,
        leaves: parts.leaves.map(({ entry, index, proof }) => ({ entry, index, proof })) });
    require(bytes.equals(again), 'a certificate is not in its one form');
    return parts;
}

/** The chains of everybody who signed, by wallet: sorted, each once. */
function proveIdentities(identities) {
    const chains = new Map();
    let before = '';
    for (const chain of identities) {
        const proved = verifyChain(chain, { kind: 'user' });
        require(before < proved.wallet, 'the identities of a certificate are not sorted');
        before = proved.wallet;
        chains.set(proved.wallet, proved);
    }
    return chains;
}

/**
 * Verifies a certificate against the vault's `wallet`, and against an image if there is one.
 * Gives { artwork, owner, seq, history, checkpoint, witnesses }.
 */
export async function verifyCertificate(bytes, wallet, image = null) {
    const parts = readParts(bytes);
    const vault = verifyChain(parts.vault, { wallet, kind: 'vault' });
    const checkpoint = verifyWitnessed(parts.checkpoint, vault, parts.witnesses);
    const chains = proveIdentities(parts.identities);
    let last = -1;
    for (const { entry, index, proof } of parts.leaves) {
        require(Number.isSafeInteger(index) && index > last, 'the leaves of a certificate do not rise');
        last = index;
        verifyInclusion({
            leaf: nameBytes(leafHash(entry)), index, size: checkpoint.size, root: checkpoint.root,
            proof: proof.map(nameBytes),
        });
    }
    const signers = new Set();
    const history = await verifyHistory(parts.leaves.map(({ entry }) => entry), vault, async (signer) => {
        require(chains.has(signer), 'a certificate lacks the identity of a signer');
        signers.add(signer);
        return chains.get(signer);
    });
    require(signers.size === chains.size, 'a certificate has the identity of somebody who did not sign');
    const { payload } = verifyStatement(parts.head, 'head', vault, vault.wallet);
    require(payload.artwork === history.artwork && payload.head === history.head && payload.seq === history.seq
        && payload.owner === history.owner && payload.leaves === history.leaves.length,
    'the head of a certificate is of another history');
    require(payload.size === checkpoint.size && payload.root === checkpoint.root.toString('hex'),
        'the head of a certificate is of another tree');
    require(image === null || sha256(image).toString('hex') === history.registration.sha256,
        'the image is not the registered one');
    return { ...history, history, checkpoint, witnesses: parts.witnesses };
}
