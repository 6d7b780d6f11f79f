// Every scripted misbehaviour, each with the refusal that docs/protocol.md demands:
//   misbehaviours.mjs vault HOST:PORT SHA256:<fingerprint>         against a vault (which with_vault.sh starts)
//   misbehaviours.mjs own                                          against this folder's vault: the table is fair
//   misbehaviours.mjs clients SAT_ARTIST SAT_COLLECTOR IMAGE [ONLY]    against the client programs
//   misbehaviours.mjs all SAT_ARTIST SAT_COLLECTOR IMAGE HOST:PORT SHA256:<fingerprint>    at least 200 cases
// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Report } from './cases.mjs';
import { playClientCases } from './client_cases.mjs';
import { makeIdentity } from './identity.mjs';
import { parseTarget, runProgram } from './program.mjs';
import { playVaultCases } from './vault_cases.mjs';
import { Vault } from './vault.mjs';

const fewest = 200;
const [which, ...given] = process.argv.slice(2);

/** The files of a vault's stores and their sizes, as one text; the catalogue and the keys are not looked at. */
const filesOf = (data) => ['image_store', 'metadata_store', 'incoming'].map((name) => {
    const listed = readdirSync(join(data, name), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile()).map((entry) =>
            `${entry.name} ${statSync(join(entry.path, entry.name)).size}`);
    return `${name}: ${listed.sort().join(', ')}`;
}).join('; ');

/** sat-vaultd as with_vault.sh started it; it tells in the environment where it keeps things. */
function runningVault(address) {
    const { SAT_VAULTD: program, SAT_VAULT_DATA: data } = process.env;
    return {
        ...parseTarget(address),
        ...(data && {
            files: () => filesOf(data),
            logKey: () => createPrivateKey(readFileSync(join(data, 'keys', 'log.pem'))),
        }),
        ...(program && data && {
            hold: async (artwork, on) =>
                execFileSync(program, [on ? 'hold' : 'release', artwork, '--data', data, '--reason', 'tested']),
        }),
    };
}

async function ownVault() {
    const vault = new Vault(await makeIdentity({ kind: 'vault' }));
    const hold = async (artwork, on) => vault.state.hold(artwork, on, 'tested');
    const report = await playVaultCases({ host: '127.0.0.1', port: await vault.listen(), pin: vault.wallet, hold,
        logKey: () => vault.state.me.log.privateKey });
    vault.failures.forEach((error) => report.fail(`the vault failed: ${error.stack}`));
    return report;
}

const clients = ([artist, collector, image, only]) =>
    playClientCases({ artist: resolve(artist), collector: resolve(collector), image: resolve(image) }, only);

async function everything([artist, collector, image, ...address]) {
    const report = new Report();
    const parts = await Promise.all([playVaultCases(runningVault(address)), clients([artist, collector, image])]);
    parts.forEach((part) => report.add(part));
    if (report.count < fewest) {
        report.fail(`fewer than ${fewest} cases ran`);
    }
    return report;
}

const ways = { own: ownVault, vault: (address) => playVaultCases(runningVault(address)), clients, all: everything };

async function run() {
    const report = await ways[which](given);
    console.log(`${report.count} misbehaviours, ${report.failures.length} without the expected refusal`);
    if (report.failures.length > 0) {
        throw new Error(`\n${report.failures.join('\n')}`);
    }
}

await runProgram('misbehaviours', run);
