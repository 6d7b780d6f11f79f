// The handshake: its key schedule against the vector, both sides against each other, and what the client refuses.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { once } from 'node:events';
import { Connection } from './connection.mjs';
import { clientKemLabel, schedule, shakeHands, vaultKemLabel } from './handshake.mjs';
import { sharedSecret } from './keys.mjs';
import { RecordReceiver, RecordSender, types } from './records.mjs';
import { listenOnce } from './one_connection.mjs';
import { FrameStream } from './stream.mjs';
import { testIdentity } from './test_keys.mjs';
import { identityFrame, serveHandshake } from './vault_side.mjs';
import { loadVectors } from './vectors.mjs';
import { Ended, expand, label, ProtocolError, Refused, u16, u32, u64, u8 } from './wire.mjs';

const limits = { artwork_bytes: 1000000, preview_bytes: 65536 };
const ext = () => ({ time: 1700000000, limits, checkpoint: null, later: 'ignored' });
let vault;
let user;
before(async () => {
    [vault, user] = [testIdentity('vault'), testIdentity('artist')];
});

test('The key schedule gives every intermediate value of the vector', () => {
    const vector = loadVectors('key-schedule.json');
    if (vector === null) {
        return;
    }
    const entries = Object.entries(vector.inputs);
    const bytes = Object.fromEntries(entries.map(([name, hex]) => [name, Buffer.from(hex, 'hex')]));
    const ssV = sharedSecret(bytes.m1, bytes.vault_kem_id, bytes.ct_v, vaultKemLabel(bytes.vault_wallet));
    const labelC = clientKemLabel(bytes.client_wallet, bytes.th_1);
    const ssC = sharedSecret(bytes.m2, bytes.client_kem_id, bytes.ct_c, labelC);
    const early = schedule.early(ssV);
    const handshake = schedule.handshake(early, bytes.dh);
    const master = schedule.master(handshake, ssC);
    const traffic = schedule.clientTraffic(master, bytes.th_3);
    const made = {
        ss_v: ssV, ss_c: ssC, ES: early, k_id_iv_id: schedule.identityKey(early, bytes.th_1a).material,
        HS: handshake, MS: master, k_shs_iv_shs: schedule.serverKey(master, bytes.th_2a).material,
        server_finished: schedule.serverFinished(master, bytes.th_2a),
        k_chs_iv_chs: schedule.clientKey(master, bytes.th_2).material,
        client_finished: schedule.clientFinished(master, bytes.th_2), c_ap_0: traffic,
        s_ap_0: schedule.serverTraffic(master, bytes.th_3),
        c_epoch0_k_iv: expand(traffic, label('SAT/1 key'), 44), c_ap_1: expand(traffic, label('SAT/1 upd'), 32),
    };
    assert(Object.keys(vector.outputs).length > 0);
    for (const [name, hex] of Object.entries(vector.outputs)) {
        assert.equal(made[name]?.toString('hex'), hex, name);
    }
});

test('Both sides come to the same secrets, and a request is answered', async () => {
    const { port, served } = await listenOnce(async (stream) => {
        const session = await serveHandshake(stream, vault, { ext });
        const receiver = new RecordReceiver(session.clientSecret);
        const sender = new RecordSender(session.serverSecret, { rekeyAfter: 1 });
        const asked = receiver.open(await stream.frame(20, 66576));
        await stream.write(sender.message(types.event, Buffer.from('{"e":"claim.opened","p":{"n":1}}')));
        await stream.write(sender.message(types.response, Buffer.from('{"ok":true,"r":{"answer":42}}')));
        receiver.open(await stream.frame(20, 66576));
        await stream.write(sender.message(types.response,
            Buffer.from('{"ok":false,"e":{"code":101,"name":"not_found"}}')));
        const close = receiver.open(await stream.frame(20, 66576));
        stream.end();
        return { asked: JSON.parse(asked.body), client: session.client.wallet, close: close.type };
    });
    const connection = await Connection.open({ host: '127.0.0.1', port, pin: vault.wallet, me: user });
    assert.deepEqual(connection.limits, limits);
    assert.deepEqual(await connection.request('artwork.get', { artwork: 'x' }), { answer: 42 });
    await assert.rejects(connection.request('artwork.get', { artwork: 'y' }),
        (error) => error instanceof Refused && error.code === 101);
    assert.deepEqual((await connection.event((name) => name === 'claim.opened')).p, { n: 1 });
    await connection.close();
    assert.deepEqual(await served,
        { asked: { m: 'artwork.get', p: { artwork: 'x' } }, client: user.wallet, close: types.close });
});

// Runs the client's handshake against `serve`; gives the client's error and the bytes that it had sent.
async function clientError(serve, pin = vault.wallet) {
    const { port, served } = await listenOnce(async (stream) => {
        await serve(stream);
        const rest = [];
        stream.socket.on('data', (bytes) => rest.push(bytes));
        await once(stream.socket, 'close');
        return Buffer.concat(rest);
    });
    const stream = await FrameStream.dial('127.0.0.1', port);
    const error = await shakeHands(stream, user, pin).then(() => null, (reason) => reason);
    stream.end();
    return { error, sent: await served };
}

test('A vault with another wallet than the pin hears nothing', async () => {
    const { error, sent } = await clientError((stream) => stream.write([identityFrame(vault)]), 'ab'.repeat(32));
    assert(error instanceof ProtocolError);
    assert.match(error.message, /pinned/);
    assert.equal(sent.length, 0);
});

test('A user is not taken for a vault', async () => {
    const { error, sent } = await clientError((stream) => stream.write([identityFrame(user)]), user.wallet);
    assert.match(error.message, /not of kind vault/);
    assert.equal(sent.length, 0);
});

test('A wrong server_finished is followed by nothing', async () => {
    const flipped = (value) => Buffer.from(value.map((byte) => byte ^ 1));
    const { error, sent } = await clientError((stream) =>
        Promise.race([serveHandshake(stream, vault, { ext, tamper: { finished: flipped } }).catch(() => {}),
            once(stream.socket, 'close')]));
    assert.match(error.message, /Finished/);
    assert.equal(sent.length, 0);
});

test('An ALERT ends the handshake with its code', async () => {
    const { error } = await clientError((stream) => stream.write([Buffer.concat([u32(3), u8(6), u16(5)])]));
    assert(error instanceof Ended && error.code === 5);
});

test('A frame of no bytes or more than 16384 is refused from its header', async () => {
    for (const length of [0, 16385]) {
        const { error } = await clientError((stream) => stream.write([u32(length)]));
        assert.equal(error.message, `a frame has ${length} bytes`);
    }
});

test('A bulk stream whose DATA_END tells another number is refused', async () => {
    const { port } = await listenOnce(async (stream) => {
        const session = await serveHandshake(stream, vault, { ext });
        const sender = new RecordSender(session.serverSecret);
        await stream.frame(20, 66576);
        await stream.write(sender.message(types.response, Buffer.from('{"ok":true,"r":{}}')));
        await stream.write(sender.message(types.data, Buffer.alloc(17)));
        await stream.write(sender.message(types.dataEnd, u64(18)));
    });
    const connection = await Connection.open({ host: '127.0.0.1', port, pin: vault.wallet, me: user });
    await assert.rejects(connection.download('artwork.fetch', {}, () => {}), /DATA_END tells another number/);
});
