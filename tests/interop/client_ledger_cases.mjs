// Misbehaviours of a vault with its ledger towards a client that has seen it before: forged, forked, rolled-back and
// missing checkpoints, wrong proofs, another ledger for each of two people.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { makeLogKey } from './keys.mjs';
import { checkpointText, joinNote, logVerifier, originOf, signText, writeCheckpoint } from './note.mjs';
import { makeStatement } from './statements.mjs';
import { afterClaim, all, event, refuse, reply } from './tampering.mjs';
import { payloadOf } from './client_world.mjs';
import { answering } from './client_transfer_cases.mjs';

const contradiction = 24;
const badProof = 20;
const protocol = 76;
const nothing = '9'.repeat(64);

export async function clientLedgerCases(world) {
    const { people: { ann, cyn }, base } = world;
    const { me, ledger } = base.state;
    const otherLog = await makeLogKey();
    const run = (name, exit, tamper, rest = {}) => ({
        group: 'ledger', name, who: 'bob', args: ['browse'], exit, tamper: () => tamper, ...rest,
    });
    const note = (name, checkpoint, exit = badProof) => run(name, exit, { hello: (ext) => ({ ...ext, checkpoint }) });
    const { size } = ledger;
    const root = ledger.root();
    const current = ledger.checkpoint();
    const text = checkpointText(originOf(me.wallet), size, root);
    const signed = (body) => joinNote(body, signText(body, ledger.signer));
    const foreign = { ...otherLog, verifier: logVerifier(me.wallet, otherLog.raw) };
    const signedBy = (wallet, key) => writeCheckpoint({ ...key, verifier: logVerifier(wallet, key.raw) }, size, root);

    /** The vault shows a tree head of its own making, signed by its own log key. */
    const head = (newSize, newRoot = randomBytes(32)) => writeCheckpoint(ledger.signer, newSize, newRoot);
    const met = world.met.state.ledger.size;
    const fork = (name, checkpoint, more = {}) => run(name, contradiction,
        all({ hello: (ext) => ({ ...ext, checkpoint }) }, more), { reported: true });
    const proof = (name, change) => run(name, contradiction, reply('ledger.consistency', change), { reported: true });

    const claim = ['claim', world.work, '--wait', '30'];
    const claiming = (name, exit, tamper, rest = {}) =>
        run(name, exit, tamper, { args: claim, notOwner: 'bob', ...rest });
    const yes = afterClaim((given, session) => answering(session, ann, given, true));
    const seeing = (seen) => (shown) => (shown.state === 'confirmed' ? {
        ...shown, answer: makeStatement('answer', ann, me.wallet, { ...payloadOf(shown.answer, 'answer'), seen }),
    } : shown);
    const claimed = (seen) => (scene) => {
        const given = scene.claim(cyn, world.work);
        given.jws = makeStatement('claim', cyn, me.wallet, { ...payloadOf(given.jws, 'claim'), seen });
    };
    const answered = (name, seen, exit) => run(name, exit, {},
        { who: 'ann', args: ['confirm', world.work], prepare: claimed(seen), noYes: true });

    return [
        // Notes that are none
        note('no checkpoint', null, [badProof, protocol]),
        note('a checkpoint that is a number', 7, [badProof, protocol]),
        note('a checkpoint by another log key', writeCheckpoint(foreign, size, root)),
        note("a checkpoint of another vault", signedBy(nothing, otherLog)),
        note('a checkpoint with a changed size', current.replace(`\n${size}\n`, `\n${size + 1}\n`)),
        note('a checkpoint with a changed root',
            current.replace(root.toString('base64'), randomBytes(32).toString('base64'))),
        note('a checkpoint with a leading zero', signed(text.replace(`\n${size}\n`, `\n0${size}\n`))),
        note('a checkpoint of four lines', signed(`${text}more\n`)),
        note('a checkpoint without a signature', `${text}\n`),
        note('a checkpoint signed twice by one key', current + signText(text, ledger.signer)),
        note('a checkpoint without its last line feed', current.slice(0, -1)),
        note('a checkpoint of more than 2560 bytes', current + `\u2014 w ${'A'.repeat(2400)}\n`),

        // Forks and rolled-back copies
        fork('a ledger that became shorter', world.young.state.ledger.checkpoint()),
        fork('an empty ledger', writeCheckpoint(ledger.signer, 0, world.young.state.ledger.root(0))),
        fork('another root at the same size', head(met)),
        fork('a longer ledger that does not begin with the one seen', head(size)),
        { ...run('a vault that serves a forked copy of its data', contradiction, {}, { reported: true }),
            state: 'forked' },
        { ...run('a vault that serves an older copy of its data', contradiction, {}, { reported: true }),
            state: 'young' },
        proof('no consistency proof', () => ({ proof: [] })),
        proof('a consistency proof with a changed hash',
            ({ proof: [first, ...rest] }) => ({ proof: [nothing, ...rest], was: first })),
        proof('a consistency proof that is too long', (result) => ({ proof: [...result.proof, nothing] })),
        proof('a consistency proof that is too short', (result) => ({ proof: result.proof.slice(1) })),
        run('a consistency proof that is refused', contradiction, refuse('ledger.consistency', 100)),
        run('a consistency proof that is text', [contradiction, badProof, protocol],
            reply('ledger.consistency', () => ({ proof: 'yes' }))),

        // Leaves that are not in it
        claiming('a head that is said not to be in the ledger', [badProof, contradiction],
            refuse('ledger.inclusion', 101)),
        claiming('an inclusion proof with a changed hash', contradiction, reply('ledger.inclusion', (result) =>
            ({ ...result, proof: result.proof.map(() => nothing) }))),
        claiming('an inclusion proof that is too long', contradiction, reply('ledger.inclusion', (result) =>
            ({ ...result, proof: [...result.proof, nothing] }))),
        claiming('an inclusion proof at another index', contradiction, reply('ledger.inclusion', (result) =>
            ({ ...result, index: result.index + 1 }))),
        claiming('an inclusion proof at an index beyond the tree', [contradiction, protocol],
            reply('ledger.inclusion', (result) =>
            ({ ...result, index: 2 ** 40 }))),
        claiming('an acceptance whose leaf is not in the ledger', contradiction,
            all(yes, reply('ledger.inclusion', (result, session, params) =>
            (session.state.work(world.work).head === params.leaf && session.state.work(world.work).seq === 1
                ? { ...result, proof: result.proof.map(() => nothing) } : result))), { notOwner: null }),
        run('a registration whose leaf is not in the ledger', contradiction, reply('ledger.inclusion', (result) =>
            ({ ...result, proof: result.proof.map(() => nothing) })),
                { who: 'ann', args: ['upload', '{image}', '--title', 'New'] }),
        run('a checkpoint after the commit that is forked', contradiction, reply('ledger.checkpoint', () =>
            ({ checkpoint: head(size + 1) })), { who: 'ann', args: ['upload', '{image}', '--title', 'New'] }),

        // Two people who are shown different ledgers
        claiming('a yes whose signer saw another ledger', contradiction,
            all(yes, event(seeing({ size, root: nothing })),
            reply('claim.get', seeing({ size, root: nothing })))),
        claiming('a yes whose signer saw a longer ledger than there is', contradiction,
            all(yes, event(seeing({ size: size + 50, root: nothing })),
                reply('claim.get', seeing({ size: size + 50, root: nothing })))),
        answered('a claim whose signer saw another ledger', { size: met, root: nothing }, contradiction),
        answered('a claim whose signer saw a longer ledger than there is', { size: size + 50, root: nothing },
            contradiction),
        { ...run('a ledger that was seen to contradict, honest again', contradiction, {}),
            first: { tamper: { hello: (ext) =>
            ({ ...ext, checkpoint: head(met) }) }, exit: contradiction } },
    ];
}
