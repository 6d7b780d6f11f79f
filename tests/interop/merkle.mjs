// The ledger's Merkle tree (docs/protocol.md, Tree and proofs; RFC 6962 §2.1): roots, audit paths, consistency proofs,
// and the verification of both (RFC 9162 §2.1.3.2, §2.1.4.2). Hashes are Buffers; hex and JSON are the callers'.
// SPDX-License-Identifier: Apache-2.0
import { require, sha256, u8 } from './wire.mjs';

export const maxTreeSize = 2 ** 52;
const hashBytes = 32;

export const nodeHash = (left, right) => sha256(u8(1), left, right);
export const emptyRoot = sha256();

const half = (value) => Math.floor(value / 2);
const isOdd = (value) => value % 2 === 1;

/** The largest power of two below `count`, which is above 1. */
function split(count) {
    let power = 1;
    while (power * 2 < count) {
        power *= 2;
    }
    return power;
}

/** The root over leaf hashes [from, to). */
export function rootOf(leaves, from = 0, to = leaves.length) {
    if (to === from) {
        return emptyRoot;
    }
    if (to - from === 1) {
        return leaves[from];
    }
    const middle = from + split(to - from);
    return nodeHash(rootOf(leaves, from, middle), rootOf(leaves, middle, to));
}

/** The audit path of leaf `index` among the first `size`, lowest node first (§2.1.1). */
export function inclusionProof(leaves, index, size = leaves.length) {
    const path = (from, to) => {
        if (to - from === 1) {
            return [];
        }
        const middle = from + split(to - from);
        return index < middle ? [...path(from, middle), rootOf(leaves, middle, to)]
            : [...path(middle, to), rootOf(leaves, from, middle)];
    };
    return path(0, size);
}

/** From the tree of the first `old` leaves to that of the first `size` (§2.1.2); empty from 0 and between equals. */
export function consistencyProof(leaves, old, size = leaves.length) {
    const path = (from, to, upTo, whole) => {
        if (upTo === to) {
            return whole ? [] : [rootOf(leaves, from, to)];
        }
        const middle = from + split(to - from);
        return upTo <= middle ? [...path(from, middle, upTo, whole), rootOf(leaves, middle, to)]
            : [...path(middle, to, upTo, false), rootOf(leaves, from, middle)];
    };
    return old === 0 || old === size ? [] : path(0, size, old, true);
}

const isSize = (value) => Number.isSafeInteger(value) && value >= 0 && value <= maxTreeSize;
const isHash = (value) => value.length === hashBytes;

/** Throws unless `proof` shows that the leaf is at `index` of the tree. */
export function verifyInclusion({ leaf, index, size, root, proof }) {
    require(isSize(index) && isSize(size) && index < size, 'an inclusion proof is for no leaf of the tree');
    require([leaf, root, ...proof].every(isHash), 'an inclusion proof has a hash of another length');
    let at = index;
    let last = size - 1;
    let made = leaf;
    for (const node of proof) {
        require(last > 0, 'an inclusion proof is too long');
        if (isOdd(at) || at === last) {
            made = nodeHash(node, made);
            while (!isOdd(at) && at > 0) {
                at = half(at);
                last = half(last);
            }
        } else {
            made = nodeHash(made, node);
        }
        at = half(at);
        last = half(last);
    }
    require(last === 0, 'an inclusion proof is too short');
    require(made.equals(root), 'an inclusion proof leads to another root');
}

/** Throws unless `proof` shows that the tree of `size` begins with that of `oldSize`. */
export function verifyConsistency({ oldSize, oldRoot, size, root, proof }) {
    require(isSize(oldSize) && isSize(size) && oldSize <= size, 'a consistency proof is between no two trees');
    if (oldSize === size || oldSize === 0) {
        require(proof.length === 0, 'a consistency proof is longer than needed');
        require(oldSize !== size || oldRoot.equals(root), 'two trees of one size have different roots');
        require(oldSize !== 0 || (oldRoot.equals(emptyRoot) && isHash(root)), 'an empty tree has another root');
        return;
    }
    require([oldRoot, root, ...proof].every(isHash), 'a consistency proof has a hash of another length');
    let at = oldSize - 1;
    let last = size - 1;
    while (isOdd(at)) {
        at = half(at);
        last = half(last);
    }
    // A complete old tree is the first node of the path itself, and so not part of the proof.
    const [first, ...nodes] = at === 0 ? [oldRoot, ...proof] : proof;
    require(first !== undefined, 'a consistency proof is too short');
    let madeOld = first;
    let made = first;
    for (const node of nodes) {
        require(last > 0, 'a consistency proof is too long');
        if (isOdd(at) || at === last) {
            madeOld = nodeHash(node, madeOld);
            made = nodeHash(node, made);
            while (!isOdd(at) && at > 0) {
                at = half(at);
                last = half(last);
            }
        } else {
            made = nodeHash(made, node);
        }
        at = half(at);
        last = half(last);
    }
    require(last === 0, 'a consistency proof is too short');
    require(madeOld.equals(oldRoot), 'a consistency proof leads to another old root');
    require(made.equals(root), 'a consistency proof leads to another root');
}
