// Plays every misbehaviour of a vault against the client programs, each in a home and against a vault of its own.
// A case is { group, name, who, args, exit (one or several), tamper(), and of what is not usual: prepare(scene), state
// ('young' or 'forked'), met: false, pin: false, first: { tamper, prepare, exit } }; and what must not have happened:
// { noFile, notOwner: who, noYes }, or must: { reported }.
// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Report } from './cases.mjs';
import { clientLedgerCases } from './client_ledger_cases.mjs';
import { sessionCases } from './client_session_cases.mjs';
import { answering, clientTransferCases } from './client_transfer_cases.mjs';
import { workCases } from './client_work_cases.mjs';
import { ClientWorld } from './client_world.mjs';
import { makeDocument, makeIdentity } from './identity.mjs';
import { makeLogKey } from './keys.mjs';
import { statementId } from './jws.mjs';
import { logVerifier } from './note.mjs';
import { afterClaim, all } from './tampering.mjs';
import { Vault } from './vault.mjs';

const atOnce = 2;

/** Cases of a vault that changes its identity between two visits to one address. */
async function identityChangeCases({ base, otherVault }) {
    const { me } = base.state;
    const log = await makeLogKey();
    const [document] = me.chain;
    const second = (named) => makeDocument({ ...otherVault, kem: me.kem, log: me.log }, 'vault',
        { wallet: me.wallet, seq: 1, prev: statementId(document), log: named }, me.sign);
    const grown = [document, second(vaultLogOf(me))];
    const be = (fields) => (scene) => {
        const changed = { ...me, ...fields };
        scene.state.me = changed;
        scene.state.ledger.me = changed;
    };
    const longer = { prepare: be({ chain: grown }), exit: 0 };
    const visit = (name, exit, prepare, first = { exit: 0 }) =>
        ({ group: 'session', name, who: 'bob', args: ['browse'], exit, prepare, first, tamper: () => ({}) });
    const swapped = { ...me, log };
    return [
        visit('an old identity chain', 21, be({}), longer),
        { ...visit('a chain that grew', 0, be({ chain: grown })), control: true },
        visit('another document of the same seq', 21, be({ chain: [makeDocument(me, 'vault', { iat: 1 })] })),
        visit('a swapped log key', 21, be({ log, chain: [makeDocument(swapped, 'vault')] })),
        visit('a chain that grew by another log key', 20,
            be({ log, chain: [document, second(logVerifier(me.wallet, log.raw).text)] })),
        visit('a swapped kem key', 21,
            be({ kem: otherVault.kem, chain: [makeDocument({ ...me, kem: otherVault.kem }, 'vault')] })),
    ];
}

/** What goes well with a vault that behaves: were it otherwise, the refusals would say nothing. */
function controls({ work, hidden, people: { ann, cyn } }) {
    const honest = (who, args, rest = {}) =>
        ({ group: 'honest', name: args.join(' '), who, args, exit: 0, tamper: () => ({}), control: true, ...rest });
    const yes = () => afterClaim((claim, session) => answering(session, ann, claim, true));
    const claimed = (scene) => scene.claim(cyn, work, {}, 'Please');
    return [
        honest('bob', ['browse', '--all']), honest('bob', ['show', work]),
        honest('bob', ['request', work, '-o', '{file}']),
        honest('bob', ['request', hidden, '-o', '{file}']),
        honest('bob', ['claim', work, '--wait', '30'], { tamper: yes }),
        honest('ann', ['inbox'], { prepare: claimed }), honest('ann', ['confirm', work], { prepare: claimed }),
        honest('ann', ['upload', '{image}', '--title', 'New']), honest('bob', ['browse'], { met: false }),
        honest('bob', ['show', work], { prepare: (scene) => scene.transfer(ann, cyn, work) }),
    ];
}

const vaultLogOf = (me) => JSON.parse(Buffer.from(me.chain[0].split('.')[1], 'base64url')).log;

async function playCase(world, entry, report) {
    const reported = [];
    const observer = {
        before: (method, { checkpoint }) => {
            if (method === 'ledger.report') {
                reported.push(checkpoint);
            }
        },
    };
    const begin = ({ state, prepare, tamper }) => {
        const scene = (state === undefined ? world.base : world[state]).clone();
        prepare?.(scene);
        return { scene, vault: new Vault(scene.state, all(observer, tamper ?? {})) };
    };
    let options = { met: entry.met, pin: entry.pin };
    if (entry.first !== undefined) {
        const { vault } = begin(entry.first);
        const { code, home, port, stderr } = await world.run(entry.who, entry.args, { vault, ...options });
        if (code !== entry.first.exit) {
            report.fail(`${entry.group}: ${entry.name}: the first visit ended with ${code}: ${stderr}`);
        }
        options = { ...options, home, port };
    }
    const { scene, vault } = begin({ ...entry, tamper: entry.tamper() });
    const file = join(world.folder, `out-${++world.files}`);
    const args = entry.args.map((arg) => ({ '{file}': file, '{image}': world.imageFile }[arg] ?? arg));
    const { code, value, stderr } = await world.run(entry.who, args, { vault, ...options });
    report.take(entry.group, entry.name, entry.exit, String(code), entry.control);

    const fail = (text) => report.fail(`${entry.group}: ${entry.name}: ${text}: ${stderr}`);
    const { state } = scene;
    if (code !== 0 && (value?.ok !== false || value.error.exit !== code)) {
        fail('the JSON does not tell the exit code');
    }
    if (entry.noFile && existsSync(file)) {
        fail('a file was left');
    }
    if (entry.notOwner && state.work(world.work).owner === world.people[entry.notOwner].wallet) {
        fail('an ownership moved');
    }
    if (entry.noYes && [...state.claims.values()].some((claim) => claim.state === 'confirmed')) {
        fail('a yes was given');
    }
    if (entry.reported && reported[0] !== world.met.state.ledger.checkpoint()) {
        fail('the vault was not told what had been seen of it');
    }
    vault.failures.forEach((error) => fail(`the vault itself failed: ${error.stack}`));
}

/** All cases against `programs` ({ artist, collector, image }); `only` plays those whose name has it in it. */
export async function playClientCases(programs, only = '') {
    const report = new Report();
    const world = await ClientWorld.open(programs);
    world.files = 0;
    world.otherVault = await makeIdentity({ kind: 'vault' });
    try {
        const cases = [...controls(world), ...sessionCases(world), ...await identityChangeCases(world),
            ...await workCases(world), ...await clientTransferCases(world), ...await clientLedgerCases(world)]
            .filter(({ group, name }) => `${group}: ${name}`.includes(only));
        const next = cases.values();
        const play = async () => {
            for (const entry of next) {
                await playCase(world, entry, report);
            }
        };
        await Promise.all(Array.from({ length: atOnce }, play));
    } finally {
        world.close();
    }
    return report;
}
