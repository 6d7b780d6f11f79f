// Vectors with every intermediate value, from fixed inputs: the handshake, records, envelopes, the ledger's proofs.
// Everything random is derived from a name, so that the same files come out each time.
// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { writeCertificate } from './certificate.mjs';
import {
    checkCharacter, chunkContext, chunkCount, chunkKeys, chunkPlain, chunkSealed, makeEnvelope, sealedLength,
    sealStream,
    wrapLabel,
} from './envelope.mjs';
import { sealOaepWith, signPssWith } from './fixed_rsa.mjs';
import {
    clientKemLabel, schedule, transcriptStart, vaultKemLabel, writeClientFinished, writeClientHello, writeExt,
    writeServerHello,
} from './handshake.mjs';
import { makeDocument, writeChain } from './identity.mjs';
import { statementId } from './jws.mjs';
import { agree, publicOf, sharedSecret } from './keys.mjs';
import { leafHash, writeLeaf } from './ledger.mjs';
import { consistencyProof, inclusionProof, rootOf } from './merkle.mjs';
import { cosignText, logVerifier, readNote, witnessVerifier, writeCheckpoint } from './note.mjs';
import { RecordSender, types } from './records.mjs';
import { makeStatement } from './statements.mjs';
import { testKeys } from './test_keys.mjs';
import { identityFrame } from './vault_side.mjs';
import {
    ascii, concat, expand, label, nameBytes, sha256, toBase64url, u16, u64, utf8, zeros,
} from './wire.mjs';

const time = 1790000000;
const hex = (bytes) => bytes.toString('hex');
const hexAll = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hex(value)]));

/** Bytes that stand for random ones. */
const bytesFor = (name, length) => expand(sha256(ascii('SAT interop vectors')), utf8(name), length);

const pkcs8 = { x25519: '302e020100300506032b656e04220420', ed25519: '302e020100300506032b657004220420' };
function fixedKey(kind, name) {
    const seed = bytesFor(name, 32);
    const privateKey = createPrivateKey({ key: concat(Buffer.from(pkcs8[kind], 'hex'), seed), format: 'der',
        type: 'pkcs8' });
    return { seed, privateKey, raw: publicOf(privateKey) };
}

/** A test identity whose signatures are the same each time. */
function fixedIdentity(who) {
    const keys = testKeys(who);
    const sign = { ...keys.sign,
        signs: (data) => signPssWith(bytesFor(`salt ${hex(sha256(data))}`, 32), keys.sign.privateKey, data) };
    const kind = who === 'vault' ? 'vault' : 'user';
    return { ...keys, sign, wallet: sign.id, chain: [makeDocument({ ...keys, sign }, kind, { iat: time })] };
}

const vault = fixedIdentity('vault');
const artist = fixedIdentity('artist');
const collector = fixedIdentity('collector');

function encapsulated(name, key, kemLabel) {
    const message = bytesFor(`${name} m`, 32);
    const seed = bytesFor(`${name} seed`, 32);
    const ciphertext = sealOaepWith(seed, key.publicKey, message, kemLabel);
    return { message, seed, ciphertext, secret: sharedSecret(message, nameBytes(key.id), ciphertext, kemLabel) };
}

