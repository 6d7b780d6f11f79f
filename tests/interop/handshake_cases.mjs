// Misbehaviours before a connection is authenticated: frames, CLIENT_HELLO, identities, CLIENT_FINISHED.
// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { forgeries } from './forgery.mjs';
import { maxHandshakeFrame, writeExt } from './handshake.mjs';
import { makeDocument, writeChain } from './identity.mjs';
import { readJws, statementId } from './jws.mjs';
import { modulusOf, spkiOf } from './keys.mjs';
import { FrameStream } from './stream.mjs';
import { frameOf } from './vault_world.mjs';
import { ascii, concat, Ended, toBase64url, u16, u32, u8, vec16, zeros } from './wire.mjs';

function hello(kemId,
    { magic = 'SATP', version = 1, reserved = 0, suite = 1, wrapped = zeros(384), tail = zeros(0) } = {}) {
    return concat(u8(3), ascii(magic), u8(version), u8(reserved), u16(suite), kemId, randomBytes(32), vec16(wrapped),
        vec16(randomBytes(900)), tail);
}

/** CLIENT_HELLOs and frames in clear. */
export function clearCases(world) {
    const { vault } = world.ann;
    const kemId = Buffer.from(vault.kemId, 'hex');
    const modulus = modulusOf(vault.kem);
    const whole = hello(kemId);
    const clear = (expected, name, ...bytes) => [expected, name, () => world.inClear(...bytes)];
    const helloOf = (expected, name, fields) => clear(expected, name, frameOf(hello(kemId, fields)));
    return [
        clear('ALERT 1', 'a frame of no bytes', u32(0)),
        clear('ALERT 2', 'a frame of 16385 bytes', u32(maxHandshakeFrame + 1)),
        clear('ALERT 2', 'a frame of 4 GiB', u32(0xffffffff)),
        clear('ALERT 3', 'CLIENT_FINISHED first', frameOf(u8(5), vec16(zeros(60)))),
        clear('ALERT 3', 'IDENTITY reflected', (identity) => identity),
        clear('ALERT 3', 'SERVER_HELLO from a client', frameOf(u8(4), randomBytes(500))),
        clear('ALERT 3', 'a frame of an unknown type', frameOf(u8(0x42), zeros(9))),
        clear('ALERT 3', 'a request in clear', frameOf(u8(0x10), ascii('{"m":"artwork.list","p":{"limit":1}}'))),
        helloOf('ALERT 1', 'another magic', { magic: 'SATQ' }),
        helloOf('ALERT 4', 'version 0', { version: 0 }),
        helloOf('ALERT 4', 'version 2', { version: 2 }),
        helloOf('ALERT 4', 'suite 0', { suite: 0 }),
        helloOf('ALERT 4', 'suite 2', { suite: 2 }),
        helloOf('ALERT 1', 'a reserved byte that is set', { reserved: 1 }),
        helloOf('ALERT 1', 'bytes after enc_id', { tail: zeros(1) }),
        ...[1, 5, 12, 44, 76, 90, whole.length - 1].map((length) =>
            clear('ALERT 1', `a CLIENT_HELLO of its first ${length} bytes`, frameOf(whole.subarray(0, length)))),
        clear('ALERT 5', 'another vault key', frameOf(hello(randomBytes(32)))),
        clear('ALERT 5', "the vault's sign key in the place of its kem",
            frameOf(hello(Buffer.from(vault.wallet, 'hex')))),
        helloOf('ALERT 6', 'a wrapped secret of nobody',
            { wrapped: concat(zeros(1), randomBytes(modulus.length - 1)) }),
        helloOf('ALERT 6', 'a wrapped secret that is not below the modulus', { wrapped: modulus }),
        helloOf('ALERT 1', 'a wrapped secret for a longer key', { wrapped: zeros(512) }),
        helloOf('ALERT 1', 'a wrapped secret one byte short', { wrapped: zeros(modulus.length - 1) }),
        helloOf('ALERT 1', 'a wrapped secret one byte long', { wrapped: zeros(modulus.length + 1) }),
        helloOf('ALERT 1', 'no wrapped secret', { wrapped: zeros(0) }),
        ['ALERT 6', 'a CLIENT_HELLO replayed, with the CLIENT_FINISHED of then', () => replay(world)],
        ['ALERT 7', 'silence', () => world.inClear()],
        ['ALERT 7', 'half a CLIENT_HELLO and silence', () => world.inClear(frameOf(whole).subarray(0, 200))],
    ];
}

