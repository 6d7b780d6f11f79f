// The transfer's rules (docs/protocol.md, The transfer's rules) as one pure function a vault calls: who may, in which
// state, under which guards, in the document's order; a refusal is thrown with its code.
// SPDX-License-Identifier: Apache-2.0
import { applicationCodes } from './wire.mjs';

const day = 86400;
const maxOpenClaims = 50;

/** What a vault answers instead of a result. */
export class Refusal extends Error {
    constructor(code) {
        super(applicationCodes[code]);
        this.code = code;
    }
}

/** Throws Refusal(code) unless `condition` holds. */
export function demand(condition, code) {
    if (!condition) {
        throw new Refusal(code);
    }
}

export const isOpen = ({ state }) => state === 'pending' || state === 'confirmed';

/** When a claim expires, or null when it is over. */
export function deadlineOf({ state, payload, answer }) {
    return { pending: payload.exp, confirmed: Math.min(payload.exp, answer?.payload.exp ?? 0) }[state] ?? null;
}

function requireState(claim, ...states) {
    demand(claim.state !== 'superseded', 115);
    demand(claim.state !== 'expired', 106);
    demand(states.includes(claim.state), 113);
}

const isCurrent = (work, { head, seq }) => work.head === head && work.seq === seq;

/** A claim by `wallet`; `open` are the open claims on the work. */
function claim({ work, wallet, payload, open, now }) {
    demand(work.owner !== wallet, 102);
    demand(isCurrent(work, payload) && work.owner === payload.owner, 105);
    demand(!work.held, 109);
    demand(!open.some(({ collector }) => collector === wallet), 113);
    demand(open.length < maxOpenClaims, 117);
    demand(now < payload.exp, 106);
    demand(payload.exp <= now + 30 * day, 108);
    return 'pending';
}

function answer({ work, wallet, payload, claimed, open, now }) {
    demand(work.owner === wallet, 114);
    demand(claimed !== undefined && claimed.artwork === work.artwork, 101);
    const yes = payload.answer === 'yes';
    requireState(claimed, 'pending', ...(yes ? [] : ['confirmed']));
    demand(isCurrent(work, payload), 105);
    demand(!yes || !work.held, 109);
    demand(payload.to === claimed.collector, 108);
    if (!yes) {
        return 'declined';
    }
    demand(!open.some(({ state }) => state === 'confirmed'), 113);
    demand(now < payload.exp, 106);
    demand(payload.exp <= Math.min(now + 7 * day, claimed.payload.exp), 108);
    return 'confirmed';
}

function withdraw({ wallet, payload, claimed }) {
    demand(claimed !== undefined && claimed.collector === wallet && claimed.artwork === payload.artwork, 101);
    requireState(claimed, 'pending', 'confirmed');
    return 'withdrawn';
}

function accept({ work, wallet, payload, claimed }) {
    demand(claimed !== undefined && claimed.collector === wallet && claimed.artwork === work.artwork, 101);
    requireState(claimed, 'confirmed');
    demand(isCurrent(work, payload), 105);
    demand(payload.answer === claimed.answer.id, 108);
    demand(!work.held, 109);
    return 'completed';
}

/** event → the claim's next state, or a Refusal. A claim whose deadline has come has to be `expired` already. */
export const decide = { claim, answer, withdraw, accept };
