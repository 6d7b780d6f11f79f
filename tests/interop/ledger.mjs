// Ledger leaves and a work's history (docs/protocol.md, The ledger): who owned it, by whose signatures.
// SPDX-License-Identifier: Apache-2.0
import { readStatement, verifyStatement } from './statements.mjs';
import { ascii, require, sha256, u8 } from './wire.mjs';

const statementsOf = {
    register: ['register'], transfer: ['claim', 'answer', 'accept'], hold: ['hold'], release: ['release'],
};
const maxEntry = 65535;

/** H(00 ‖ entry), as hex. */
export const leafHash = (entry) => sha256(u8(0), ascii(entry)).toString('hex');

export const writeLeaf = (type, time, statements) =>
    ['sat-leaf/1', type, String(time), ...statements].map((line) => `${line}\n`).join('');

/** Takes a leaf entry apart: { type, time, statements, hash }. */
export function readLeaf(entry) {
    require(typeof entry === 'string' && entry.length <= maxEntry, 'a leaf has more than 65535 bytes');
    const [magic, type, time, ...statements] = entry.split('\n');
    const end = statements.pop();
    require(magic === 'sat-leaf/1' && end === '', 'a leaf is not of version 1');
    require(Object.hasOwn(statementsOf, type), 'a leaf is of no known type');
    require(/^(0|[1-9][0-9]*)$/.test(time ?? '') && Number.isSafeInteger(Number(time)), 'a leaf has no time');
    require(statements.length === statementsOf[type].length, 'a leaf has another number of statements');
    return { type, time: Number(time), statements, hash: leafHash(entry) };
}

/**
 * Verifies a work's whole history. `vault` is the vault's proved chain, `chainOf(wallet)` gives a person's.
 * Gives { artwork, artist, owner, head, seq, held, leaves, registration }.
 */
export async function verifyHistory(entries, vault, chainOf) {
    require(entries.length > 0, 'a history is empty');
    const state = { artwork: null, artist: null, owner: null, head: null, seq: 0, held: false, leaves: [] };
    for (const [index, entry] of entries.entries()) {
        const leaf = readLeaf(entry);
        require((leaf.type === 'register') === (index === 0), 'a history does not begin with its one registration');
        await verifiers[leaf.type](leaf, state, vault, chainOf);
        state.leaves.push(leaf);
    }
    return state;
}

async function verifyBySigner(jws, type, vault, chainOf, wallet) {
    return verifyStatement(jws, type, await chainOf(wallet), vault.wallet);
}

async function verifyRegistration(leaf, state, vault, chainOf) {
    const [jws] = leaf.statements;
    // The signer is named by the statement itself; its chain has to prove that name.
    const { iss } = readStatement(jws, 'register').payload;
    const { payload, id } = await verifyBySigner(jws, 'register', vault, chainOf, iss);
    Object.assign(state, {
        artwork: payload.artwork, artist: payload.iss, owner: payload.iss, head: leaf.hash, seq: 0,
        registration: { ...payload, id, jws },
    });
}

async function verifyTransfer(leaf, state, vault, chainOf) {
    require(!state.held, 'a transfer of a held work');
    const [claimJws, answerJws, acceptJws] = leaf.statements;
    const answer = await verifyBySigner(answerJws, 'answer', vault, chainOf, state.owner);
    const to = answer.payload.to;
    const claim = await verifyBySigner(claimJws, 'claim', vault, chainOf, to);
    const accept = await verifyBySigner(acceptJws, 'accept', vault, chainOf, to);
    for (const { payload } of [claim, answer, accept]) {
        require(payload.artwork === state.artwork, 'a transfer is of another work');
        require(payload.head === state.head && payload.seq === state.seq, 'a transfer is from another head');
    }
    require(claim.payload.owner === state.owner, 'a transfer is from another owner');
    require(to !== state.owner, 'a transfer goes to the present owner');
    require(answer.payload.answer === 'yes', 'a transfer has no yes');
    require(answer.payload.claim === claim.id && accept.payload.claim === claim.id, 'a transfer names another claim');
    require(accept.payload.answer === answer.id, 'a transfer names another answer');
    require(leaf.time < claim.payload.exp && leaf.time < answer.payload.exp, 'a transfer came after its deadline');
    Object.assign(state, { owner: to, head: leaf.hash, seq: state.seq + 1 });
}

async function verifyHold(leaf, state, vault) {
    const { payload } = verifyStatement(leaf.statements[0], leaf.type, vault, vault.wallet);
    require(payload.artwork === state.artwork && payload.on === state.head, 'a hold is on another work or head');
    require(state.held === (leaf.type === 'release'), 'holds and releases do not come in turns');
    state.held = leaf.type === 'hold';
}

const verifiers = { register: verifyRegistration, transfer: verifyTransfer, hold: verifyHold, release: verifyHold };