/** One handshake of the vault with `client`. */
function handshake(client, exts) {
    const name = `handshake ${client.wallet}`;
    const vaultWallet = nameBytes(vault.wallet);
    const clientWallet = nameBytes(client.wallet);
    const first = identityFrame(vault);
    const start = transcriptStart(vaultWallet, first);
    const ours = fixedKey('x25519', `${name} client ephemeral`);
    const theirs = fixedKey('x25519', `${name} vault ephemeral`);

    const labelV = vaultKemLabel(vaultWallet);
    const toVault = encapsulated(`${name} to vault`, vault.kem, labelV);
    const early = schedule.early(toVault.secret);
    const identity = concat(writeChain(client.chain), writeExt(exts.client));
    const clientHello = writeClientHello({
        start, kemId: nameBytes(vault.kem.id), ephemeral: ours.raw, ciphertext: toVault.ciphertext, early, identity,
    });
    const th1a = sha256(start, clientHello.subarray(0, 4 + 1 + 8 + 32 + 32 + 2 + toVault.ciphertext.length));
    const th1 = sha256(start, clientHello);

    const labelC = clientKemLabel(clientWallet, th1);
    const toClient = encapsulated(`${name} to client`, client.kem, labelC);
    const dh = agree(ours.privateKey, theirs.raw);
    const handshakeSecret = schedule.handshake(early, dh);
    const master = schedule.master(handshakeSecret, toClient.secret);
    const middle = concat(start, clientHello, clientWallet, nameBytes(client.kem.id));
    const told = writeExt(exts.vault);
    const serverHello = writeServerHello({
        middle, ephemeral: theirs.raw, ciphertext: toClient.ciphertext, master, bytes: 32 + told.length,
        confirm: (finished) => concat(finished, told),
    });
    const th2a = sha256(middle, serverHello.subarray(0, 4 + 1 + 32 + 2 + toClient.ciphertext.length));
    const th2 = sha256(middle, serverHello);
    const clientFinishedValue = schedule.clientFinished(master, th2);
    const confirmation = concat(clientFinishedValue, writeExt(exts.finished));
    const clientFinished = writeClientFinished({ th2, master, confirmation });
    const th3 = sha256(middle, serverHello, clientFinished);
    return {
        inputs: {
            vault_chain: vault.chain, client_chain: client.chain,
            client_ext: JSON.stringify(exts.client), server_ext: JSON.stringify(exts.vault),
            finished_ext: JSON.stringify(exts.finished),
            ...hexAll({
                client_ephemeral: ours.seed, vault_ephemeral: theirs.seed, client_m: toVault.message,
                client_oaep_seed: toVault.seed, ct_v: toVault.ciphertext, vault_m: toClient.message,
                vault_oaep_seed: toClient.seed, ct_c: toClient.ciphertext,
            }),
        },
        values: hexAll({
            vault_wallet: vaultWallet, vault_kem_id: nameBytes(vault.kem.id), client_wallet: clientWallet,
            client_kem_id: nameBytes(client.kem.id), epk_c: ours.raw, epk_v: theirs.raw, P: start, L_v: labelV,
                L_c: labelC,
            th_1a: th1a, th_1: th1, th_2a: th2a, th_2: th2, th_3: th3, ss_v: toVault.secret, dh, ss_c: toClient.secret,
            ES: early, HS: handshakeSecret, MS: master, k_id_iv_id: schedule.identityKey(early, th1a).material,
            k_shs_iv_shs: schedule.serverKey(master, th2a).material,
                k_chs_iv_chs: schedule.clientKey(master, th2).material,
            server_finished: schedule.serverFinished(master, th2a), client_finished: clientFinishedValue,
            c_ap_0: schedule.clientTraffic(master, th3), s_ap_0: schedule.serverTraffic(master, th3),
        }),
        frames: hexAll({
            identity: first, client_hello: clientHello, server_hello: serverHello, client_finished: clientFinished,
        }),
    };
}

const checkpointOf = (entries) => writeCheckpoint(
    { privateKey: vault.log.privateKey, verifier: logVerifier(vault.wallet, vault.log.raw) }, entries.length,
    rootOf(entries.map((entry) => nameBytes(leafHash(entry)))));

function handshakes() {
    const limits = { artwork_bytes: 1073741824, preview_bytes: 65536 };
    const root = hex(bytesFor('a root', 32));
    return {
        note: 'whole handshakes of keys/test-vault-* with the collector (kem of 4096 bits), then with the artist',
        handshakes: [
            handshake(collector, {
                client: { agent: 'interop/1' }, vault: { time, limits, checkpoint: checkpointOf([]) },
                    finished: { seen: null },
            }),
            handshake(artist, {
                client: {}, vault: { time: time + 1, limits, checkpoint: checkpointOf(['a', 'b']) },
                finished: { seen: { size: 1, root } },
            }),
        ],
    };
}

