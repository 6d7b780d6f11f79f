// Plays every misbehaviour against one vault and looks after each whether the vault still keeps what it kept before.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { outcomeOf, Report } from './cases.mjs';
import { bentCases, clearCases } from './handshake_cases.mjs';
import { readLogVerifier, writeCheckpoint } from './note.mjs';
import { recordCases } from './record_cases.mjs';
import { requestCases } from './request_cases.mjs';
import { transferCases } from './transfer_cases.mjs';
import { uploadCases } from './upload_cases.mjs';
import { VaultWorld } from './vault_world.mjs';

/** Cases that change what is kept on their way to the refusal: their own legitimate part moves it. */
const moving = new Set(['a claim on a held work']);

async function playGroup(world, group, cases, report) {
    let before = await world.snapshot();
    for (const [expected, name, run] of cases) {
        if (expected === 'step') {
            await run();
            before = await world.snapshot();
            continue;
        }
        report.take(group, name, expected, await outcomeOf(Promise.resolve().then(run)));
        const after = await world.snapshot();
        if (after !== before && !moving.has(name)) {
            report.fail(`${group}: ${name}: the vault keeps something else afterwards`);
        }
        before = after;
    }
}

/** Cases that only wait run beside the others. */
const isSilence = ([, name]) => /silence$/.test(name);

/** All cases against `target` (VaultWorld.open tells what that is). */
export async function playVaultCases(target) {
    const report = new Report();
    const world = await VaultWorld.open(target);
    const filesBefore = target.files?.();
    const clear = clearCases(world);
    const silent = Promise.all(clear.filter(isSilence).map(async ([expected, name, run]) =>
        report.take('in clear', name, expected, await outcomeOf(run()))));
    await playGroup(world, 'in clear', clear.filter((entry) => !isSilence(entry)), report);
    await playGroup(world, 'handshake', bentCases(world), report);
    await playGroup(world, 'records', recordCases(world), report);
    await playGroup(world, 'requests', await requestCases(world), report);
    await playGroup(world, 'uploads', uploadCases(world), report);
    await playGroup(world, 'transfer', transferCases(world), report);
    await silent;
    await afterwards(world, report);
    const filesAfter = target.files?.();
    if (filesBefore !== filesAfter) {
        report.fail(`the vault has other files afterwards: ${filesBefore} before, ${filesAfter} after`);
    }
    if (target.logKey !== undefined) {
        await contradict(world, target.logKey(), report);
    }
    await world.close();
    return report;
}

/** A tree head that the vault's own key signed and that it does not have: it stops serving, for good. */
async function contradict(world, privateKey, report) {
    const verifier = readLogVerifier(world.ann.vault.log);
    const checkpoint = writeCheckpoint({ privateKey, verifier }, 1, randomBytes(32));
    const told = world.bob.request('ledger.report', { checkpoint }).then(async () => {
        await world.bob.connection.reading;
        throw world.bob.connection.over;
    });
    const ended = async (client) => {
        await client.connection.reading;
        throw client.connection.over;
    };
    report.take('contradiction', 'a tree head of its own that it does not have', 'CLOSE 9', await outcomeOf(told));
    report.take('contradiction', 'everybody else after that', 'CLOSE 9', await outcomeOf(ended(world.ann)));
    report.take('contradiction', 'a new connection after that', ['CLOSE 9', 'closed'],
        await outcomeOf(world.connect('cyn').then(ended)));
}

/** The vault is up and its ledger is the whole, consistent ledger of what was legitimate. */
async function afterwards(world, report) {
    const entries = await world.ann.entries();
    const { size } = await world.ann.checkpoint();
    const history = await world.ann.history(world.work);
    if (size !== entries.length || history.owner !== world.me.ann.wallet || history.seq !== 2) {
        report.fail(`the ledger has ${size} leaves, ${entries.length} entries, and the work is at ${history.seq}`);
    }
    if (!world.image.equals(await world.bob.fetch(await world.bob.work(world.work)))) {
        report.fail('the image is another one afterwards');
    }
}
