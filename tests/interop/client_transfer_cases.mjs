// Misbehaviours of a vault between a collector and an owner: claims, answers, receipts, consent of another time.
// SPDX-License-Identifier: Apache-2.0
import { forgeries } from './forgery.mjs';
import { makeLogKey } from './keys.mjs';
import { commitText, makeStatement } from './statements.mjs';
import { afterClaim, all, event, refuse, reply } from './tampering.mjs';
import { payloadOf } from './client_world.mjs';
import { receiptForgeries } from './client_work_cases.mjs';

const declined = 10;
const pending = 11;
const expired = 12;
const superseded = 13;
const notThere = 15;
const held = 16;
const changed = 17;
const badProof = 20;
const refusing = 69;
const interrupted = 75;
const protocol = 76;
const forbidden = 77;
const nothing = '9'.repeat(64);

async function collectorCases(world) {
    const { people: { ann, bob, cyn, dan }, base } = world;
    const { me } = base.state;
    const args = ['claim', world.work, '--message', 'May I?', '--wait', '30'];
    const claim = (name, exit, tamper, rest = {}) =>
        ({ group: 'claiming', name, who: 'bob', args, exit, notOwner: 'bob', tamper: () => tamper, ...rest });
    const refused = (name, code, exit, method = 'claim.open') => claim(name, exit, refuse(method, code));
    const opened = (name, change, exit = badProof) => claim(name, exit, reply('claim.open', change));

    const yes = afterClaim((given, session) => answering(session, ann, given, true));
    const no = afterClaim((given, session) => answering(session, ann, given, false));
    /** An honest yes, which the vault then shows as something else, wherever it shows the claim. */
    const answered = (name, change, exit = badProof) => {
        const bend = (shown) => (shown.state === 'confirmed' ? { ...shown, ...change(shown) } : shown);
        return claim(name, exit, all(yes, event(bend), reply('claim.get', bend),
            reply('claim.mine', (page) => ({ ...page, items: page.items.map(bend) }))));
    };
    const signed = (fields, who = ann) => ({ answer }) => ({
        answer: makeStatement('answer', who, me.wallet, { ...payloadOf(answer, 'answer'), ...fields }),
    });
    const forged = Object.entries(forgeries('answer')).filter(([name]) =>
        /none|HS256|payload with a name|kid of|signature of/.test(name));
    const receipts = Object.entries(receiptForgeries(await makeLogKey(), dan)).map(([name, make]) =>
        claim(`a receipt ${name}`, badProof, all(yes, reply('claim.accept', ({ receipt, ...rest }) =>
            ({ ...rest, receipt: make(payloadOf(receipt, 'receipt'), me) }))), { notOwner: null }));
    const stranger = (shown, session) => {
        const other = session.state.showClaim(base.clone().claim(cyn, world.work));
        return { ...other, state: shown.state };
    };
    return [
        refused('a work that is not there', 101, notThere),
        refused('a claim that is forbidden', 102, forbidden),
        refused('a head that has moved', 105, changed),
        refused('a deadline that has passed', 106, expired),
        refused('a held work', 109, held),
        refused('a work with too many claims', 117, [refusing, interrupted]),
        claim('a claim that was superseded when it is accepted', superseded, all(yes, refuse('claim.accept', 115))),

        opened("somebody else's claim in the place of one's own", stranger),
        opened('a claim in an unknown state', (shown) => ({ ...shown, state: 'won' }), [badProof, protocol]),
        opened('a claim with another text', ({ claim_text: note, ...shown }) =>
            ({ ...shown, claim_text: { ...note, text: 'I must' } })),
        opened('a claim that is completed at once', (shown) => ({ ...shown, state: 'completed', answer_by: null })),
        opened('a claim with the registration of another work', (shown, session) =>
            ({ ...shown, registration: session.state.work(world.foreign).registration })),

        ...forged.map(([name, make]) => answered(`a yes with ${name}`, ({ answer }) =>
            ({ answer: make(payloadOf(answer, 'answer'), ann.sign, dan.sign) }))),
        answered('a yes that somebody else signed', signed({}, dan)),
        answered('a yes by somebody else in his own name', signed({ iss: dan.wallet }, dan)),
        answered('a yes to somebody else', signed({ to: cyn.wallet })),
        answered('a yes to another claim', signed({ claim: nothing })),
        answered('a yes at another head', signed({ head: nothing })),
        answered('a yes at another seq', signed({ seq: 3 })),
        answered('a yes about another work', signed({ artwork: world.foreign })),
        answered('a yes for another vault', signed({ vault: nothing })),
        answered('a no that is shown as a yes', signed({ answer: 'no', exp: null })),
        answered('a yes that has expired', signed({ exp: 1 }), [badProof, expired]),
        answered('a yes that is not shown', () => ({ answer: null })),
        answered('a reason that the yes does not commit to', () => {
            const { salt, text } = commitText('Yes');
            return { answer_text: { salt, text } };
        }),
        claim('a no', declined, no),
        claim('a no that somebody else signed', badProof, all(no, event((shown) => (shown.state === 'declined'
            ? { ...shown, ...signed({}, dan)(shown) } : shown)),
                reply('claim.get', (shown) => (shown.state === 'declined'
            ? { ...shown, ...signed({}, dan)(shown) } : shown)))),
        claim('events of other people alone', pending, all(
            afterClaim((_, session) => [['claim.changed', session.state.claims.get(
                answeredClaim(session, ann, cyn, world.work)), [bob.wallet]]])),
        { args: ['claim', world.work, '--wait', '1'] }),

        ...receipts,
        claim('no receipt', protocol, all(yes, reply('claim.accept', (result) => ({ ...result, receipt: null }))),
            { notOwner: null }),
        claim('a completed claim that the history does not show', badProof,
            all(yes, reply('artwork.history', ({ leaves, next }) =>
            ({ leaves: leaves.slice(0, 1), next }))), { notOwner: null }),
        claim("an acceptance that is answered with somebody else's claim", badProof, all(yes,
            reply('claim.accept',
                ({ receipt, claim: shown }, session) => ({ receipt, claim: stranger(shown, session) }))),
        { notOwner: null }),
        claim('a stale head', [badProof, changed], reply('artwork.history', (_, session) =>
            ({ leaves: session.state.ledger.of(world.work).slice(0, 1).map(({ entry }) => entry), next: null })),
        { prepare: (scene) => scene.transfer(ann, cyn, world.work) }),
        claim("a claim of one's own that one never made", badProof, reply('claim.mine', (page, session) => {
            const made = session.state.showClaim(base.clone().claim(bob, world.work));
            return { ...page, items: [{ ...made, claim: `${made.claim.slice(0, -8)}AAAAAAAA` }] };
        })),
    ];
}

