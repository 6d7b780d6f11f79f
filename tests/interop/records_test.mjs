// Records: sizes, padding, continuation, epochs, and each broken rule.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { sealGcm } from './keys.mjs';
import { maxEpochRecords, maxFrame, maxMessage, RecordReceiver, RecordSender, types } from './records.mjs';
import { concat, expand, label, ProtocolError, u16, u32, u8 } from './wire.mjs';

const secret = Buffer.alloc(32, 7);
const pair = (options) => [new RecordSender(secret, options), new RecordReceiver(secret)];
const maxBody = 66556;

// A first record with these inner bytes, sealed as it should be.
function firstRecord(inner) {
    const material = expand(secret, label('SAT/1 key'), 44);
    const length = u32(inner.length + 16);
    return concat(length, sealGcm(material.subarray(0, 32), material.subarray(32), length, inner));
}
const inner = (type, flags, pad, body, tail = Buffer.alloc(pad)) => concat(u8(type), u8(flags), u16(pad), body, tail);

test('Every message comes back, over as many records as it needs, padded to 256', () => {
    for (const size of [1, 2, 251, 252, 253, maxBody - 1, maxBody, maxBody + 1, 2 * maxBody, maxMessage]) {
        const [sender, receiver] = pair();
        const body = randomBytes(size);
        const frames = sender.message(types.request, body);
        assert.equal(frames.length, Math.max(1, Math.ceil(size / maxBody)));
        assert(frames.every((frame) => (frame.length - 20) % 256 === 0 && frame.length <= 4 + maxFrame));
        const opened = frames.map((frame) => receiver.open(frame));
        assert(opened.slice(0, -1).every((part) => part === null));
        assert.equal(opened.at(-1).type, types.request);
        assert(opened.at(-1).body.equals(body));
    }
    assert.throws(() => pair()[0].message(types.request, Buffer.alloc(maxMessage + 1)), ProtocolError);
});

test('DATA is not padded', () => {
    const [sender, receiver] = pair();
    const [frame] = sender.message(types.data, Buffer.alloc(17));
    assert.equal(frame.length, 4 + 4 + 17 + 16);
    assert.equal(receiver.open(frame).body.length, 17);
});

test('A KEY_UPDATE comes before the record that would pass the limit, and both sides go on', () => {
    const [sender, receiver] = pair({ rekeyAfter: 2 });
    const got = [];
    for (let i = 0; i < 7; ++i) {
        for (const frame of sender.message(types.ping, Buffer.alloc(0))) {
            got.push(receiver.open(frame).type);
        }
    }
    assert.equal(got.filter((type) => type === types.ping).length, 7);
    assert.deepEqual([sender.epochs, receiver.epochs], [3, 3]);
});

test('An epoch has 2^20 records, its KEY_UPDATE included', () => {
    const [sender, receiver] = pair();
    sender.direction.sequence = maxEpochRecords - 2;
    receiver.direction.sequence = maxEpochRecords - 2;
    const frames = [1, 2].flatMap(() => sender.message(types.ping, Buffer.alloc(0)));
    assert.deepEqual(frames.map((frame) => receiver.open(frame).type), [types.ping, types.keyUpdate, types.ping]);
    sender.direction.sequence = receiver.direction.sequence = maxEpochRecords;
    assert.throws(() => receiver.open(sender.record(types.ping, 0, Buffer.alloc(0))), /2\^20/);
});

test('A record of another place, of changed bytes or of a changed length does not open', () => {
    const [sender] = pair();
    const [first] = sender.message(types.ping, Buffer.alloc(0));
    const [second] = sender.message(types.ping, Buffer.alloc(0));
    assert.throws(() => new RecordReceiver(secret).open(second), ProtocolError);
    for (const at of [0, 3, 4, first.length - 1]) {
        const changed = Buffer.from(first);
        changed[at] ^= 1;
        assert.throws(() => new RecordReceiver(secret).open(changed), ProtocolError);
    }
    const receiver = new RecordReceiver(secret);
    receiver.open(first);
    assert.throws(() => receiver.open(first), ProtocolError);
});

test('Every broken rule inside a record is refused', () => {
    const body = Buffer.alloc(10, 1);
    const broken = {
        'unknown type': inner(0x15, 0, 242, body),
        'unknown flag': inner(types.response, 2, 242, body),
        'pad beyond the record': inner(types.response, 0, 300, body, Buffer.alloc(242)),
        'pad not zero': inner(types.response, 0, 242, body, Buffer.alloc(242, 1)),
        'no padding': inner(types.response, 0, 0, body),
        'more padding than needed': inner(types.response, 0, 498, body),
        'padded DATA': inner(types.data, 0, 242, body),
        'DATA that goes on': inner(types.data, 1, 0, body),
        'empty message': inner(types.response, 0, 252, Buffer.alloc(0)),
        'empty record that goes on': inner(types.response, 1, 252, Buffer.alloc(0)),
        'KEY_UPDATE with a body': inner(types.keyUpdate, 0, 242, body),
    };
    for (const [what, bytes] of Object.entries(broken)) {
        assert.throws(() => new RecordReceiver(secret).open(firstRecord(bytes)), ProtocolError, what);
    }
    assert(new RecordReceiver(secret).open(firstRecord(inner(types.response, 0, 242, body))).body.equals(body));
});

test('Nothing may interrupt a message that goes on', () => {
    for (const type of [types.event, types.ping, types.keyUpdate]) {
        const [sender, receiver] = pair();
        assert.equal(receiver.open(sender.record(types.response, 1, Buffer.alloc(5))), null);
        assert.throws(() => receiver.open(sender.record(type, 0, Buffer.alloc(0))), /interrupted/);
    }
});