/** Sends what an eavesdropper saw of Bob once more. */
async function replay(world) {
    const seen = [];
    const record = (frame) => {
        seen.push(frame);
        return frame;
    };
    const { host, port } = world.target;
    const bent = (frame) => Buffer.from(record(frame)).map((byte, at) => (at === 20 ? byte ^ 1 : byte));
    await world.bentHandshake('bob', { hello: record, clientFinished: bent })
        .catch(() => {});
    const stream = await FrameStream.dial(host, port);
    await stream.frame(1, maxHandshakeFrame);
    await stream.write([seen[0]]);
    await stream.frame(1, maxHandshakeFrame);
    await stream.write([seen[1]]);
    const answer = await stream.frame(3, maxHandshakeFrame);
    stream.end();
    throw new Ended('there came ALERT', answer.readUInt16BE(5));
}

const flipped = (at) => (frame) => {
    const changed = Buffer.from(frame);
    changed[at < 0 ? frame.length + at : at] ^= 1;
    return changed;
};

/** Whole handshakes, bent in one value. */
export function bentCases(world) {
    const bent = (expected, name, bend) => [expected, name, () => world.bentHandshake('bob', bend)];
    const identity = (name, chain, ext = writeExt({}), tail = zeros(0)) =>
        bent('ALERT 6', name, { identity: () => concat(chain, ext, tail) });
    const own = writeChain(world.me.bob.chain);
    const confirmed = (ext) => (value) => concat(value.subarray(0, 32), ext);
    const jsonText = (text) => vec16(ascii(text));
    return [
        bent('ALERT 6', 'the wrapped secret changed on the way', { hello: flipped(80 + 5) }),
        bent('ALERT 6', 'the ephemeral key changed on the way', { hello: flipped(50) }),
        bent('ALERT 6', 'enc_id changed on the way', { hello: flipped(600) }),
        bent('ALERT 6', 'the tag of enc_id changed on the way', { hello: flipped(-1) }),
        bent('ALERT 6', 'an ephemeral key of zeros', { ephemeral: () => zeros(32) }),
        identity('no chain', u8(0)),
        identity('a chain of five', concat(u8(5), own.subarray(1), own.subarray(1), own.subarray(1), own.subarray(1),
            own.subarray(1))),
        identity('bytes after ext', own, writeExt({}), zeros(1)),
        identity('no ext', own, zeros(0)),
        identity('an ext that is an array', own, jsonText('[]')),
        identity('an ext with a name twice', own, jsonText('{"agent":"a","agent":"b"}')),
        identity('an ext that is no JSON', own, jsonText('{agent}')),
        identity('an ext of 4097 bytes', own, vec16(ascii(`{"agent":"${'x'.repeat(4085)}"}`))),
        identity('an agent of 65 characters', own, writeExt({ agent: 'x'.repeat(65) })),
        identity('an agent that is not ASCII', own, writeExt({ agent: 'é' })),
        identity('an agent that is a number', own, writeExt({ agent: 7 })),
        ...identityCases(world).map(([name, chain]) => identity(name, writeChain(chain))),
        bent('ALERT 6', 'a wrong client_finished', { finished: flipped(0) }),
        bent('ALERT 6', 'a client_finished of zeros', { finished: () => zeros(32) }),
        bent('ALERT 6', 'CLIENT_FINISHED changed on the way', { clientFinished: flipped(-1) }),
        bent('ALERT 6', 'bytes after the ext of CLIENT_FINISHED',
            { confirmation: (value) => concat(value, zeros(1)) }),
        bent('ALERT 6', 'no seen', { confirmation: confirmed(writeExt({})) }),
        bent('ALERT 6', 'a seen that is text', { confirmation: confirmed(writeExt({ seen: 'all' })) }),
        bent('ALERT 6', 'a seen without its root', { confirmation: confirmed(writeExt({ seen: { size: 1 } })) }),
        bent('ALERT 6', 'an ext of CLIENT_FINISHED with a name twice',
            { confirmation: confirmed(jsonText('{"seen":null,"seen":null}')) }),
        bent('ALERT 3', 'a record in the place of CLIENT_FINISHED',
            { clientFinished: () => frameOf(randomBytes(272)) }),
        bent('ALERT 3', 'a second CLIENT_HELLO', { clientFinished: () => frameOf(u8(3), randomBytes(900)) }),
        bent('ALERT 1', 'a CLIENT_FINISHED that ends too early',
            { clientFinished: () => frameOf(u8(5), u16(60), zeros(59)) }),
        bent('ALERT 1', 'a CLIENT_FINISHED with bytes left over',
            { clientFinished: (frame) => frameOf(frame.subarray(4), zeros(1)) }),
        bent('ALERT 2', 'a CLIENT_FINISHED of 16385 bytes', { clientFinished: () => u32(maxHandshakeFrame + 1) }),
        bent('ALERT 1', 'a CLIENT_FINISHED of no bytes', { clientFinished: () => u32(0) }),
    ];
}

