// Stock tools agree with the programs about wallets, key files and statements:
//   stock_tools.mjs BIN NPM      BIN: the built programs; NPM: where fetch.sh put node_modules
// A vault, an artist and a collector make their keys and walk through a transfer with the real programs, one with keys
// in clear, the others under a passphrase. Then openssl opens every key file and names every wallet, and the npm
// package jose and Debian's jose verify every statement that came about, and refuse it tampered with. Debian's jose
// knows no EdDSA, so the vault's own statements are verified by the npm package, and its checkpoint by openssl.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const [bin, npm] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const jose = createRequire(join(npm, 'package.json'))('jose');
const work = mkdtempSync(join(tmpdir(), 'sat-stock-'));
const at = (...names) => join(work, ...names);
const passphrase = at('passphrase');

/** A program's one JSON document; it has to end with `code`. */
function run(program, args, code = 0) {
    const all = ['--json', '--no-input', ...args];
    const child = spawnSync(join(bin, program), all, { encoding: 'utf8', timeout: 120000 });
    assert.equal(child.status, code, `${program} ${args[0]}: ${child.stdout}${child.stderr}`);
    return JSON.parse(child.stdout).data;
}

const openssl = (args, options) => execFileSync('openssl', args, { stdio: 'pipe', ...options });

/** What a person would type: the file names are the script's arguments. */
const shell = (script, ...args) => execFileSync('bash', ['-euo', 'pipefail', '-c', script, 'bash', ...args],
    { encoding: 'utf8', stdio: 'pipe' });

// The parties: where their key files are, and what opens them.
const locked = ['--passphrase-file', passphrase];
const parties = {
    artist: { folder: at('artist'), options: ['--no-passphrase'], unlock: [] },
    collector: { folder: at('collector'), options: locked, unlock: ['-passin', `file:${passphrase}`] },
    vault: { folder: at('vault', 'keys'), options: locked, unlock: ['-passin', `file:${passphrase}`] },
    'vault in clear': { folder: at('clear', 'keys'), options: ['--no-passphrase'], unlock: [] },
};
const clients = { artist: 'sat-artist', collector: 'sat-collector' };
const publicPem = (party, key) =>
    openssl(['pkey', '-in', join(party.folder, key), ...party.unlock, '-pubout'], { encoding: 'utf8' });

let vault;              // the process
const statements = [];  // { name, jws, by: the party that signed it, key: its file }
let checkpoint;

