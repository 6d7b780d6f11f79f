// Misbehaviours within a connection: records, messages, JSON. Each has a connection of its own, which has to be closed.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { sealGcm } from './keys.mjs';
import { types } from './records.mjs';
import { frameOf } from './vault_world.mjs';
import { ascii, concat, expand, label, u16, u32, u64, u8, utf8, zeros } from './wire.mjs';

const list = utf8('{"m":"artwork.list","p":{"limit":1}}');

/** A record whose inner bytes are given, sealed as the next one. */
function sealed(sender, inner) {
    const length = u32(inner.length + 16);
    return concat(length, sealGcm(sender.direction.key, sender.direction.nonce(), length, inner));
}

const inner = (type, flags, pad, body, padding = zeros(pad)) => concat(u8(type), u8(flags), u16(pad), body, padding);
const flip = (frame, at) => {
    frame[at] ^= 1;
    return frame;
};

const recordFlaws = {
    'a record that does not open': (sender) => [flip(sender.message(types.ping, zeros(0))[0], 10)],
    'a record with a changed tag': (sender) => {
        const [frame] = sender.message(types.ping, zeros(0));
        return [flip(frame, frame.length - 1)];
    },
    'a record sent twice': (sender) => {
        const frames = sender.message(types.ping, zeros(0));
        return [...frames, ...frames];
    },
    'a record left out': (sender) => {
        sender.message(types.ping, zeros(0));
        return sender.message(types.ping, zeros(0));
    },
    'two records in the wrong order': (sender) =>
        [sender.message(types.ping, zeros(0)), sender.message(types.request, list)]
        .reverse().flat(),
    'a record cut short, its length corrected': (sender) =>
        [frameOf(sender.message(types.ping, zeros(0))[0].subarray(4, -1))],
    'a frame of 19 bytes': () => [u32(19), zeros(19)],
    'a frame of no bytes': () => [u32(0)],
    'a frame of 66577 bytes': () => [u32(66577)],
    'a handshake frame after the handshake': () => [frameOf(u8(3), randomBytes(900))],
    'an ALERT after the handshake': () => [frameOf(u8(6), u16(0))],
    'a request in clear': () => [frameOf(list)],
    'an unknown type': (sender) => [sender.record(0x15, 0, zeros(0))],
    'an unknown flag': (sender) => [sender.record(types.ping, 2, zeros(0))],
    'a PING that goes on': (sender) => [sender.record(types.ping, 1, u8(0))],
    'a DATA that goes on': (sender) => [sender.record(types.data, 1, zeros(17))],
    'a request that goes on without a body': (sender) => [sender.record(types.request, 1, zeros(0))],
    'padding that is not zero': (sender) => [sealed(sender, inner(types.ping, 0, 252, zeros(0), Buffer.alloc(252, 1)))],
    'padding beyond the next multiple of 256': (sender) => [sealed(sender, inner(types.ping, 0, 508, zeros(0)))],
    'no padding': (sender) => [sealed(sender, inner(types.ping, 0, 0, zeros(0)))],
    'padding of more than there is': (sender) => [sealed(sender, inner(types.ping, 0, 300, zeros(0), zeros(252)))],
    'DATA with padding': (sender) => [sealed(sender, inner(types.data, 0, 239, zeros(13)))],
    'an EVENT from a client': (sender) => [sender.record(types.event, 0, ascii('{}'))],
    'a RESPONSE from a client': (sender) => sender.message(types.response, utf8('{"ok":true,"r":{}}')),
    'DATA without an upload': (sender) => sender.message(types.data, zeros(17)),
    'DATA_END without an upload': (sender) => sender.message(types.dataEnd, u64(0)),
    'a message that is interrupted': (sender) =>
        [sender.record(types.request, 1, ascii('{')), sender.record(types.ping, 0, zeros(0))],
    'a message of more than 1 MiB': (sender) => Array.from({ length: 17 }, () =>
        sender.record(types.request, 1, Buffer.alloc(65000, 0x20))),
    'a KEY_UPDATE with a body': (sender) => [sender.record(types.keyUpdate, 0, u8(0))],
    'a KEY_UPDATE within a message': (sender) =>
        [sender.record(types.request, 1, ascii('{')), sender.record(types.keyUpdate, 0, zeros(0))],
    'a record of the old epoch after KEY_UPDATE': (sender) =>
        [sender.record(types.keyUpdate, 0, zeros(0)), sender.record(types.ping, 0, zeros(0))],
    'a record of the epoch after the next': (sender) => {
        const frames = [sender.record(types.keyUpdate, 0, zeros(0))];
        sender.direction.enter(expand(expand(sender.direction.secret, label('SAT/1 upd'), 32), label('SAT/1 upd'), 32));
        return [...frames, sender.record(types.ping, 0, zeros(0))];
    },
    'a PING with a body': (sender) => [sender.record(types.ping, 0, u8(0))],
    'a CLOSE without a code': (sender) => [sender.record(types.close, 0, zeros(0))],
    'a CLOSE of three bytes': (sender) => [sender.record(types.close, 0, zeros(3))],
    'a request after CLOSE': (sender) =>
        [...sender.message(types.close, u16(0)), ...sender.message(types.request, list)],
};

