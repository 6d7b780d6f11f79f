// Misbehaviours of a vault towards a client that only browses: identities, the handshake, records, JSON.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { forgeries } from './forgery.mjs';
import { makeDocument } from './identity.mjs';
import { readJws } from './jws.mjs';
import { types } from './records.mjs';
import { records, text } from './tampering.mjs';
import { identityFrame } from './vault_side.mjs';
import { frameOf } from './vault_world.mjs';
import { ascii, toBase64url, u16, u32, u8, zeros } from './wire.mjs';

const badProof = 20;
const changedKey = 21;
const unknownKey = 22;
const refusing = 69;
const forbidden = 77;
const interrupted = 75;
const protocol = 76;

const browse = (name, exit, tamper, rest = {}) =>
    ({ group: 'session', name, who: 'bob', args: ['browse'], exit, tamper: () => tamper, ...rest });

const flip = (at) => (frame) => {
    const changed = Buffer.from(frame);
    changed[at < 0 ? frame.length + at : at] ^= 1;
    return changed;
};

function identityCases({ base, otherVault, people }) {
    const { me } = base.state;
    const [document] = me.chain;
    const { payload } = readJws(document, 'identity');
    const shown = (name, chain, exit = badProof) => browse(name, exit, { identity: () => identityFrame({ chain }) });
    const changed = (fields, signer) => [makeDocument(me, 'vault', fields, signer)];
    const forged = Object.entries(forgeries('identity')).filter(([name]) =>
        /none|HS256|typ of|twice|kid of|signature of|too many/.test(name));
    return [
        ...forged.map(([name, make]) =>
            shown(`a vault's identity with ${name}`, [make(payload, me.sign, people.dan.sign)])),
        shown('another vault than the pinned one', otherVault.chain, changedKey),
        shown("another vault that claims the pinned wallet",
            [makeDocument(otherVault, 'vault', { wallet: me.wallet })]),
        shown('an identity of kind user', changed({ kind: 'user', log: null })),
        shown('an identity without a log key', changed({ log: null })),
        shown("another vault's log key", changed({ log: readJws(otherVault.chain[0], 'identity').payload.log })),
        shown('one key for signing and wrapping', changed({ kem: toBase64url(me.sign.spki) })),
        shown('a first document of seq 1', changed({ seq: 1 })),
        shown('a changed signature', [`${document.slice(0, -8)}AAAAAAAA`]),
        shown('one document twice', [document, document]),
        browse('a chain of no documents', [badProof, protocol], { identity: () => frameOf(u8(2), u8(0)) }),
        browse('bytes after the chain', [badProof, protocol],
            { identity: () => frameOf(identityFrame(me).subarray(4), zeros(1)) }),
        browse('an unknown vault and nobody to ask', unknownKey, {}, { pin: false, met: false }),
    ];
}

function handshakeCases() {
    const first = (name, exit, frame) => browse(name, exit, { identity: () => frame });
    const hello = (name, exit, change) => browse(name, exit, { serverHello: change });
    const ext = (name, change) => browse(name, protocol, { hello: (value) => ({ ...value, ...change }) });
    const alert = (code) => frameOf(u8(6), u16(code));
    return [
        first('a frame of no bytes', protocol, u32(0)),
        first('a frame of 16385 bytes', protocol, u32(16385)),
        first('SERVER_HELLO first', protocol, frameOf(u8(4), randomBytes(500))),
        first('an ALERT 9', refusing, alert(9)),
        hello('an ALERT 4 for SERVER_HELLO', protocol, () => alert(4)),
        hello('an ALERT 6 for SERVER_HELLO', [refusing, protocol], () => alert(6)),
        hello('an ALERT of four bytes', protocol, () => frameOf(u8(6), u16(6), u8(0))),
        hello('the ephemeral key changed on the way', [badProof, protocol], flip(10)),
        hello('the wrapped secret changed on the way', [badProof, protocol], flip(100)),
        hello('enc_sf changed on the way', [badProof, protocol], flip(-1)),
        hello('CLIENT_HELLO reflected', protocol, (_, clientHello) => clientHello),
        hello('SERVER_HELLO cut short', protocol, (frame) => frameOf(frame.subarray(4, -1))),
        hello('SERVER_HELLO with a tail', protocol, (frame) => frameOf(frame.subarray(4), zeros(1))),
        hello('a SERVER_HELLO that does not come', [refusing, interrupted], () => new Promise(() => {})),
        browse('a wrong server_finished', [badProof, protocol], { finished: flip(0) }),
        browse('a server_finished of zeros', [badProof, protocol], { finished: () => zeros(32) }),
        ext('no time', { time: undefined }),
        ext('a time before 1970', { time: -1 }),
        ext('a time after the year 9999', { time: 253402300800 }),
        ext('no limits', { limits: undefined }),
        ext('limits that are text', { limits: { artwork_bytes: '1', preview_bytes: '1' } }),
        browse('CLOSE 9 after the handshake', refusing, { admitted: (session) => session.close(9) }),
        browse('CLOSE 10 after the handshake', [refusing, interrupted], { admitted: (session) => session.close(10) }),
        browse('CLOSE 102: a wallet that is not admitted', forbidden, { admitted: (session) => session.close(102) }),
        browse('an ALERT for the first record', [refusing, protocol],
            { admitted: (session) => session.stream.write([alert(6)]) }),
    ].map((entry) => (/does not come/.test(entry.name) ? { ...entry, args: ['--timeout', '2', ...entry.args] }
        : entry));
}