async function startVault() {
    const args = ['run', '--data', at('vault'), ...locked, '--listen', '127.0.0.1:0', '--allow-root'];
    vault = spawn(join(bin, 'sat-vaultd'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    vault.stderr.on('data', (text) => (said += text));
    for await (const text of vault.stdout) {
        said += text;
        const address = /^listening (\S+)$/m.exec(said);
        if (address !== null && said.includes('fingerprint SHA256:')) {
            vault.stdout.resume();
            return address[1];
        }
    }
    return assert.fail(`the vault does not listen: ${said}`);
}

before(async () => {
    writeFileSync(passphrase, 'five words that nobody guesses\n', { mode: 0o600 });
    for (const [name, program] of Object.entries(clients)) {
        mkdirSync(at(name), { mode: 0o700 });
        run(program, ['init', '--home', at(name), '--name', name, ...parties[name].options]);
    }
    for (const [data, party] of [['vault', parties.vault], ['clear', parties['vault in clear']]]) {
        execFileSync(join(bin, 'sat-vaultd'), ['init', '--data', at(data), ...party.options], { stdio: 'pipe' });
    }
    const address = await startVault();
    const as = (name, args, code) => run(clients[name], [...args, '--home', at(name), '--vault', address,
        '--accept-new', ...(name === 'collector' ? locked : [])], code);
    const operator = (...args) =>
        execFileSync(join(bin, 'sat-vaultd'), [...args, '--data', at('vault')], { stdio: 'pipe' });

    // The eleven steps, and a hold in between.
    const picture = join(here, '../fixtures/cutout.png');
    const { id, receipt } = as('artist', ['upload', picture, '--title', 'Cut-out']);
    operator('hold', id, '--reason', 'a question');
    operator('release', id);
    const stillPending = 11;
    as('collector', ['claim', id, '--message', 'May I?', '--wait', '0'], stillPending);
    as('artist', ['confirm', id, '-y']);
    as('collector', ['claim', id]);
    as('collector', ['certificate', id, '-o', at('certificate.json')]);

    const add = (name, jws, by, key) => statements.push({ name, jws, by: parties[by], key });
    const proof = JSON.parse(readFileSync(at('certificate.json')));
    const lines = (type) => proof.leaves.map(({ entry }) => entry.split('\n'))
        .filter((entry) => entry[1] === type).map((entry) => entry.slice(3, -1));
    const wallets = { artist: run('sat-artist', ['whoami', '--home', at('artist')]).wallet };
    for (const [document] of proof.identities) {
        const artists = jose.decodeJwt(document).wallet === wallets.artist;
        add('identity', document, artists ? 'artist' : 'collector', 'sign.pem');
    }
    add('identity of the vault', proof.vault[0], 'vault', 'sign.pem');
    const [[registration]] = lines('register');
    const [[claim, answer, accept]] = lines('transfer');
    add('registration', registration, 'artist', 'sign.pem');
    add('claim', claim, 'collector', 'sign.pem');
    add('answer', answer, 'artist', 'sign.pem');
    add('accept', accept, 'collector', 'sign.pem');
    add('hold', lines('hold')[0][0], 'vault', 'log.pem');
    add('release', lines('release')[0][0], 'vault', 'log.pem');
    add('head', proof.head, 'vault', 'log.pem');
    add('receipt', receipt, 'vault', 'log.pem');
    checkpoint = proof.checkpoint;
});

after(async () => {
    if (vault !== undefined && vault.exitCode === null) {
        const ended = once(vault, 'exit');
        vault.kill();
        await ended;
    }
    rmSync(work, { recursive: true });
});

const firstWord = (text) => text.split(' ')[0].trim();

test('openssl and sha256sum print the wallet that whoami prints', () => {
    for (const [name, program] of Object.entries(clients)) {
        const { wallet, kem_id: kemId } = run(program, ['whoami', '--home', at(name)]);
        const printed = (key) => firstWord(shell(
            'openssl pkey -in "$1" "${@:2}" -pubout -outform DER | sha256sum', at(name, key), ...parties[name].unlock));
        assert.equal(printed('sign.pem'), wallet);
        assert.equal(printed('kem.pem'), kemId);
    }
    for (const data of ['vault', 'clear']) {
        const asked = ['fingerprint', '--data', at(data)];
        const fingerprint = execFileSync(join(bin, 'sat-vaultd'), asked, { encoding: 'utf8' });
        const pem = at(data, 'keys', 'sign.pub.pem');
        const printed = firstWord(shell('openssl pkey -pubin -in "$1" -outform DER | sha256sum', pem));
        assert.match(fingerprint, new RegExp(`SHA256:${printed}\\b`));
    }
});

test('openssl opens every private key file, with its passphrase where it has one, and only with it', () => {
    let opened = 0;
    for (const { folder, unlock } of Object.values(parties)) {
        for (const file of readdirSync(folder).filter((name) => name.endsWith('.pem') && !name.endsWith('.pub.pem'))) {
            const args = ['pkey', '-in', join(folder, file), ...unlock, '-noout', '-text'];
            const kind = openssl(args, { encoding: 'utf8' });
            assert.match(kind, file === 'log.pem' ? /^ED25519 Private-Key:/i : /Private-Key: \((3072|4096) bit/);
            if (unlock.length > 0) {
                assert.throws(() => openssl(['pkey', '-in', join(folder, file), '-passin', 'pass:another', '-noout']));
            }
            opened += 1;
        }
    }
    assert.equal(opened, 2 + 2 + 4 + 4);
});

/** The same statement with one thing in it changed; what is said of each has to be a refusal. */
function tampered(jws) {
    const parts = jws.split('.');
    const text = (part) => Buffer.from(part, 'base64url').toString('latin1');
    const coded = (changed) => Buffer.from(changed, 'latin1').toString('base64url');
    const flipped = (part) => coded(text(part).replace(/.$/s, (byte) => String.fromCharCode(byte.charCodeAt(0) ^ 1)));
    const [header, payload, signature] = parts;
    return [
        [header, coded(text(payload).replace(/"v":1/, '"v":2')), signature],
        [header, payload, flipped(signature)],
        [coded(text(header).replace(/"kid":"./, '"kid":"x')), payload, signature],
        [coded('{"alg":"none"}'), payload, ''],
        [header, payload, ''],
    ].map((changed) => changed.join('.'));
}

const isEdDsa = ({ key }) => key === 'log.pem';

test('the npm package jose verifies every statement, and refuses it tampered with or under another key', async () => {
    for (const statement of statements) {
        const { name, jws, by, key } = statement;
        const algorithm = isEdDsa(statement) ? 'EdDSA' : 'PS256';
        const verifier = await jose.importSPKI(publicPem(by, key), algorithm);
        const { protectedHeader } = await jose.compactVerify(jws, verifier, { algorithms: [algorithm] });
        assert.equal(protectedHeader.alg, algorithm, name);
        const refused = (changed, under) =>
            assert.rejects(jose.compactVerify(changed, under), ({ code }) => /^ERR_J(WS|OSE)_/.test(code), name);
        for (const changed of tampered(jws)) {
            await refused(changed, verifier);
        }
        await refused(jws, await jose.importSPKI(publicPem(parties['vault in clear'], key), algorithm));
    }
    assert.equal(statements.length, 11);
});

test('the jose command verifies every statement of a person, and refuses it tampered with or under another key', () => {
    const file = at('key.jwk');
    const verifies = (jws, pem) => {
        writeFileSync(file, JSON.stringify({ ...createPublicKey(pem).export({ format: 'jwk' }), alg: 'PS256' }));
        const args = ['jws', 'ver', '-i', '-', '-k', file, '-O', '-'];
        const command = spawnSync('jose', args, { input: jws, encoding: 'utf8' });
        assert(command.error === undefined && command.signal === null, 'jose cannot be run');
        return command.status === 0 ? command.stdout : null;
    };
    let verified = 0;
    for (const { name, jws, by, key } of statements.filter((statement) => !isEdDsa(statement))) {
        const pem = publicPem(by, key);
        assert.equal(verifies(jws, pem), Buffer.from(jws.split('.')[1], 'base64url').toString(), name);
        tampered(jws).forEach((changed) => assert.equal(verifies(changed, pem), null, `${name} tampered with`));
        assert.equal(verifies(jws, publicPem(parties['vault in clear'], key)), null, `${name} under another key`);
        verified += 1;
    }
    assert.equal(verified, 7);
});

test("openssl verifies the vault's checkpoint under its log key, and refuses another text", () => {
    const [text, lines] = [checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1), checkpoint.split('\n\n')[1]];
    const signature = Buffer.from(lines.split('\n')[0].split(' ')[2], 'base64').subarray(4);
    writeFileSync(at('log.pub.pem'), publicPem(parties.vault, 'log.pem'));
    writeFileSync(at('signature'), signature);
    const status = (signed) => {
        writeFileSync(at('text'), signed);
        return spawnSync('openssl', ['pkeyutl', '-verify', '-pubin', '-inkey', at('log.pub.pem'), '-rawin',
            '-in', at('text'), '-sigfile', at('signature')]).status;
    };
    assert.equal(status(text), 0);
    assert.notEqual(status(text.replace('sat-vault', 'sat-vaulT')), 0);
});
