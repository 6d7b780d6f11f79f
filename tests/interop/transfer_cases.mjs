// Misbehaviours of owners and collectors around one work that goes from Ann to Bob and back: stale heads, consent that
// was given before, deadlines, other people's claims. Steps between the cases are legitimate and change the state.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { codeOfForgery, forgeries } from './forgery.mjs';
import { readJws } from './jws.mjs';
import { commitMetadata, commitText, makeStatement } from './statements.mjs';
import { toBase64url } from './wire.mjs';

const nothing = '9'.repeat(64);
const day = 86400;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const shortly = 4;          // seconds that a deadline is away that is to pass

export function transferCases(world) {
    const { ann, bob, cyn } = world;
    const artwork = world.work;
    const now = () => ann.connection.vaultNow();
    const pass = async (time) => {
        while (now() <= time) {
            await sleep(100);
        }
    };
    const at = {};              // what the steps leave for the cases: work, claims, answers
    const bad = (expected, name, run) => [expected, name, run];
    const step = (name, run) => ['step', name, run];

    const open = (client, fields) => client.request('claim.open', { claim: client.claimStatement(at.work, fields) });
    const answer = (client, to, yes, fields, extra = {}) =>
        client.request('claim.answer', { answer: client.answerStatement(to, yes, fields), ...extra });
    const accept = (client, confirmed, change = {}) =>
        client.request('claim.accept', { ...client.acceptance(confirmed, 'B', ''), ...change });
    const signed = (type, me, fields) => makeStatement(type, me, ann.vault.wallet, fields);
    const forged = (type, payloadOf, key, other, send) => Object.entries(forgeries(type)).map(([name, make]) =>
        bad(codeOfForgery(name), `${type === 'accept' || type === 'answer' ? 'an' : 'a'} ${type} with ${name}`,
            () => send(make(payloadOf(), key, other))));
    const payloadOf = (jws, type) => readJws(jws, type).payload;
    const refresh = async () => {
        at.work = await bob.work(artwork);
    };
    const metadata = (value, commit) => async () => {
        const made = commitMetadata(value);
        const { payload } = at.claim.claim;
        const statement = bob.statement('accept', {
            artwork, head: payload.head, seq: payload.seq, claim: at.claim.claim.id, answer: at.yes.answer.id,
            metadata_commit: commit ?? made.commit,
        });
        return bob.request('claim.accept', { accept: statement, salt: made.salt, metadata: value });
    };
    const person = (fields) => JSON.stringify({ name: 'B', contact: '', wallet_address: bob.me.wallet, ...fields });
    const wrongSeen = (seen) => ({ seen });

    return [
        step('the work is looked at', refresh),

        // Claims
        ...forged('claim', () => payloadOf(bob.claimStatement(at.work), 'claim'), bob.me.sign, cyn.me.sign,
            (claim) => bob.request('claim.open', { claim })),
        bad(102, "a claim on one's own work", () => open(ann)),
        bad(105, 'a claim on another head', () => open(bob, { head: nothing })),
        bad(105, 'a claim on another seq', () => open(bob, { seq: 1 })),
        bad(105, 'a claim to somebody who is not the owner', () => open(bob, { owner: cyn.me.wallet })),
        bad(101, 'a claim on a work that is not there', () => open(bob, { artwork: '0000000000' })),
        bad(106, 'a claim whose deadline is now', () => open(bob, { exp: now() })),
        bad(108, 'a claim of more than 30 days', () => open(bob, { exp: now() + 30 * day + 60 })),
        bad(107, 'a claim in the name of somebody else', () => open(bob, { iss: cyn.me.wallet })),
        bad(107, "a claim that somebody else signed and sent", () =>
            bob.request('claim.open', { claim: cyn.claimStatement(at.work) })),
        bad(108, 'a claim for another vault', () => open(bob, { vault: nothing })),
        bad(116, 'a claim that saw more than there is', () => open(bob, wrongSeen({ size: 10 ** 6, root: nothing }))),
        bad(116, 'a claim that saw another ledger', () => open(bob, wrongSeen({ ...bob.view.seen(), root: nothing }))),
        bad(116, 'a claim that saw a full ledger of no leaves', () => open(bob, wrongSeen({ size: 0, root: nothing }))),
        bad(108, 'a claim with a text that it does not commit to', () => bob.request('claim.open',
            { claim: bob.claimStatement(at.work), text: { salt: toBase64url(randomBytes(32)), text: 'x' } })),
        bad(108, 'a claim without the text that it commits to', () => open(bob, { text_commit: nothing })),
        bad(112, 'a claim with another text than it commits to', () => {
            const { salt, commit } = commitText('Please');
            return bob.request('claim.open',
                { claim: bob.claimStatement(at.work, { text_commit: commit }), text: { salt, text: 'please' } });
        }),
        bad(108, 'a withdrawal in the place of a claim', () => bob.request('claim.open', {
            claim: signed('withdraw', bob.me, { artwork, claim: nothing }),
        })),

        step('Bob and Cyn claim it', async () => {
            at.claim = await bob.claim(at.work, 'first');
            at.rival = await cyn.claim(at.work);
        }),
        bad(113, 'a second claim by one wallet', () => open(bob)),
        bad('accepted', 'a claim sent twice: no second claim', async () =>
            assert.equal((await bob.request('claim.open',
                { claim: at.claim.shown.claim, text: at.claim.shown.claim_text }))
                .state, 'pending')),
        bad(101, "somebody else's claim", () => cyn.request('claim.get', { claim: at.claim.claim.id })),
        bad(101, "a withdrawal of somebody else's claim", () => cyn.withdraw(at.claim)),
        bad(101, 'a withdrawal that names another work', () => bob.request('claim.withdraw',
            { withdraw: signed('withdraw', bob.me, { artwork: world.hidden, claim: at.claim.claim.id }) })),
        bad(101, 'a withdrawal of no claim', () => bob.request('claim.withdraw',
            { withdraw: signed('withdraw', bob.me, { artwork, claim: nothing }) })),
        bad(107, "an owner's withdrawal of the claim, as the collector", () => ann.request('claim.withdraw',
            { withdraw: signed('withdraw', { ...ann.me, wallet: bob.me.wallet },
                { artwork, claim: at.claim.claim.id }) })),

        // Answers
        ...forged('answer', () => payloadOf(ann.answerStatement(at.claim, true), 'answer'), ann.me.sign, bob.me.sign,
            (statement) => ann.request('claim.answer', { answer: statement })),
        bad(114, "a yes by the collector himself", () => answer(bob, at.claim, true)),
        bad(114, 'a yes by a third person', () => answer(cyn, at.claim, true)),
        bad(114, 'a no by a third person, to a claim that is not there',
            () => answer(cyn, at.claim, false, { claim: nothing })),
        bad(107, "a yes that the owner signed, sent by the collector", () =>
            bob.request('claim.answer', { answer: ann.answerStatement(at.claim, true) })),
        bad(101, 'a yes that names another work of hers', () => answer(ann, at.claim, true, { artwork: world.hidden })),
        bad(101, 'a yes to no claim', () => answer(ann, at.claim, true, { claim: nothing })),
        bad(105, 'a yes at another head', () => answer(ann, at.claim, true, { head: nothing })),
        bad(105, 'a yes at another seq', () => answer(ann, at.claim, true, { seq: 7 })),
        bad(108, 'a yes to somebody else', () => answer(ann, at.claim, true, { to: cyn.me.wallet })),
        bad(108, 'a yes of more than 7 days', () => answer(ann, at.claim, true, { exp: now() + 7 * day + 60 })),
        bad(106, 'a yes whose deadline is now', () => answer(ann, at.claim, true, { exp: now() })),
        bad(108, 'a yes without a deadline', () => answer(ann, at.claim, true, { exp: null })),
        bad(108, 'a no with a deadline', () => answer(ann, at.claim, false, { exp: now() + 60 })),
        bad(108, 'a perhaps', () => answer(ann, at.claim, true, { answer: 'perhaps' })),
        bad(116, 'a yes that saw another ledger', () =>
            answer(ann, at.claim, true, wrongSeen({ ...ann.view.seen(), root: nothing }))),
        bad(112, 'a no with another reason than it commits to', () => {
            const { salt, commit } = commitText('No');
            return answer(ann, at.claim, false, { text_commit: commit }, { text: { salt, text: 'Never' } });
        }),
        bad(113, 'an acceptance before the yes', () => accept(bob,
            { claim: at.claim.claim, answer: { id: nothing, payload: { ...payloadOf(
                ann.answerStatement(at.claim, true), 'answer') } } })),

        step('Ann says yes to Bob', async () => {
            at.yes = await ann.answer(at.claim, true);
        }),
        bad(113, 'a yes to a second claim', () => answer(ann, at.rival, true)),
        bad(113, 'a second yes', () => answer(ann, at.claim, true)),

        // Acceptances
        ...forged('accept', () => payloadOf(bob.acceptance(at.yes, 'B', '').accept, 'accept'), bob.me.sign, cyn.me.sign,
            (statement) => bob.request('claim.accept', { ...bob.acceptance(at.yes, 'B', ''), accept: statement })),
        bad(101, "an acceptance of somebody else's yes", () => {
            const { payload } = at.claim.claim;
            const made = commitMetadata(JSON.stringify({ name: '', contact: '', wallet_address: cyn.me.wallet }));
            return cyn.request('claim.accept', {
                accept: cyn.statement('accept', {
                    artwork, head: payload.head, seq: payload.seq, claim: at.claim.claim.id, answer: at.yes.answer.id,
                    metadata_commit: made.commit,
                }),
                salt: made.salt, metadata: made.text,
            });
        }),
        bad(107, 'an acceptance that the collector signed, sent by somebody else', () =>
            cyn.request('claim.accept', bob.acceptance(at.yes, 'B', ''))),
        bad(108, 'an acceptance of another answer', () =>
            accept(bob, { ...at.yes, answer: { ...at.yes.answer, id: nothing } })),
        bad(101, 'an acceptance of no claim',
            () => accept(bob, { ...at.yes, claim: { ...at.yes.claim, id: nothing } })),
        bad(101, 'an acceptance that names another work', () => accept(bob,
            { ...at.yes, claim: { ...at.yes.claim, payload: { ...at.yes.claim.payload, artwork: world.hidden } } })),
        bad(105, 'an acceptance at another head', () => accept(bob,
            { ...at.yes, claim: { ...at.yes.claim, payload: { ...at.yes.claim.payload, head: nothing } } })),
        bad(112, 'metadata that is not the one committed to',
            () => accept(bob, at.yes, { metadata: person({ name: 'C' }) })),
        bad(112, 'metadata under another salt', () => accept(bob, at.yes, { salt: toBase64url(randomBytes(32)) })),
        bad(108, 'metadata that is no JSON', metadata('name')),
        bad(108, 'metadata with a member too many', metadata(person({ more: 1 }))),
        bad(108, 'metadata with a name twice', metadata(person().replace('{', '{"name":"A",'))),
        bad(108, 'metadata of another wallet', metadata(person({ wallet_address: cyn.me.wallet }))),
        bad(108, 'metadata with a name of 201 code points', metadata(person({ name: 'x'.repeat(201) }))),
        bad(116, 'an acceptance that saw another ledger', async () => {
            const made = bob.acceptance(at.yes, 'B', '');
            return accept(bob, at.yes, { accept: signed('accept', bob.me,
                { ...payloadOf(made.accept, 'accept'), seen: { ...bob.view.seen(), root: nothing } }) });
        }),

        step('Bob accepts: the work is his, and Cyn hears of hers alone', async () => {
            await cyn.request('claim.subscribe', {});
            at.done = await bob.accept(at.yes, 'Bob', '');
            const { p } = await cyn.connection.event((name, q) => name === 'claim.changed' && q.state === 'superseded');
            assert.equal((await cyn.verifyClaim(p)).claim.id, at.rival.claim.id);
            assert.deepEqual(cyn.connection.events, [], 'an event of other people came');
        }),
        bad('accepted', 'the acceptance sent twice: no second leaf, the same receipt', async () =>
            assert.equal((await bob.request('claim.accept', at.done.params)).receipt, at.done.receipt)),
        bad('accepted', "the yes sent twice: nothing moves", async () =>
            assert.equal((await ann.request('claim.answer', { answer: at.yes.shown.answer })).state, 'completed')),
        bad(115, 'a withdrawal of a superseded claim', () => cyn.withdraw(at.rival)),
        bad(113, 'a withdrawal of a completed claim', () => bob.withdraw(at.claim)),
        bad(114, "the former owner's yes to a superseded claim", () => answer(ann, at.rival, true)),
        bad(114, "the former owner's no to the completed claim", () => answer(ann, at.claim, false)),
        bad(115, "the new owner's yes to a superseded claim", () => answer(bob, at.rival, true)),
        bad(105, 'a claim on the head before', () => open(cyn)),
        bad(102, "the new owner's claim on it", () => bob.request('claim.open', { claim: bob.claimStatement(at.work,
            { owner: bob.me.wallet, head: at.done.history.head, seq: 1 }) })),

        // Back to Ann: what she once said must not count again
        step('Ann claims it back, Bob says yes, Ann accepts', async () => {
            const back = await ann.claim(await ann.work(artwork));
            at.backYes = await bob.answer(back, true);
            at.back = await ann.accept(at.backYes, 'Ann', '');
            assert.equal(at.back.history.seq, 2);
        }),
        bad('accepted', 'after A, B, A: the first acceptance again gets its receipt and moves nothing', async () =>
            assert.equal((await bob.request('claim.accept', at.done.params)).receipt, at.done.receipt)),
        bad('accepted', 'after A, B, A: the first yes again moves nothing', async () =>
            assert.equal((await ann.request('claim.answer', { answer: at.yes.shown.answer })).state, 'completed')),
        bad('accepted', 'after A, B, A: the first claim again opens nothing', async () =>
            assert.equal((await bob.request('claim.open',
                { claim: at.claim.shown.claim, text: at.claim.shown.claim_text }))
                .state, 'completed')),
        bad(105, 'after A, B, A: a new claim on the first head', () => open(bob)),
        bad(105, 'after A, B, A: a new claim on the first head with the present seq', () => open(bob, { seq: 2 })),
        bad(113, 'after A, B, A: a new yes to the first claim', () => answer(ann, at.claim, true)),
        bad(113, 'after A, B, A: a new acceptance of the first yes', () => accept(bob, at.yes)),
        bad(113, "after A, B, A: Bob's new acceptance of his own old yes", () => accept(ann, at.backYes)),
        step('Bob claims anew', async () => {
            await refresh();
            at.again = await bob.claim(at.work);
        }),
        bad(105, 'after A, B, A: a yes to the new claim at the first head', () =>
            answer(ann, at.again, true, { head: at.claim.claim.payload.head, seq: 0 })),
        bad(113, 'after A, B, A: an acceptance of the new claim by the first yes', () =>
            accept(bob, { claim: at.again.claim, answer: at.yes.answer })),
        step('Ann says yes to the new claim', async () => {
            at.againYes = await ann.answer(at.again, true);
        }),
        bad(108, 'after A, B, A: an acceptance of the new yes that names the first', () =>
            accept(bob, { claim: at.again.claim, answer: { ...at.yes.answer } })),
        step('Ann takes her yes back', async () => {
            assert.equal((await ann.answer(at.again, false)).state, 'declined');
        }),
        bad(113, 'an acceptance after the yes was taken back', () => accept(bob, at.againYes)),
        bad(113, 'a withdrawal of a declined claim', () => bob.withdraw(at.again)),
        bad(113, 'a yes to a declined claim', () => answer(ann, at.again, true)),

        // Deadlines
        step('Bob claims for a few seconds and lets them pass', async () => {
            const shown = await open(bob, { exp: now() + shortly });
            at.short = await bob.verifyClaim(shown);
            await pass(at.short.claim.payload.exp);
        }),
        bad(106, 'a yes to an expired claim', () => answer(ann, at.short, true, { exp: now() + 60 })),
        bad(106, 'a withdrawal of an expired claim', () => bob.withdraw(at.short)),
        step('Ann says yes for a few seconds and lets them pass', async () => {
            at.late = await bob.claim(at.work);
            at.lateYes = await ann.request('claim.answer',
                { answer: ann.answerStatement(at.late, true, { exp: now() + shortly }) });
            at.lateYes = await bob.verifyClaim(at.lateYes);
            at.lateAcceptance = bob.acceptance(at.lateYes, 'B', '');
            await pass(at.lateYes.answer.payload.exp);
        }),
        bad(106, 'an acceptance after the deadline of the yes', () => bob.request('claim.accept', at.lateAcceptance)),
        ...heldCases(world, at, { bad, step, answer, accept, open, refresh }),
    ];
}

