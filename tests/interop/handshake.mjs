// SAT-KEM/1 (docs/protocol.md, Handshake): the key schedule as pure functions, then the client's side over frames.
// SPDX-License-Identifier: Apache-2.0
import { readChain, verifyChain, writeChain } from './identity.mjs';
import { parseObject } from './json.mjs';
import { agree, decap, encap, makeEphemeral, openGcm, sameSecret, sealGcm } from './keys.mjs';
import {
    ascii, concat, Ended, expand, extract, hmac, label, nameBytes, ProtocolError, Reader, require, sha256, u16, u32, u8,
    utf8, vec16, zeros,
} from './wire.mjs';

export const frameTypes = { identity: 2, clientHello: 3, serverHello: 4, clientFinished: 5, alert: 6 };
export const maxHandshakeFrame = 16384;

const name = 'SATP/1 RSAOAEP256-X25519-HKDFSHA256-A256GCM';
const version = 1;
const suite = 1;
const maxExt = 4096;
const maxTime = 253402300799;      // the end of the year 9999
const identityMs = 60000;
const handshakeMs = 10000;

export const vaultKemLabel = (vaultWallet) => label('SAT/1 kem c2v', vaultWallet);
export const clientKemLabel = (clientWallet, th1) => label('SAT/1 kem v2c', concat(clientWallet, th1));

const keyAndNonce = (secret, text, transcript) => {
    const material = expand(secret, label(text, transcript), 44);
    return { key: material.subarray(0, 32), nonce: material.subarray(32), material };
};
const finished = (secret, text, transcript) => hmac(expand(secret, label(text, transcript), 32), transcript);
const derived = (secret) => expand(secret, label('SAT/1 derived'), 32);

/** The secrets in order; each function takes the one before. Transcript hashes are the caller's. */
export const schedule = {
    early: (ssV) => extract(zeros(32), ssV),
    identityKey: (early, th1a) => keyAndNonce(early, 'SAT/1 c id', th1a),
    handshake: (early, dh) => extract(derived(early), dh),
    master: (handshakeSecret, ssC) => extract(derived(handshakeSecret), ssC),
    serverKey: (master, th2a) => keyAndNonce(master, 'SAT/1 s hs', th2a),
    serverFinished: (master, th2a) => finished(master, 'SAT/1 s fin', th2a),
    clientKey: (master, th2) => keyAndNonce(master, 'SAT/1 c hs', th2),
    clientFinished: (master, th2) => finished(master, 'SAT/1 c fin', th2),
    clientTraffic: (master, th3) => expand(master, label('SAT/1 c ap', th3), 32),
    serverTraffic: (master, th3) => expand(master, label('SAT/1 s ap', th3), 32),
};

/** A frame whose last field is sealed: the length is fixed first, since the AAD is a hash over what precedes it. */
function sealedFrame(head, sealedBytes, seal) {
    const fixed = concat(u32(head.length + 2 + sealedBytes), head);
    const sealed = seal(fixed);
    return concat(fixed, vec16(sealed));
}

export function writeExt(ext) {
    const bytes = utf8(JSON.stringify(ext));
    require(bytes.length <= maxExt, 'an ext is too large');
    return vec16(bytes);
}

export function readExt(reader) {
    const bytes = reader.vec16();
    require(bytes.length <= maxExt, 'an ext is too large');
    return parseObject(bytes);
}

/** CLIENT_HELLO; `start` is the transcript before it, `identity` what enc_id seals. */
export function writeClientHello({ start, kemId, ephemeral, ciphertext, early, identity }) {
    const head = concat(u8(frameTypes.clientHello), ascii('SATP'), u8(version), u8(0), u16(suite), kemId, ephemeral,
        vec16(ciphertext));
    return sealedFrame(head, identity.length + 16, (fixed) => {
        const th1a = sha256(start, fixed);
        const { key, nonce } = schedule.identityKey(early, th1a);
        return sealGcm(key, nonce, th1a, identity);
    });
}

/** SERVER_HELLO; `middle` is the transcript before it, `confirm(finished)` gives what enc_sf seals, `bytes` long. */
export function writeServerHello({ middle, ephemeral, ciphertext, master, bytes, confirm }) {
    const head = concat(u8(frameTypes.serverHello), ephemeral, vec16(ciphertext));
    return sealedFrame(head, bytes + 16, (fixed) => {
        const th2a = sha256(middle, fixed);
        const { key, nonce } = schedule.serverKey(master, th2a);
        return sealGcm(key, nonce, th2a, confirm(schedule.serverFinished(master, th2a)));
    });
}

/** CLIENT_FINISHED; `confirmation` is what enc_cf seals. */
export function writeClientFinished({ th2, master, confirmation }) {
    return sealedFrame(u8(frameTypes.clientFinished), confirmation.length + 16, () => {
        const { key, nonce } = schedule.clientKey(master, th2);
        return sealGcm(key, nonce, th2, confirmation);
    });
}

