// Homes, works and vaults that misbehaviours against the client programs are played in. Ann (sat-artist) and Bob
// (sat-collector) have homes that the programs made; their keys are read from there, so that scenes are signed here.
// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEnvelope, sealStream } from './envelope.mjs';
import { readJws } from './jws.mjs';
import { keyId, spkiOf } from './keys.mjs';
import { runClient, vaultOptions } from './programs.mjs';
import { commitMetadata, commitText, makeStatement } from './statements.mjs';
import { testIdentity } from './test_keys.mjs';
import { Vault } from './vault.mjs';
import { VaultState } from './vault_state.mjs';
import { concat, sha256 } from './wire.mjs';

const day = 86400;

function readHome(home) {
    const load = (name) => {
        const privateKey = createPrivateKey(readFileSync(join(home, name)));
        const publicKey = createPublicKey(privateKey);
        return { privateKey, publicKey, spki: spkiOf(publicKey), id: keyId(publicKey) };
    };
    const chain = JSON.parse(readFileSync(join(home, 'identity.jws'), 'utf8'));
    const [sign, kem] = [load('sign.pem'), load('kem.pem')];
    return { sign, kem, log: null, wallet: sign.id, chain, rejection: randomBytes(32) };
}

/** What people do, done to a VaultState without a connection. */
class Scene {
    constructor(state, image, preview) {
        this.state = state;
        this.image = image;
        this.preview = preview;
    }
    clone() {
        return new Scene(this.state.clone(), this.image, this.preview);
    }
    sign(type, me, fields) {
        return makeStatement(type, me, this.state.me.wallet, fields);
    }
    registration(me, artwork, fields = {}) {
        return this.sign('register', me, {
            artwork, title: 'A boat', description: '', artist: 'Ann', creation_date: '', file_path: 'boat.jpg',
            media_type: 'image/jpeg', bytes: this.image.length, width: 320, height: 480,
            sha256: sha256(this.image).toString('hex'), release: 'original',
            preview: {
                sha256: sha256(this.preview).toString('hex'), bytes: this.preview.length, media_type: 'image/jpeg',
            },
            ...fields,
        });
    }
    register(me, fields) {
        this.state.admit(me.chain);
        const artwork = this.state.newId();
        const envelope = makeEnvelope(artwork, this.image.length,
            { wallet: me.wallet, kem: me.kem.publicKey, kemId: me.kem.id });
        const upload = {
            artwork, bytes: this.image.length, media_type: 'image/jpeg', sha256: sha256(this.image).toString('hex'),
            envelope: { dek: envelope.dek, salt: envelope.salt,
                sealed: concat(...sealStream(envelope.keys, this.image)) },
        };
        const statement = this.state.take(this.registration(me, artwork, fields), 'register', me.wallet);
        this.state.register(statement, upload, this.preview, { sender_ip: '127.0.0.1', sender_port: 7 });
        return artwork;
    }
    claimStatement(me, artwork, fields = {}) {
        const { head, seq, owner } = this.state.work(artwork);
        return this.sign('claim', me,
            { artwork, head, seq, owner, exp: this.state.now() + day, text_commit: null, ...fields });
    }
    claim(me, artwork, fields = {}, text = null) {
        this.state.admit(me.chain);
        const note = text === null ? null : commitText(text);
        const jws = this.claimStatement(me, artwork, { text_commit: note?.commit ?? null, ...fields });
        return this.state.openClaim(jws, note && { salt: note.salt, text: note.text }, me.wallet).claim;
    }
    answerStatement(me, claim, yes, fields = {}) {
        const { artwork, payload: { head, seq, exp } } = claim;
        return this.sign('answer', me, {
            artwork, head, seq, claim: claim.id, to: claim.collector, answer: yes ? 'yes' : 'no',
            exp: yes ? Math.min(exp, this.state.now() + day / 2) : null, text_commit: null, ...fields,
        });
    }
    answer(me, claim, yes, fields) {
        return this.state.answerClaim(this.answerStatement(me, claim, yes, fields), null, me.wallet);
    }
    accept(me, claim, fields = {}) {
        const made = commitMetadata(JSON.stringify({ name: '', contact: '', wallet_address: me.wallet }));
        const { artwork, payload: { head, seq } } = claim;
        const jws = this.sign('accept', me, {
            artwork, head, seq, claim: claim.id, answer: claim.answer.id, metadata_commit: made.commit, ...fields,
        });
        return this.state.acceptClaim(jws, Buffer.from(made.salt, 'base64url'), made.text, me.wallet);
    }
    /** A whole transfer from `owner` to `me`. */
    transfer(owner, me, artwork) {
        const claim = this.claim(me, artwork);
        this.answer(owner, claim, true);
        return this.accept(me, claim);
    }
}