/** What does not go while an operator holds the work; only where the target can be told to. */
function heldCases(world, at, { bad, step, answer, accept, open, refresh }) {
    const { ann, bob, cyn, work: artwork } = world;
    const { hold } = world.target;
    if (hold === undefined) {
        return [];
    }
    return [
        step('Bob and Cyn claim, Ann says yes to Bob, the work is held', async () => {
            await refresh();
            at.held = await bob.claim(at.work);
            at.heldYes = await ann.answer(at.held, true);
            at.heldRival = await cyn.claim(at.work);
            await hold(artwork, true);
            at.workHeld = await bob.work(artwork);
            assert.equal(at.workHeld.held, true);
        }),
        bad(109, 'the image of a held work', () => bob.fetch(at.workHeld)),
        bad(109, "the image of one's own held work", () => ann.fetch(at.workHeld)),
        bad(109, 'the preview of a held work', () => bob.preview(at.workHeld)),
        bad(109, 'a claim on a held work', async () => {
            await cyn.withdraw(at.heldRival);
            return open(cyn);
        }),
        bad(109, 'an acceptance of a held work', () => accept(bob, at.heldYes)),
        step('Ann takes her yes back, Bob claims once it is released, it is held again', async () => {
            assert.equal((await ann.answer(at.held, false)).state, 'declined');
            await hold(artwork, false);
            await refresh();
            at.held = await bob.claim(at.work);
            await hold(artwork, true);
        }),
        bad(109, 'a yes to a claim on a held work', () => answer(ann, at.held, true)),
        step('the work is released', () => hold(artwork, false)),
    ];
}