/** What one side sends: a record for each row, over three epochs. */
function records() {
    const secret = bytesFor('records', 32);
    const sender = new RecordSender(secret);
    const epochs = [];
    const rows = [];
    const enter = () => {
        const { secret: own } = sender.direction;
        epochs.push(hexAll({ secret: own, key_and_iv: expand(own, label('SAT/1 key'), 44) }));
    };
    const record = (type, body, goesOn = 0) => {
        const { sequence } = sender.direction;
        const frame = sender.record(type, goesOn, body);
        const row = { epoch: epochs.length - 1, sequence, type, more: goesOn === 1, body: hex(body) };
        rows.push(body.length <= 512 ? { ...row, frame: hex(frame) }
            : { ...row, body: null, body_byte: body[0], body_length: body.length, frame_length: frame.length,
                frame_sha256: hex(sha256(frame)) });
    };
    const rekey = () => {
        record(types.keyUpdate, zeros(0));
        sender.direction.nextEpoch();
        enter();
    };
    enter();
    record(types.response, utf8('{"ok":true,"r":{}}'));
    record(types.response, utf8('x'.repeat(252)));
    record(types.response, utf8('x'.repeat(253)));
    record(types.event, utf8('{"e":"claim.'), 1);
    record(types.event, utf8('opened","p":{}}'));
    rekey();
    record(types.data, Buffer.alloc(65600, 7));
    record(types.data, Buffer.alloc(17, 8));
    record(types.dataEnd, u64(65617));
    record(types.ping, zeros(0));
    rekey();
    record(types.pong, zeros(0));
    record(types.response, Buffer.alloc(66556, 0x79), 1);
    record(types.response, Buffer.alloc(1, 0x79));
    record(types.close, u16(0));
    return { note: 'records from the vault under one secret; long bodies are one byte many times', epochs,
        records: rows };
}

const plaintext = (length) => Buffer.from(Array.from({ length }, (_, at) => (31 * at + Math.floor(at / 251)) % 256));

function envelope(nine, bytes, { who, key, purpose }) {
    const artwork = nine + checkCharacter(nine);
    const name = `envelope ${artwork}`;
    const dek = bytesFor(`${name} dek`, 32);
    const salt = bytesFor(`${name} salt`, 24);
    const seed = bytesFor(`${name} seed`, 32);
    const { header, keys } = makeEnvelope(artwork, bytes, { wallet: who.wallet, kem: key.publicKey, kemId: key.id },
        { dek, salt, purpose, wrap: (...given) => sealOaepWith(seed, ...given) });
    const plain = plaintext(bytes);
    const sealed = concat(...sealStream(keys, plain));
    const context = chunkContext(artwork);
    const info = concat(ascii('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'), zeros(1), salt, context);
    const chunks = Array.from({ length: chunkCount(bytes) }, (_, at) => {
        const chunk = sealed.subarray(at * chunkSealed, (at + 1) * chunkSealed);
        return { length: chunk.length, tag: hex(chunk.subarray(-16)), sha256: hex(sha256(chunk)) };
    });
    const again = chunkKeys(dek, salt, context);
    return {
        artwork, plaintext_length: bytes, recipient: who.wallet, kem_id: key.id, purpose,
        ...hexAll({
            data_key: dek, salt, oaep_seed: seed, context, info, okm: expand(dek, info, 76, 'sha512'),
            chunk_key: again.key, base_nonce: again.nonce, commitment: again.commitment,
            wrap_label: wrapLabel(artwork, who.wallet, purpose), header,
            plaintext_sha256: sha256(plain), sealed_sha256: sha256(sealed),
        }),
        sealed_length: sealedLength(bytes), chunks,
    };
}

function envelopes() {
    const vaultKem = { who: vault, key: vault.kem, purpose: 'SAT/1 env' };
    const store = { who: vault, key: testKeys('vault').store, purpose: 'SAT/1 store' };
    const person = { who: collector, key: collector.kem, purpose: 'SAT/1 env' };
    return {
        note: 'byte i of a plaintext is (31 * i + floor(i / 251)) mod 256; recipients are keys/test-*.pem',
        envelopes: [
            envelope('000000001', 1, vaultKem), envelope('ABCDEFGHJ', chunkPlain - 1, person),
            envelope('ZZZZZZZZZ', chunkPlain, vaultKem), envelope('7K3VQ9XAB', chunkPlain + 1, store),
            envelope('Q00000000', 4 * chunkPlain, person), envelope('0123456789'.slice(1), 70000, store),
        ],
    };
}