/** The prefix of every transcript hash. */
export const transcriptStart = (vaultWallet, identityFrame) =>
    concat(ascii(name), u8(0), vaultWallet, sha256(identityFrame));

async function nextFrame(stream, type, what) {
    const frame = await stream.frame(1, maxHandshakeFrame);
    if (frame[4] === frameTypes.alert) {
        require(frame.length === 7, 'an ALERT has not 3 bytes');
        throw new Ended(`instead of ${what} came ALERT`, frame.readUInt16BE(5));
    }
    require(frame[4] === type, `instead of ${what} came a frame of type ${frame[4]}`);
    return frame;
}

function readIdentityFrame(frame, pin) {
    const reader = new Reader(frame.subarray(5), 'IDENTITY');
    const chain = readChain(reader);
    reader.done();
    const vault = verifyChain(chain, { kind: 'vault' });
    require(vault.wallet === pin, `the vault's wallet is ${vault.wallet}, not the pinned one`);
    return { ...vault, chain };
}

const isCount = (value, most = Number.MAX_SAFE_INTEGER) => Number.isSafeInteger(value) && value >= 0 && value <= most;

export async function within(milliseconds, what, work) {
    let timer;
    const late = new Promise((_, refuse) => {
        timer = setTimeout(() => refuse(new ProtocolError(`${what} took too long`)), milliseconds);
    });
    try {
        return await Promise.race([late, work]);
    } finally {
        clearTimeout(timer);
    }
}

/**
 * The client's side. `me` is an identity with its private keys, `pin` the vault's wallet.
 * Gives { vault, ext, clientSecret, serverSecret }; sends nothing before the pin was compared.
 * The 10 s run from IDENTITY; before it the vault may let a client wait. `bend` changes single values before they are
 * sent, for tests of a vault: { ephemeral, identity, hello, finished, confirmation, clientFinished }, each a function.
 */
export async function shakeHands(stream, me, pin, { agent = 'interop', seen = null, bend = {} } = {}) {
    const identityFrame = await within(identityMs, 'IDENTITY', nextFrame(stream, frameTypes.identity, 'IDENTITY'));
    return within(handshakeMs, 'the handshake', exchange(stream, identityFrame, me, pin, { agent, seen, bend }));
}

async function exchange(stream, identityFrame, me, pin, { agent, seen, bend }) {
    const vault = readIdentityFrame(identityFrame, pin);
    const vaultWallet = nameBytes(vault.wallet);
    const clientWallet = nameBytes(me.wallet);
    const start = transcriptStart(vaultWallet, identityFrame);

    const bent = (part, value) => bend[part]?.(value) ?? value;
    const ephemeral = await makeEphemeral();
    const toVault = encap(vault.kem, vaultKemLabel(vaultWallet));
    const early = schedule.early(toVault.secret);
    const identity = bent('identity', concat(writeChain(me.chain), writeExt({ agent })));
    const clientHello = bent('hello', writeClientHello({
        start, kemId: nameBytes(vault.kemId), ephemeral: bent('ephemeral', ephemeral.raw),
        ciphertext: toVault.ciphertext, early, identity,
    }));
    await stream.write([clientHello]);

    const serverHello = await nextFrame(stream, frameTypes.serverHello, 'SERVER_HELLO');
    const reader = new Reader(serverHello.subarray(5), 'SERVER_HELLO');
    const vaultEphemeral = reader.take(32);
    const ciphertext = reader.vec16();
    const upToCiphertext = serverHello.subarray(0, 5 + reader.at);
    const sealed = reader.vec16();
    reader.done();
    const th1 = sha256(start, clientHello);
    const middle = concat(start, clientHello, clientWallet, nameBytes(me.kem.id));
    const handshake = schedule.handshake(early, agree(ephemeral.privateKey, vaultEphemeral));
    const master = schedule.master(handshake,
        decap(me.kem, ciphertext, clientKemLabel(clientWallet, th1), me.rejection));
    const th2a = sha256(middle, upToCiphertext);
    const serverKey = schedule.serverKey(master, th2a);
    const inside = new Reader(openGcm(serverKey.key, serverKey.nonce, th2a, sealed, 'SERVER_HELLO'), 'SERVER_HELLO');
    require(sameSecret(inside.take(32), schedule.serverFinished(master, th2a)), "the vault's Finished value is wrong");
    const ext = readExt(inside);
    inside.done();
    require(isCount(ext.time, maxTime) && isCount(ext.limits?.artwork_bytes) && isCount(ext.limits?.preview_bytes),
        'SERVER_HELLO lacks the time or the limits');

    const th2 = sha256(middle, serverHello);
    const confirmation = bent('confirmation',
        concat(bent('finished', schedule.clientFinished(master, th2)), writeExt({ seen })));
    const clientFinished = bent('clientFinished', writeClientFinished({ th2, master, confirmation }));
    await stream.write([clientFinished]);
    const th3 = sha256(middle, serverHello, clientFinished);
    return {
        vault, ext,
        clientSecret: schedule.clientTraffic(master, th3), serverSecret: schedule.serverTraffic(master, th3),
    };
}