function recordCases() {
    const response = (name, change, exit = protocol) => browse(name, exit, records(types.response, change));
    const rest = zeros(0);
    return [
        response('a response that does not open', ({ frames: [frame] }) => [flip(30)(frame)]),
        response('a response twice', ({ frames }) => [...frames, ...frames]),
        response('a response under the next number', ({ sender, body }) => {
            sender.message(types.ping, rest);
            return sender.message(types.response, body);
        }),
        response('a response in clear', ({ body }) => [frameOf(body)]),
        response('a response cut off', ({ frames: [frame], session }) => {
            setTimeout(() => session.stream.socket.destroy(), 50);
            return [frame.subarray(0, frame.length >> 1)];
        }, [refusing, interrupted]),
        response('a record of an unknown type', ({ sender }) => [sender.record(0x15, 0, rest)]),
        response('a request from a vault', ({ sender, body }) => sender.message(types.request, body)),
        response('an unknown flag', ({ sender, body }) => [sender.record(types.response, 2, body)]),
        response('a frame of 66577 bytes', () => [u32(66577)]),
        response('a frame of 19 bytes', () => [u32(19), zeros(19)]),
        response('DATA that nobody asked for', ({ sender }) => sender.message(types.data, zeros(17))),
        response('an event within a response', ({ sender }) =>
            [sender.record(types.response, 1, ascii('{')), sender.record(types.event, 0, ascii('{"e":"x","p":{}}'))]),
        response('a response of more than 1 MiB', ({ sender }) =>
            Array.from({ length: 17 }, () => sender.record(types.response, 1, Buffer.alloc(65000, 0x20)))),
        response('a KEY_UPDATE with a body', ({ sender }) => [sender.record(types.keyUpdate, 0, u8(0))]),
        response('a record of the old epoch after KEY_UPDATE', ({ sender, body }) =>
            [sender.record(types.keyUpdate, 0, rest), ...sender.message(types.response, body)]),
        response('an event that is an array', ({ sender, frames }) =>
            [...sender.message(types.event, ascii('[]')), ...frames]),
        browse('a response that answers nothing', protocol, {
            admitted: (session) => session.send(types.response, ascii('{"ok":true,"r":{}}')),
        }),
    ];
}

function jsonCases() {
    const said = (name, change) => browse(`a response that is ${name}`, protocol, text(change));
    return [
        said('no JSON', () => '{ok}'),
        said('an array', () => '[]'),
        said('empty', () => '{}'),
        said('ok without a result', () => '{"ok":true}'),
        said('neither ok nor not', () => '{"ok":"yes","r":{}}'),
        said('a result that is an array', () => '{"ok":true,"r":[]}'),
        said('an error without a code', () => '{"ok":false,"e":{}}'),
        said('ok twice', (given) => given.replace('{"ok":true', '{"ok":true,"ok":true')),
        said('one with a fraction', (given) => given.replace('}', ',"x":1.5}')),
        said('one with an integer beyond 2^53', (given) => given.replace('}', ',"x":9007199254740993}')),
        said('of depth 9', (given) => given.replace('{"ok":true', `{"ok":true,"x":${'['.repeat(8)}${']'.repeat(8)}`)),
        said('one with a byte order mark', (given) => `\ufeff${given}`),
    ];
}

export const sessionCases = (world) => [
    ...identityCases(world), ...handshakeCases(), ...recordCases(), ...jsonCases(),
];
