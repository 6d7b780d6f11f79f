// A vault's ledger in memory (docs/protocol.md, The ledger): leaves, tree heads and their proofs, and the vault's words
// about them.
// SPDX-License-Identifier: Apache-2.0
import { leafHash, writeLeaf } from './ledger.mjs';
import { consistencyProof, inclusionProof, rootOf } from './merkle.mjs';
import { logVerifier, readNote, verifySignature, writeCheckpoint } from './note.mjs';
import { makeStatement } from './statements.mjs';
import { nameBytes } from './wire.mjs';

const hex = (hash) => hash.toString('hex');

export class VaultLedger {
    constructor(me, leaves = []) {
        this.me = me;
        this.signer = { privateKey: me.log.privateKey, verifier: logVerifier(me.wallet, me.log.raw) };
        this.leaves = leaves;
        this.notes = new Map();
    }
    clone() {
        return new VaultLedger(this.me, [...this.leaves]);
    }
    get size() {
        return this.leaves.length;
    }
    hashes(size = this.size) {
        return this.leaves.slice(0, size).map(({ hash }) => hash);
    }
    root(size = this.size) {
        return rootOf(this.hashes(size));
    }
    treeHead(size = this.size) {
        return { size, root: hex(this.root(size)) };
    }
    /** Appends a leaf about a work that has `owner`, `head` and `seq` after it; `fields` says which of them change. */
    append(type, artwork, statements, time, fields = {}) {
        const entry = writeLeaf(type, time, statements);
        const name = leafHash(entry);
        this.leaves.push({ entry, hash: nameBytes(name), name, artwork, type, fields });
        return name;
    }
    /** The note of a size: one root and one signature for each. */
    checkpoint(size = this.size) {
        if (!this.notes.has(size)) {
            this.notes.set(size, writeCheckpoint(this.signer, size, this.root(size)));
        }
        return this.notes.get(size);
    }
    of(artwork, size = this.size) {
        return this.leaves.slice(0, size).filter((leaf) => leaf.artwork === artwork);
    }
    /** Where a leaf (its hash as hex) is among the first `size`, and its audit path; null where it is not. */
    inclusion(name, size) {
        const index = this.leaves.slice(0, size).findIndex((leaf) => leaf.name === name);
        return index < 0 ? null : { index, proof: inclusionProof(this.hashes(), index, size).map(hex) };
    }
    consistency(old, size) {
        return consistencyProof(this.hashes(), old, size).map(hex);
    }
    /** The vault's statement of who owned a work at a tree head; null where the work was not registered by then. */
    head(artwork, size) {
        const leaves = this.of(artwork, size);
        const owning = leaves.filter(({ type }) => type === 'register' || type === 'transfer');
        if (owning.length === 0) {
            return null;
        }
        const { name, fields } = owning.at(-1);
        return makeStatement('head', this.me, this.me.wallet, {
            artwork, head: name, seq: owning.length - 1, owner: fields.owner, leaves: leaves.length,
            ...this.treeHead(size),
        });
    }
    /** Whether a note has this vault's signature and cannot be of this ledger. Throws where it is no note. */
    contradicts(note) {
        const read = readNote(note);
        if (read.origin !== this.signer.verifier.name) {
            return false;
        }
        verifySignature(read, this.signer.verifier);
        return read.size > this.size || !read.root.equals(this.root(read.size));
    }
    /** Whether a `seen` is a tree head of this ledger. */
    knows(seen) {
        return seen === null || (seen.size <= this.size && seen.root === hex(this.root(seen.size)));
    }
}
