// What a client holds a vault's ledger against (docs/protocol.md, Checkpoints): the newest checkpoint it verified, the
// consistency of every later one, and the proofs of the leaves it relies on. Kept in memory, for as long as the caller.
// SPDX-License-Identifier: Apache-2.0
import { verifyConsistency, verifyInclusion } from './merkle.mjs';
import { verifyCheckpoint } from './note.mjs';
import { isName, nameBytes, ProtocolError, require } from './wire.mjs';

/** The vault's ledger contradicts what was seen before; `notes` are the two that cannot both be. */
export class Contradiction extends ProtocolError {
    constructor(message, ...notes) {
        super(message);
        this.notes = notes;
    }
}

function readProof(proof) {
    require(Array.isArray(proof) && proof.every(isName), 'a proof is not an array of hashes');
    return proof.map(nameBytes);
}

export class LedgerView {
    constructor() {
        this.newest = null;
        this.contradiction = null;
    }

    /** The tree head for `seen`, or null. */
    seen() {
        return this.newest === null ? null : { size: this.newest.size, root: this.newest.root.toString('hex') };
    }

    /** Verifies a note of `vault` against the newest one, with `request` for the proof, and keeps the newer. */
    async take(note, vault, request) {
        if (this.contradiction !== null) {
            throw this.contradiction;
        }
        require(typeof note === 'string', 'a vault shows no checkpoint');
        const given = verifyCheckpoint(note, vault);
        const kept = this.newest;
        if (kept === null) {
            this.newest = given;
            return given;
        }
        const [older, newer] = given.size < kept.size ? [given, kept] : [kept, given];
        try {
            await this.compare(older, newer, request);
        } catch (error) {
            throw await this.contradicted(error, kept, given, request);
        }
        this.newest = newer;
        return given;
    }

    /** Holds what another person's statement saw against the newest tree, a newer one being asked for first. */
    async agree(seen, vault, request) {
        if (seen === null) {
            return;
        }
        if (seen.size > this.newest.size) {
            await this.take((await request('ledger.checkpoint', {})).checkpoint, vault, request);
        }
        require(seen.size <= this.newest.size, 'somebody has seen more of the ledger than the vault shows');
        await this.compare({ size: seen.size, root: nameBytes(seen.root) }, this.newest, request);
    }

    async compare(older, newer, request) {
        const { proof } = older.size === newer.size || older.size === 0 ? { proof: [] }
            : await request('ledger.consistency', { old: older.size, size: newer.size });
        verifyConsistency({
            oldSize: older.size, oldRoot: older.root, size: newer.size, root: newer.root, proof: readProof(proof),
        });
    }

    /** A SERVER_HELLO may not fall behind what the client knew when it dialled. */
    async greet(note, vault, request) {
        const kept = this.newest;
        const given = verifyCheckpoint(note, vault);
        if (kept !== null && given.size < kept.size) {
            throw await this.contradicted(new ProtocolError('the ledger has become shorter'), kept, given, request);
        }
        return this.take(note, vault, request);
    }

    async contradicted(error, kept, given, request) {
        if (!(error instanceof ProtocolError)) {
            return error;
        }
        this.contradiction = new Contradiction(error.message, kept.note, given.note);
        await request('ledger.report', { checkpoint: kept.note }).catch(() => {});
        return this.contradiction;
    }

    /** Proves that the leaf of this hash is in the newest verified tree: { index, proof }. */
    async prove(leaf, request) {
        const { size, root } = this.newest;
        const { index, proof } = await request('ledger.inclusion', { leaf, size });
        verifyInclusion({ leaf: nameBytes(leaf), index, size, root, proof: readProof(proof) });
        return { index, proof };
    }
}