const nested = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const messages = {
    'nothing': '',
    'what is no JSON': '{m}',
    'an array': '["artwork.list",{"limit":1}]',
    'a string': '"artwork.list"',
    'null': 'null',
    'no p': '{"m":"artwork.list"}',
    'no m': '{"p":{"limit":1}}',
    'a third member': '{"m":"artwork.list","p":{"limit":1},"id":1}',
    'an m that is a number': '{"m":1,"p":{"limit":1}}',
    'a name twice': '{"m":"artwork.list","m":"artwork.list","p":{"limit":1}}',
    'a name twice, escaped once': '{"m":"artwork.list","p":{"limit":1,"\\u006cimit":1}}',
    'a fraction': '{"m":"artwork.list","p":{"limit":1.0}}',
    'an exponent': '{"m":"artwork.list","p":{"limit":1e0}}',
    'an integer beyond 2^53': '{"m":"artwork.list","p":{"limit":9007199254740992}}',
    'depth 9': `{"m":"artwork.list","p":{"limit":${nested(7)}}}`,
    'a lone surrogate': '{"m":"artwork.list","p":{"limit":1,"text":"\\ud800"}}',
    'a noncharacter': '{"m":"artwork.list","p":{"limit":1,"text":"\\ufffe"}}',
    'a control character': '{"m":"artwork.list","p":{"limit":1,"text":"\n"}}',
    'a byte order mark': '\ufeff{"m":"artwork.list","p":{"limit":1}}',
    'a tail': '{"m":"artwork.list","p":{"limit":1}}x',
    'a zero byte at its end': '{"m":"artwork.list","p":{"limit":1}}\0',
    'a comment': '{"m":"artwork.list",/**/"p":{"limit":1}}',
};

export function recordCases(world) {
    const flaws = Object.entries(recordFlaws).map(([name, make]) => ['closed', name, () =>
        world.onConnection('cyn', ({ sender, stream }) => stream.write(make(sender)))]);
    const texts = Object.entries(messages).map(([name, text]) => ['closed', `a request that is ${name}`, () =>
        world.onConnection('cyn', (connection) => connection.send(types.request, utf8(text)))]);
    return [
        ...flaws, ...texts,
        ['closed', "the vault's own record reflected", () => world.onConnection('cyn', reflect)],
        ['closed', 'a request that is Latin-1', () => world.onConnection('cyn', (connection) =>
            connection.send(types.request,
                Buffer.from('{"m":"artwork.list","p":{"limit":1,"text":"\xe9"}}', 'latin1')))],
    ];
}

/** Sends back, byte for byte, the first record that came. */
async function reflect(connection) {
    const { stream } = connection;
    const frame = stream.frame.bind(stream);
    let kept = null;
    stream.frame = async (min, max) => (kept = await frame(min, max));
    await connection.request('artwork.list', { limit: 1 });
    await connection.request('artwork.list', { limit: 1 });
    await stream.write([kept]);
}