export class ClientWorld {
    /** `programs` is { artist, collector, image }: two programs and the path of a JPEG file. */
    static async open(programs) {
        const world = new ClientWorld();
        world.folder = mkdtempSync(join(tmpdir(), 'sat-interop-'));
        world.programs = { ann: programs.artist, bob: programs.collector };
        world.imageFile = programs.image;
        world.runs = 0;
        await Promise.all(['ann', 'bob'].map((who) =>
            runClient(world.programs[who], join(world.folder, who), ['init', '--no-passphrase', '--name', who],
                { cwd: tmpdir() })));
        world.people = {
            ann: readHome(join(world.folder, 'ann')), bob: readHome(join(world.folder, 'bob')),
            cyn: testIdentity('collector'), dan: testIdentity('artist'),
        };
        await world.build();
        return world;
    }

    /** Three works by Ann and Dan; Ann and Bob both met the ledger when it had three leaves, and it grew since. */
    async build() {
        const { ann, bob, cyn, dan } = this.people;
        const scene = new Scene(new VaultState(testIdentity('vault')), readFileSync(this.imageFile), randomBytes(300));
        [ann, bob, cyn, dan].forEach(({ chain }) => scene.state.admit(chain));
        this.work = scene.register(ann);
        this.young = scene.clone();
        this.hidden = scene.register(ann, { release: 'preview' });
        this.foreign = scene.register(dan, { title: 'Of another artist' });
        this.met = scene.clone();
        await Promise.all(['ann', 'bob'].map((who) => this.meet(who)));
        this.forked = scene.clone();
        this.forked.state.ledger.leaves[1] = this.forked.state.ledger.leaves[2];
        this.forked.register(bob);
        this.forked.register(dan);
        this.owned = scene.register(bob);
        scene.register(dan);
        this.base = scene;
    }

    /** A home that has met the vault while its ledger was young. */
    async meet(who) {
        const home = join(this.folder, `${who}-met`);
        cpSync(join(this.folder, who), home, { recursive: true });
        const vault = new Vault(this.met.state.clone());
        const port = await vault.listen();
        await runClient(this.programs[who], home, [...vaultOptions(port, vault.wallet), 'show', this.work],
            { cwd: tmpdir() });
        await vault.close();
    }

    /** Runs `who`'s program in a copy of its home, against `vault` on `port`: what runClient gives, and the home. */
    async run(who, args, { vault, port = 0, home = null, met = true, pin = true }) {
        const own = home ?? join(this.folder, `run-${++this.runs}`);
        if (home === null) {
            cpSync(join(this.folder, met ? `${who}-met` : who), own, { recursive: true });
        }
        const at = await vault.listen(port);
        const options = pin ? vaultOptions(at, vault.wallet) : ['--vault', `127.0.0.1:${at}`];
        try {
            const ended = await runClient(this.programs[who], own, [...options, ...args], { cwd: tmpdir() });
            return { ...ended, home: own, port: at };
        } finally {
            await vault.close();
        }
    }

    close() {
        rmSync(this.folder, { recursive: true });
    }
}

/** The payload of a statement, to be changed and signed anew. */
export const payloadOf = (jws, type) => readJws(jws, type).payload;
