// The vault's side of SAT-KEM/1 (docs/protocol.md, Handshake), over a FrameStream: what it checks in which order, and
// the ALERT that each refusal is. The key schedule is the client's too (handshake.mjs).
// SPDX-License-Identifier: Apache-2.0
import {
    clientKemLabel, frameTypes, maxHandshakeFrame, readExt, schedule, transcriptStart, vaultKemLabel, within,
    writeExt, writeServerHello,
} from './handshake.mjs';
import { readChain, verifyChain, writeChain } from './identity.mjs';
import { agree, decap, encap, makeEphemeral, modulusOf, openGcm, sameSecret } from './keys.mjs';
import { requireSeen } from './statements.mjs';
import { ascii, concat, nameBytes, ProtocolError, Reader, sha256, u16, u32, u8 } from './wire.mjs';

const helloMs = 5000;
const handshakeMs = 10000;

/** The handshake is refused with an ALERT. */
export class Alert extends Error {
    constructor(code) {
        super(`ALERT ${code}`);
        this.frame = concat(u32(3), u8(frameTypes.alert), u16(code));
    }
}

const alertUnless = (condition, code) => {
    if (!condition) {
        throw new Alert(code);
    }
};

/** What throws ProtocolError in `work` is ALERT `code`. */
async function alerting(code, work) {
    try {
        return await work();
    } catch (error) {
        throw error instanceof ProtocolError ? new Alert(code) : error;
    }
}

export function identityFrame(vault) {
    const body = concat(u8(frameTypes.identity), writeChain(vault.chain));
    return concat(u32(body.length), body);
}

async function readFrame(stream, type) {
    const head = (await stream.bytes(4)).readUInt32BE();
    alertUnless(head > 0, 1);
    alertUnless(head <= maxHandshakeFrame, 2);
    const frame = concat(u32(head), await stream.bytes(head));
    alertUnless(frame[4] === type, 3);
    return frame;
}

async function readHello(frame, vault) {
    const reader = new Reader(frame.subarray(5), 'CLIENT_HELLO');
    const hello = await alerting(1, async () => ({
        magic: reader.take(4), version: reader.u8(), zero: reader.u8(), suite: reader.u16(),
    }));
    alertUnless(hello.magic.equals(ascii('SATP')) && hello.zero === 0, 1);
    alertUnless(hello.version === 1 && hello.suite === 1, 4);
    Object.assign(hello, await alerting(1, async () => {
        const fields = { kemId: reader.take(32), ephemeral: reader.take(32), wrapped: reader.vec16() };
        const upToWrapped = frame.subarray(0, 5 + reader.at);
        const sealed = reader.vec16();
        reader.done();
        return { ...fields, upToWrapped, sealed };
    }));
    alertUnless(hello.kemId.equals(nameBytes(vault.kem.id)), 5);
    alertUnless(hello.wrapped.length === modulusOf(vault.kem.publicKey).length, 1);
    return hello;
}

async function late(milliseconds, work) {
    try {
        return await within(milliseconds, 'the handshake', work);
    } catch (error) {
        throw error instanceof ProtocolError && /took too long/.test(error.message) ? new Alert(7) : error;
    }
}

/**
 * One handshake. `ext()` gives what SERVER_HELLO tells; `tamper` may bend { identity(frame), finished(value),
 * serverHello(frame, clientHello) }. Gives { client, seen, clientSecret, serverSecret }.
 */
export const serveHandshake = (stream, vault, options) => late(handshakeMs, exchange(stream, vault, options));

async function exchange(stream, vault, { ext, tamper = {} }) {
    const first = identityFrame(vault);
    await stream.write([].concat(tamper.identity?.(first) ?? first));
    const hello = await late(helloMs, readFrame(stream, frameTypes.clientHello));
    const parts = await readHello(hello, vault);
    const start = transcriptStart(nameBytes(vault.wallet), first);
    const th1a = sha256(start, parts.upToWrapped);
    const { early, client } = await alerting(6, async () => openIdentity(vault, parts, th1a));

    const clientWallet = nameBytes(client.wallet);
    const toClient = encap(client.kem, clientKemLabel(clientWallet, sha256(start, hello)));
    const ephemeral = await makeEphemeral();
    const shared = await alerting(6, async () => agree(ephemeral.privateKey, parts.ephemeral));
    const master = schedule.master(schedule.handshake(early, shared), toClient.secret);
    const middle = concat(start, hello, clientWallet, nameBytes(client.kemId));
    const told = writeExt(ext());
    const made = writeServerHello({
        middle, ephemeral: ephemeral.raw, ciphertext: toClient.ciphertext, master, bytes: 32 + told.length,
        confirm: (value) => concat(tamper.finished?.(value) ?? value, told),
    });
    const serverHello = await tamper.serverHello?.(made, hello) ?? made;
    await stream.write([serverHello]);

    const th2 = sha256(middle, serverHello);
    const clientFinished = await readFrame(stream, frameTypes.clientFinished);
    const sealed = await alerting(1, async () => {
        const reader = new Reader(clientFinished.subarray(5), 'CLIENT_FINISHED');
        const field = reader.vec16();
        reader.done();
        return field;
    });
    const seen = await alerting(6, async () => openFinished(master, th2, sealed));
    const th3 = sha256(middle, serverHello, clientFinished);
    return {
        client, seen, clientSecret: schedule.clientTraffic(master, th3),
        serverSecret: schedule.serverTraffic(master, th3),
    };
}

function openIdentity(vault, { wrapped, sealed }, th1a) {
    const early = schedule.early(decap(vault.kem, wrapped, vaultKemLabel(nameBytes(vault.wallet)), vault.rejection));
    const { key, nonce } = schedule.identityKey(early, th1a);
    const inside = new Reader(openGcm(key, nonce, th1a, sealed, 'enc_id'), 'enc_id');
    const chain = readChain(inside);
    const client = { ...verifyChain(chain, { kind: 'user' }), chain };
    const { agent = '' } = readExt(inside);
    inside.done();
    alertUnless(typeof agent === 'string' && /^[\x20-\x7e]{0,64}$/.test(agent), 6);
    alertUnless(client.wallet !== vault.wallet, 6);
    return { early, client };
}

function openFinished(master, th2, sealed) {
    const { key, nonce } = schedule.clientKey(master, th2);
    const inside = new Reader(openGcm(key, nonce, th2, sealed, 'enc_cf'), 'enc_cf');
    alertUnless(sameSecret(inside.take(32), schedule.clientFinished(master, th2)), 6);
    const { seen } = readExt(inside);
    inside.done();
    requireSeen(seen);
    return seen;
}
