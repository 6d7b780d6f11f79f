// Bytes and JSON (docs/protocol.md, Conventions).
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, parseObject } from './json.mjs';
import { loadFolder } from './vectors.mjs';
import {
    expand, extract, fromBase64url, label, nonceFor, ProtocolError, Reader, toBase64url, u64, vec16,
} from './wire.mjs';

const json = (text) => parseJson(Buffer.from(text));

test('HKDF is RFC 5869 test case 1', () => {
    const prk = extract(Buffer.from('000102030405060708090a0b0c', 'hex'), Buffer.alloc(22, 0x0b));
    assert.equal(expand(prk, Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex'), 42).toString('hex'),
        '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
});

test('A label ends in one zero byte', () => {
    assert.equal(label('SAT/1 key').toString('latin1'), 'SAT/1 key\0');
});

test('A nonce takes the number into its last eight bytes', () => {
    assert.equal(nonceFor(Buffer.alloc(12, 0xff), 258).toString('hex'), 'fffffffffffffffffffffefd');
});

test('base64url refuses padding, foreign characters, impossible lengths and trailing bits', () => {
    for (const bad of ['AA==', 'A+', 'A/', 'A', 'AB', 'AAB', ' AA', 'AA\n']) {
        assert.throws(() => fromBase64url(bad), ProtocolError, bad);
    }
    for (const size of [0, 1, 2, 3, 4]) {
        assert.equal(fromBase64url(toBase64url(Buffer.alloc(size, 0xfb))).length, size);
    }
});

test('A reader refuses what ends early and what is left over', () => {
    assert.throws(() => new Reader(vec16(Buffer.from('abc')).subarray(0, 4), 'it').vec16(), ProtocolError);
    assert.throws(() => new Reader(Buffer.alloc(1), 'it').done(), ProtocolError);
    assert.throws(() => new Reader(u64(2n ** 53n), 'it').u64(), ProtocolError);
    assert.equal(new Reader(u64(2n ** 53n - 1n), 'it').u64(), Number.MAX_SAFE_INTEGER);
});

test('JSON refuses duplicates, fractions, large integers, depth 9, marks and lone surrogates', () => {
    const bad = ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '1.0', '1e2', '9007199254740992', '[[[[[[[[[1]]]]]]]]]',
        '\ufeff{}',
        '"\\ud800"', '"\\ufffe"', '{"a":{"b":1,"b":1}}', '', '{}x'];
    for (const text of bad) {
        assert.throws(() => json(text), ProtocolError, text);
    }
    assert.throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22])), ProtocolError);
    assert.throws(() => parseObject(Buffer.from('[]')), ProtocolError);
    assert.deepEqual(json('[[[[[[[[1]]]]]]]]').flat(8), [1]);
    assert.deepEqual(json('{"a":{"b":1},"b":[{"a":"\\"a\\":{"}],"c":-9007199254740991}'),
        { a: { b: 1 }, b: [{ a: '"a":{' }], c: -9007199254740991 });
});

test('JSON refuses all that JSONTestSuite says is no JSON', () => {
    const files = loadFolder('json');
    if (files === null) {
        return;
    }
    let refused = 0;
    let accepted = 0;
    for (const [name, bytes] of files) {
        if (name.startsWith('n_')) {
            assert.throws(() => parseJson(bytes), ProtocolError, name);
            ++refused;
        } else if (name.startsWith('y_') && !/number|nonchar|last_surrogates|duplicated|extreme|pi|real/i.test(name)) {
            parseJson(bytes);
            ++accepted;
        }
    }
    assert(refused > 0 && accepted > 0);
});