/** Chains that prove nothing: [name, chain]. The session is Bob's; only what it claims about him is wrong. */
function identityCases(world) {
    const { bob, ann } = world.me;
    const [document] = bob.chain;
    const { payload } = readJws(document, 'identity');
    const changed = (fields, signer) => [makeDocument(bob, 'user', fields, signer)];
    const next = (fields, signer) => [document, makeDocument(bob, 'user',
        { seq: 1, prev: statementId(document), kem: toBase64url(ann.kem.spki), ...fields }, signer)];
    const spki = (type, options) => toBase64url(spkiOf(generateKeyPairSync(type, options).publicKey));
    const others = Object.entries(forgeries('identity')).filter(([name]) => !/seen|nonce|iat/.test(name));
    return [
        ...others.map(([name, make]) => [`an identity with ${name}`, [make(payload, bob.sign, ann.sign)]]),
        ['an identity whose iat is text', changed({ iat: '1' })],
        ["another person's wallet", changed({ wallet: ann.wallet })],
        ["another person's wallet, signed by its own key", changed({ wallet: ann.wallet }, ann.sign)],
        ['an identity of kind vault', changed({ kind: 'vault' })],
        ['a user with a log key', changed({ log: 'sat-vault/x+00000000+AA==' })],
        ['one key for signing and wrapping', changed({ kem: payload.sign })],
        ['a kem of 2048 bits', changed({ kem: spki('rsa', { modulusLength: 2048 }) })],
        ['a kem of exponent 3', changed({ kem: spki('rsa', { modulusLength: 3072, publicExponent: 3 }) })],
        ['a kem of RSASSA-PSS', changed({ kem: spki('rsa-pss', { modulusLength: 3072 }) })],
        ['a kem that is no RSA', changed({ kem: spki('ed25519') })],
        ['a kem in another DER form', changed({ kem: toBase64url(concat(bob.kem.spki, zeros(1))) })],
        ['a first document of seq 1', changed({ seq: 1 })],
        ['a first document with a prev', changed({ prev: '0'.repeat(64) })],
        ['a second document that follows nothing', next({ prev: null })],
        ['a second document of seq 2', next({ seq: 2 })],
        ['a second document signed by somebody else', next({}, ann.sign)],
        ['a second document of another wallet', next({ wallet: ann.wallet })],
        ['a second document whose kem was its sign', next({ kem: payload.sign })],
        ['the same document twice', [document, document]],
        ['a changed signature', [`${document.slice(0, -8)}AAAAAAAA`]],
        ['a changed payload', [document.replace(/\.(.{40})./, '.$1A')]],
    ];
}
