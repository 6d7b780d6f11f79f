// The vault's side of the handshake, for the self-tests alone: one connection, records in memory, no requests.
// Written from the same page as the client's side, so it shows that the client agrees with itself, not with a vault.
// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:net';
import { once } from 'node:events';
import {
    frameTypes, clientKemLabel, schedule, sealedFrame, transcriptStart, vaultKemLabel, writeExt,
} from './handshake.mjs';
import { readChain, verifyChain, writeChain } from './identity.mjs';
import { parseObject } from './json.mjs';
import { agree, decap, encap, makeEphemeral, openGcm, sealGcm } from './keys.mjs';
import { FrameStream } from './stream.mjs';
import { concat, nameBytes, Reader, require, sha256, u32, u8, vec16 } from './wire.mjs';

export const limits = { artwork_bytes: 1000000, preview_bytes: 65536 };

/** Listens on a port of its own; `serve(stream)` gets the one connection. Gives { port, served }. */
export async function listenOnce(serve) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const served = once(server, 'connection').then(async ([socket]) => {
        server.close();
        return serve(new FrameStream(socket));
    });
    served.catch(() => {});
    return { port: server.address().port, served };
}

export function identityFrame(vault) {
    const body = concat(u8(frameTypes.identity), writeChain(vault.chain));
    return concat(u32(body.length), body);
}

/** One handshake; `spoil(serverFinished)` may change the value sent. Gives { client, clientSecret, serverSecret }. */
export async function serveHandshake(stream, vault, spoil = (value) => value) {
    const first = identityFrame(vault);
    await stream.write([first]);
    const hello = await stream.frame(1, 16384);
    const reader = new Reader(hello, 'CLIENT_HELLO');
    reader.take(4 + 1 + 4 + 1 + 1 + 2);
    require(reader.take(32).equals(nameBytes(vault.kem.id)), 'another kem key was meant');
    const clientEphemeral = reader.take(32);
    const toVault = reader.vec16();
    const start = transcriptStart(nameBytes(vault.wallet), first);
    const th1a = sha256(start, hello.subarray(0, reader.at));
    const early = schedule.early(decap(vault.kem, toVault, vaultKemLabel(nameBytes(vault.wallet)), vault.rejection));
    const identityKey = schedule.identityKey(early, th1a);
    const inside = new Reader(openGcm(identityKey.key, identityKey.nonce, th1a, reader.vec16(), 'enc_id'), 'enc_id');
    const client = verifyChain(readChain(inside), { kind: 'user' });
    parseObject(inside.vec16());
    inside.done();
    reader.done();

    const clientWallet = nameBytes(client.wallet);
    const toClient = encap(client.kem, clientKemLabel(clientWallet, sha256(start, hello)));
    const ephemeral = await makeEphemeral();
    const handshake = schedule.handshake(early, agree(ephemeral.privateKey, clientEphemeral));
    const master = schedule.master(handshake, toClient.secret);
    const middle = concat(start, hello, clientWallet, nameBytes(client.kemId));
    const ext = writeExt({ time: 1700000000, limits, checkpoint: null, later: 'ignored' });
    const serverHello = sealedFrame(concat(u8(frameTypes.serverHello), ephemeral.raw, vec16(toClient.ciphertext)),
        32 + ext.length + 16, (fixed) => {
            const th2a = sha256(middle, fixed);
            const { key, nonce } = schedule.serverKey(master, th2a);
            return sealGcm(key, nonce, th2a, concat(spoil(schedule.serverFinished(master, th2a)), ext));
        });
    await stream.write([serverHello]);

    const th2 = sha256(middle, serverHello);
    const clientFinished = await stream.frame(1, 16384);
    const sealed = new Reader(clientFinished.subarray(5), 'CLIENT_FINISHED').vec16();
    const { key, nonce } = schedule.clientKey(master, th2);
    const confirmed = openGcm(key, nonce, th2, sealed, 'enc_cf');
    require(confirmed.subarray(0, 32).equals(schedule.clientFinished(master, th2)), 'client_finished is wrong');
    const th3 = sha256(middle, serverHello, clientFinished);
    return {
        client, clientSecret: schedule.clientTraffic(master, th3), serverSecret: schedule.serverTraffic(master, th3),
    };
}
