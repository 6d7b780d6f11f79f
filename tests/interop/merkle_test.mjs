// The tree against transparency-dev's probes and a naive definition; every proof also bent.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
    consistencyProof, emptyRoot, inclusionProof, maxTreeSize, nodeHash, rootOf, verifyConsistency, verifyInclusion,
} from './merkle.mjs';
import { vectorPath } from './vectors.mjs';
import { ProtocolError, sha256, u32 } from './wire.mjs';

function* probes(kind) {
    const folder = vectorPath(`merkle/${kind}`);
    if (folder !== null) {
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
            if (entry.name.endsWith('.json')) {
                yield JSON.parse(readFileSync(join(entry.path, entry.name), 'utf8'));
            }
        }
    }
}
const decoded = (text) => Buffer.from(text, 'base64');
const proofOf = ({ proof }) => (proof ?? []).map(decoded);

function compare(probe, verify) {
    if (probe.wantErr) {
        assert.throws(verify, ProtocolError, probe.desc);
    } else {
        verify();
    }
}

test('Every inclusion probe holds or fails as its file says', (t) => {
    let count = 0;
    for (const probe of probes('inclusion')) {
        compare(probe, () => verifyInclusion({
            leaf: decoded(probe.leafHash), index: probe.leafIdx, size: probe.treeSize, root: decoded(probe.root),
            proof: proofOf(probe),
        }));
        ++count;
    }
    assert(count > 50 || vectorPath('merkle') === null);
    t.diagnostic(`${count} probes`);
});

test('Every consistency probe holds or fails as its file says', (t) => {
    let count = 0;
    for (const probe of probes('consistency')) {
        compare(probe, () => verifyConsistency({
            oldSize: probe.size1, oldRoot: decoded(probe.root1), size: probe.size2, root: decoded(probe.root2),
            proof: proofOf(probe),
        }));
        ++count;
    }
    assert(count > 50 || vectorPath('merkle') === null);
    t.diagnostic(`${count} probes`);
});

const leaves = Array.from({ length: 70 }, (_, index) => sha256(u32(index)));

/** The root level by level: neighbours are joined, one that is left over goes up as it is. */
function naiveRoot(nodes) {
    if (nodes.length <= 1) {
        return nodes[0] ?? emptyRoot;
    }
    const above = [];
    for (let at = 0; at < nodes.length; at += 2) {
        above.push(at + 1 < nodes.length ? nodeHash(nodes[at], nodes[at + 1]) : nodes[at]);
    }
    return naiveRoot(above);
}

test('Roots are those of the tree built level by level', () => {
    for (let size = 0; size <= leaves.length; ++size) {
        assert(rootOf(leaves, 0, size).equals(naiveRoot(leaves.slice(0, size))), `size ${size}`);
    }
});

const without = (list, at) => list.filter((_, i) => i !== at);

test('Every leaf of every tree has a proof, and no bent one', () => {
    for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 70]) {
        const root = rootOf(leaves, 0, size);
        for (let index = 0; index < size; ++index) {
            const good = { leaf: leaves[index], index, size, root, proof: inclusionProof(leaves, index, size) };
            verifyInclusion(good);
            const bent = [
                { proof: [...good.proof, root] }, { leaf: sha256(leaves[index]) }, { index: index + 1 },
                { size: index },
                { root: sha256(root) }, ...good.proof.map((_, at) => ({ proof: without(good.proof, at) })),
                ...good.proof.map((node, at) => ({ proof: good.proof.map((other, i) => (i === at ? sha256(node) : other)) })),
            ];
            bent.forEach((change, which) => assert.throws(() => verifyInclusion({ ...good, ...change }), ProtocolError,
                `${size} ${index} ${which}`));
        }
    }
});

test('Every tree is consistent with every later one, and by no bent proof', () => {
    for (let size = 1; size <= 40; ++size) {
        const root = rootOf(leaves, 0, size);
        for (let oldSize = 0; oldSize <= size; ++oldSize) {
            const oldRoot = rootOf(leaves, 0, oldSize);
            const good = { oldSize, oldRoot, size, root, proof: consistencyProof(leaves, oldSize, size) };
            verifyConsistency(good);
            const bent = [{ proof: [...good.proof, root] }, { oldRoot: sha256(oldRoot) }, { oldSize: size + 1 },
                ...(oldSize === 0 ? [] : [{ root: sha256(root) }]),
                ...good.proof.map((_, at) => ({ proof: without(good.proof, at) }))];
            bent.forEach((change, which) => assert.throws(() => verifyConsistency({ ...good, ...change }),
                ProtocolError, `${oldSize} ${size} ${which}`));
        }
    }
});

test('Sizes up to 2^52 are judged without loss', () => {
    const size = maxTreeSize;
    const path = Array.from({ length: 52 }, (_, level) => sha256(u32(level + 100)));
    const root = path.reduce((node, right) => nodeHash(node, right), leaves[0]);
    verifyInclusion({ leaf: leaves[0], index: 0, size, root, proof: path });
    assert.throws(() => verifyInclusion({ leaf: leaves[0], index: 1, size, root, proof: path }), ProtocolError);
    assert.throws(() => verifyInclusion({ leaf: leaves[0], index: 0, size: size + 1, root, proof: path }),
        ProtocolError);
});