/** Statements by fixed signers, the leaves of two works, and everything that proves them. */
function ledger() {
    let nonces = 0;
    const statement = (type, me, fields) => makeStatement(type, me, vault.wallet,
        { nonce: toBase64url(bytesFor(`nonce ${++nonces}`, 16)), iat: time, ...fields });
    const registration = (me, artwork) => statement('register', me, {
        artwork, title: 'Zwölf Boote 🚣', description: '', artist: 'Ana Šarić', creation_date: '2024-02-29',
        file_path: 'boote.tiff', media_type: 'image/tiff', bytes: 70000, width: 200, height: 350,
        sha256: hex(sha256(plaintext(70000))), release: 'original', preview: null,
    });
    const artwork = `ABCDEFGHJ${checkCharacter('ABCDEFGHJ')}`;
    const other = `000000001${checkCharacter('000000001')}`;
    const entries = [writeLeaf('register', time + 1, [registration(artist, artwork)])];
    const of = { artwork, head: leafHash(entries[0]), seq: 0 };
    const claim = statement('claim', collector, { ...of, owner: artist.wallet, exp: time + 1000, text_commit: null });
    const answer = statement('answer', artist, {
        ...of, claim: statementId(claim), to: collector.wallet, answer: 'yes', exp: time + 900, text_commit: null,
        seen: { size: 1, root: of.head },
    });
    const accept = statement('accept', collector, {
        ...of, claim: statementId(claim), answer: statementId(answer), metadata_commit: hex(bytesFor('metadata', 32)),
    });
    entries.push(writeLeaf('register', time + 2, [registration(collector, other)]),
        writeLeaf('transfer', time + 3, [claim, answer, accept]));
    const head = leafHash(entries[2]);
    const hold = (type, reason) => statement(type, vault, { artwork, on: head, reason });
    entries.push(writeLeaf('hold', time + 4, [hold('hold', 'asked by a court')]),
        writeLeaf('release', time + 5, [hold('release', 'settled')]));

    const leaves = entries.map((entry) => nameBytes(leafHash(entry)));
    const size = leaves.length;
    const sizes = Array.from({ length: size + 1 }, (_, at) => at);
    const checkpoint = checkpointOf(entries);
    const witnesses = ['witness.example/one', 'witness.example/two'].map((name) => {
        const { seed, privateKey, raw } = fixedKey('ed25519', name);
        return { name, seed, privateKey, verifier: witnessVerifier(name, raw) };
    });
    const cosigned = witnesses.reduce((note, witness) =>
        note + cosignText(readNote(checkpoint).text, time + 9, witness), checkpoint);
    const treeHead = { size, root: hex(rootOf(leaves)) };
    const headJws = statement('head', vault,
        { artwork, head, seq: 1, owner: collector.wallet, leaves: 4, ...treeHead, seen: treeHead });
    const certificate = writeCertificate({
        vault: vault.chain,
        identities: [artist, collector].sort((a, b) => (a.wallet < b.wallet ? -1 : 1)).map(({ chain }) => chain),
        leaves: [0, 2, 3, 4].map((index) => ({ entry: entries[index], index,
            proof: inclusionProof(leaves, index).map(hex) })),
        head: headJws, checkpoint: cosigned, witnesses: witnesses.map(({ verifier }) => verifier.text),
    });
    return {
        note: 'two works, one of which went from the artist to the collector, was held and released',
        vault: { wallet: vault.wallet, chain: vault.chain, log: logVerifier(vault.wallet, vault.log.raw).text },
        artwork, owner: collector.wallet, head, seq: 1,
        leaves: entries.map((entry) => ({ entry, hash: leafHash(entry) })),
        roots: sizes.map((to) => hex(rootOf(leaves, 0, to))),
        inclusion: sizes.flatMap((to) => sizes.slice(0, to).map((index) =>
            ({ size: to, index, proof: inclusionProof(leaves, index, to).map(hex) }))),
        consistency: sizes.flatMap((to) => sizes.slice(0, to + 1).map((old) =>
            ({ old, size: to, proof: consistencyProof(leaves, old, to).map(hex) }))),
        checkpoint, cosigned,
        witnesses: witnesses.map(({ name, seed, verifier }) => ({ name, seed: hex(seed), key: verifier.text,
            time: time + 9 })),
        head_statement: headJws, image_sha256: hex(sha256(plaintext(70000))), certificate: certificate.toString('utf8'),
    };
}

/** Each file's name and its text. */
export const interopVectors = () => Object.entries({
    'handshake.json': handshakes(), 'records.json': records(), 'envelope.json': envelopes(), 'ledger.json': ledger(),
}).map(([name, value]) => [name, `${JSON.stringify(value, null, 1)}\n`]);

export const interopFolder = new URL('../vectors/interop/', import.meta.url);
