// Records (docs/protocol.md, Records): sealing, opening, padding, epochs, and messages that go on over several records.
// Pure: a frame is a Buffer; who sends it where is the connection's business.
// SPDX-License-Identifier: Apache-2.0
import { openGcm, sealGcm } from './keys.mjs';
import { concat, expand, label, nonceFor, Reader, require, u16, u32, u8, zeros } from './wire.mjs';

export const types = {
    request: 0x10, response: 0x11, event: 0x12, data: 0x13, dataEnd: 0x14,
    keyUpdate: 0x17, ping: 0x18, pong: 0x19, close: 0x1f,
};
export const minFrame = 20;
export const maxFrame = 66576;
export const maxMessage = 1048576;
export const maxEpochRecords = 2 ** 20;

const maxInner = 66560;
const headBytes = 4;
const maxBody = maxInner - headBytes;
const tagBytes = 16;
const padTo = 256;
const goesOn = 1;
const mayGoOn = new Set([types.request, types.response, types.event]);
const known = new Set(Object.values(types));

/** The keys of one direction; an epoch's key and nonce come from its secret, and the next secret too. */
class Direction {
    constructor(secret) {
        this.enter(secret);
    }
    enter(secret) {
        this.secret = secret;
        const material = expand(secret, label('SAT/1 key'), 44);
        this.key = material.subarray(0, 32);
        this.iv = material.subarray(32);
        this.sequence = 0;
    }
    nextEpoch() {
        this.enter(expand(this.secret, label('SAT/1 upd'), 32));
    }
    nonce() {
        return nonceFor(this.iv, this.sequence++);
    }
}

function writeInner(type, flags, body) {
    const filled = headBytes + body.length;
    const pad = type === types.data ? 0 : (padTo - (filled % padTo)) % padTo;
    return concat(u8(type), u8(flags), u16(pad), body, zeros(pad));
}

function readInner(inner) {
    const reader = new Reader(inner, 'a record');
    const type = reader.u8();
    const flags = reader.u8();
    const pad = reader.u16();
    require(known.has(type), 'a record is of no known type');
    require((flags & ~goesOn) === 0, 'a record has unknown flags');
    require(headBytes + pad <= inner.length, 'a record has more padding than room');
    const body = inner.subarray(headBytes, inner.length - pad);
    require(inner.subarray(inner.length - pad).every((byte) => byte === 0), 'a record is padded with more than zeros');
    if (type === types.data) {
        require(pad === 0, 'a DATA record is padded');
    } else {
        require(inner.length % padTo === 0 && pad < padTo, 'a record is not padded to the next multiple of 256');
    }
    if (flags & goesOn) {
        require(mayGoOn.has(type) && body.length > 0, 'a record goes on that may not');
    }
    return { type, body, goesOn: (flags & goesOn) !== 0 };
}

/** Seals messages into frames. A message that would pass `rekeyAfter` records, or an hour, follows a KEY_UPDATE. */
export class RecordSender {
    constructor(secret, { rekeyAfter = maxEpochRecords - 1, rekeySeconds = 3600 } = {}) {
        this.direction = new Direction(secret);
        this.rekeyAfter = rekeyAfter;
        this.rekeyMs = rekeySeconds * 1000;
        this.epochs = 0;
        this.since = Date.now();
    }
    record(type, flags, body) {
        const inner = writeInner(type, flags, body);
        const length = u32(inner.length + tagBytes);
        return concat(length, sealGcm(this.direction.key, this.direction.nonce(), length, inner));
    }
    /** The frames of one whole message: nothing may be sent between them. */
    message(type, body) {
        const parts = [];
        for (let at = 0; at === 0 || at < body.length; at += maxBody) {
            parts.push(body.subarray(at, at + maxBody));
        }
        require(body.length <= maxMessage, 'a message has more than 1 MiB');
        const frames = [];
        if (this.direction.sequence + parts.length > this.rekeyAfter || Date.now() - this.since > this.rekeyMs) {
            frames.push(this.record(types.keyUpdate, 0, zeros(0)));
            this.direction.nextEpoch();
            this.since = Date.now();
            ++this.epochs;
        }
        parts.forEach((part, i) => frames.push(this.record(type, i + 1 < parts.length ? goesOn : 0, part)));
        return frames;
    }
}

/** Opens frames and puts messages together; enters the next epoch by itself. */
export class RecordReceiver {
    constructor(secret) {
        this.direction = new Direction(secret);
        this.begun = [];
        this.begunType = null;
        this.epochs = 0;
        this.continued = 0;
    }
    /** One frame, length included: { type, body } when a message is whole, null while it goes on. */
    open(frame) {
        require(this.direction.sequence < maxEpochRecords, 'an epoch has more than 2^20 records');
        const inner = openGcm(this.direction.key, this.direction.nonce(), frame.subarray(0, 4), frame.subarray(4),
            'a record');
        const record = readInner(inner);
        require(this.begunType === null || this.begunType === record.type, 'a message was interrupted');
        if (record.type === types.keyUpdate) {
            require(record.body.length === 0, 'a KEY_UPDATE has a body');
            this.direction.nextEpoch();
            ++this.epochs;
        }
        this.begun.push(record.body);
        require(this.begun.reduce((sum, part) => sum + part.length, 0) <= maxMessage, 'a message has more than 1 MiB');
        this.begunType = record.goesOn ? record.type : null;
        if (record.goesOn) {
            ++this.continued;
            return null;
        }
        const body = concat(...this.begun);
        this.begun = [];
        require(body.length > 0 || !mayGoOn.has(record.type), 'a message is empty');
        return { type: record.type, body };
    }
}