/** Ann's answer to a claim, made in the vault's state: the events. */
export function answering(session, owner, claim, yes) {
    const { state } = session;
    const { artwork, payload: { head, seq, exp } } = claim;
    const jws = makeStatement('answer', owner, state.me.wallet, {
        artwork, head, seq, claim: claim.id, to: claim.collector, answer: yes ? 'yes' : 'no',
        exp: yes ? Math.min(exp, state.now() + 3600) : null, text_commit: null,
    });
    return state.answerClaim(jws, null, owner.wallet).events;
}

/** Another collector's claim on the same work, declined: its id. */
function answeredClaim(session, owner, collector, artwork) {
    const { state } = session;
    const { head, seq } = state.work(artwork);
    const jws = makeStatement('claim', collector, state.me.wallet,
        { artwork, head, seq, owner: owner.wallet, exp: state.now() + 3600, text_commit: null });
    const { claim } = state.openClaim(jws, null, collector.wallet);
    answering(session, owner, claim, false);
    return claim.id;
}

function ownerCases(world) {
    const { people: { ann, bob, cyn, dan }, base } = world;
    const vault = base.state.me.wallet;
    const claimed = (scene) => scene.claim(cyn, world.work, {}, 'Please');
    const bent = (change) => {
        const bend = (shown, session) => ({ ...shown, ...change(shown, session) });
        return all(reply('claim.inbox',
            (page, session) => ({ ...page, items: page.items.map((shown) => bend(shown, session)) })),
            reply('claim.get', bend), reply('claim.answer', bend));
    };
    const owner = (args) => (name, exit, tamper, rest = {}) => ({
        group: 'answering', name, who: 'ann', args, exit, prepare: claimed, noYes: true, tamper: () => tamper, ...rest,
    });
    const confirm = owner(['confirm', world.work]);
    const inbox = owner(['inbox']);
    const signed = (fields, who = cyn) => ({ claim }) =>
        ({ claim: makeStatement('claim', who, vault, { ...payloadOf(claim, 'claim'), ...fields }) });
    const forged = Object.entries(forgeries('claim')).filter(([name]) =>
        /none|HS256|payload with a name|signature of/.test(name));
    const back = (scene) => {
        scene.transfer(ann, cyn, world.work);
        scene.transfer(cyn, ann, world.work);
    };
    const firstClaim = (session) => session.state.showClaim([...session.state.claims.values()][0]);
    return [
        ...forged.map(([name, make]) => inbox(`a claim with ${name}`, badProof, bent(({ claim }) =>
            ({ claim: make(payloadOf(claim, 'claim'), cyn.sign, dan.sign) })))),
        confirm('a claim that somebody else signed', badProof, bent(signed({}, dan))),
        confirm('a claim for another vault', badProof, bent(signed({ vault: nothing }))),
        confirm('a claim on another head', [badProof, changed], bent(signed({ head: nothing }))),
        confirm('a claim on another seq', [badProof, changed], bent(signed({ seq: 4 }))),
        confirm('a claim addressed to another owner', [badProof, changed], bent(signed({ owner: dan.wallet }))),
        confirm("a claim on somebody else's work", [badProof, changed, notThere],
            bent(signed({ artwork: world.foreign }))),
        confirm('a claim with the registration of another work', badProof, bent((_, session) =>
            ({ registration: session.state.work(world.foreign).registration }))),
        confirm('a claim with another text', badProof,
            bent(({ claim_text: note }) => ({ claim_text: { ...note, text: 'Now!' } }))),
        confirm('a claim in an unknown state', [badProof, protocol], bent(() => ({ state: 'waiting' }))),
        confirm('a claim whose asked_at is text', [badProof, protocol], bent(() => ({ asked_at: 'now' }))),
        confirm('a history that names another owner', [badProof, changed, forbidden],
            reply('artwork.history', (_, session) => {
            const other = session.state.clone();
            return { leaves: other.ledger.of(world.owned).map(({ entry }) => entry), next: null };
        })),
        confirm('after A, B, A: the claim of then as one of now', [badProof, changed, notThere],
            reply('claim.inbox', (page, session) => ({
                ...page, items: [{ ...firstClaim(session), state: 'pending', answer: null, answer_text: null,
                    answer_by: payloadOf(firstClaim(session).claim, 'claim').exp }],
            })), { prepare: back }),
        confirm('after A, B, A: the claim and the yes of then as ones of now', [badProof, changed, notThere],
            reply('claim.inbox',
                (page, session) => ({ ...page, items: [{ ...firstClaim(session), state: 'pending' }] })),
            { prepare: back }),
        confirm("a yes that is answered with somebody else's claim", badProof, reply('claim.answer', (shown, session) =>
            ({ ...session.state.showClaim(base.clone().claim(bob, world.work)), state: shown.state })),
                { noYes: false }),
        confirm('a yes that is answered with another yes', badProof, reply('claim.answer', (shown) => ({
            ...shown, answer: makeStatement('answer', dan, vault, payloadOf(shown.answer, 'answer')),
        })), { noYes: false }),
        confirm('a yes to a claim that is gone', notThere, refuse('claim.answer', 101)),
        confirm('a yes to a claim that has expired', expired, refuse('claim.answer', 106)),
        confirm('a yes at a head that has moved', changed, refuse('claim.answer', 105)),
        confirm('a yes on a held work', held, refuse('claim.answer', 109)),
        confirm("a yes of somebody who owns the work no more", [changed, forbidden], refuse('claim.answer', 114)),
    ];
}

export const clientTransferCases = async (world) => [...await collectorCases(world), ...ownerCases(world)];
