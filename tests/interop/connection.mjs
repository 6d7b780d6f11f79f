// One connection to a vault: handshake, then requests, events and bulk streams (docs/protocol.md, Requests).
// What the requests mean is in client.mjs.
// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { dataBytes } from './envelope.mjs';
import { frameTypes, shakeHands } from './handshake.mjs';
import { parseObject } from './json.mjs';
import { maxFrame, minFrame, RecordReceiver, RecordSender, types } from './records.mjs';
import { CutOff, FrameStream } from './stream.mjs';
import { applicationCodes, Ended, ProtocolError, Reader, Refused, require, u16, u64, utf8, zeros } from './wire.mjs';

const alertBytes = 3;
const overloaded = 8;
const dials = 3;
const pingMs = 60000;
const closeMs = 5000;

export class Connection {
    /** Dials, shakes hands, starts to read. ALERT 8 is tried again, three times in all, after random pauses. */
    static async open({ host, port, pin, me, rekeyAfter, seen = null, bend }) {
        for (let attempt = 1; ; ++attempt) {
            const stream = await FrameStream.dial(host, port);
            try {
                const session = await shakeHands(stream, me, pin, { seen, bend });
                return new Connection(stream, session, rekeyAfter);
            } catch (error) {
                stream.end();
                if (!(error instanceof Ended && error.code === overloaded) || attempt === dials) {
                    throw error;
                }
                await new Promise((resolve) => setTimeout(resolve, randomInt(200, 1200)));
            }
        }
    }

    constructor(stream, session, rekeyAfter) {
        this.stream = stream;
        this.vault = session.vault;
        this.limits = session.ext.limits;
        this.ext = session.ext;
        this.clockOffset = { time: session.ext.time, at: process.hrtime.bigint() };
        this.sender = new RecordSender(session.clientSecret, { rekeyAfter });
        this.receiver = new RecordReceiver(session.serverSecret);
        this.open = null;           // the one request in flight
        this.events = [];
        this.eventWaiters = new Set();
        this.pongWaiters = [];
        this.closing = false;
        this.over = null;           // why the connection is over
        this.localPort = stream.socket.localPort;
        this.pings = setInterval(() => this.send(types.ping, zeros(0)).catch(() => {}), pingMs);
        this.pings.unref();
        this.reading = this.readAll();
    }

    /** The vault's clock, never ahead of it: SERVER_HELLO's time and whole seconds since. */
    vaultNow() {
        return this.clockOffset.time + Number((process.hrtime.bigint() - this.clockOffset.at) / 1000000000n);
    }

    send(type, body) {
        return this.stream.write(this.sender.message(type, body));
    }

    begin(method, params, bulk) {
        require(this.open === null, 'a request is in flight already');
        if (this.over !== null) {
            throw this.over;
        }
        const open = { method, bulk, result: null, settled: false, received: 0, short: false };
        open.outcome = new Promise((resolve, reject) => Object.assign(open, { resolve, reject }));
        open.outcome.catch(() => {});       // a refusal may come while DATA is still being written
        this.open = open;
        return open;
    }

    settle(open, finish) {
        this.open = null;
        open.settled = true;
        finish();
    }

    /** One request and its result; throws Refused for an error RESPONSE. */
    async request(method, params = {}) {
        const open = this.begin(method, params);
        await this.send(types.request, utf8(JSON.stringify({ m: method, p: params })));
        return open.outcome;
    }

    /** A request that is answered by a result and a bulk stream; `take(piece, result)` gets each DATA's bytes. */
    async download(method, params, take) {
        const open = this.begin(method, params, take);
        await this.send(types.request, utf8(JSON.stringify({ m: method, p: params })));
        return open.outcome;
    }

    /** A request followed by a bulk stream. An early error stops the DATA; DATA_END tells what was sent. */
    async upload(method, params, pieces) {
        const open = this.begin(method, params);
        await this.send(types.request, utf8(JSON.stringify({ m: method, p: params })));
        let sent = 0;
        for (const piece of pieces) {
            if (open.settled) {
                break;
            }
            await this.send(types.data, piece);
            sent += piece.length;
            await new Promise(setImmediate);        // reads while it writes
        }
        await this.send(types.dataEnd, u64(sent));
        return open.outcome;
    }

    /** The next event that `matches(name, params)`, from those kept or to come; throws after `milliseconds`. */
    async event(matches, milliseconds = 10000) {
        const kept = this.events.findIndex(({ e, p }) => matches(e, p));
        if (kept >= 0) {
            return this.events.splice(kept, 1)[0];
        }
        if (this.over !== null) {
            throw this.over;
        }
        return new Promise((resolve, reject) => {
            const waiter = { matches, resolve, reject };
            waiter.timer = setTimeout(() => {
                this.eventWaiters.delete(waiter);
                reject(new ProtocolError('an event did not come'));
            }, milliseconds);
            this.eventWaiters.add(waiter);
        });
    }

    async ping() {
        const answered = new Promise((resolve, reject) => this.pongWaiters.push({ resolve, reject }));
        await this.send(types.ping, zeros(0));
        return answered;
    }

    /** CLOSE with code 0, then waits for the vault to hang up. */
    async close() {
        if (this.over === null) {
            this.closing = true;
            await this.send(types.close, u16(0));
            this.stream.socket.end();
            const timer = setTimeout(() => this.stream.end(), closeMs);
            await this.reading;
            clearTimeout(timer);
        }
        this.stream.end();
    }

    async nextFrame(first) {
        const frame = await this.stream.frame(first ? alertBytes : minFrame, maxFrame);
        if (first && frame.length < 4 + minFrame) {
            require(frame.length === 4 + alertBytes && frame[4] === frameTypes.alert, 'a record is too short');
            throw new Ended('after CLIENT_FINISHED came ALERT', frame.readUInt16BE(5));
        }
        return frame;
    }

    async readAll() {
        try {
            for (let first = true; ; first = false) {
                const message = this.receiver.open(await this.nextFrame(first));
                if (message !== null) {
                    await this.take(message);
                }
            }
        } catch (error) {
            this.finish(this.closing && error instanceof CutOff ? new CutOff('this side closed') : error);
        }
    }

    finish(why) {
        this.over = why;
        clearInterval(this.pings);
        this.stream.end(why);
        if (this.open !== null) {
            this.settle(this.open, ((open) => () => open.reject(why))(this.open));
        }
        for (const waiter of this.eventWaiters) {
            clearTimeout(waiter.timer);
            waiter.reject(why);
        }
        this.pongWaiters.forEach(({ reject }) => reject(why));
    }

    async take({ type, body }) {
        switch (type) {
        case types.response: return this.takeResponse(parseObject(body));
        case types.event: return this.takeEvent(parseObject(body));
        case types.data: return this.takeData(body);
        case types.dataEnd: return this.takeDataEnd(body);
        case types.ping: return this.send(types.pong, zeros(0));
        case types.pong: return this.takePong();
        case types.keyUpdate: return undefined;
        case types.close: {
            const reader = new Reader(body, 'CLOSE');
            throw new Ended('CLOSE', reader.u16());
        }
        default: throw new ProtocolError(`a record of type ${type} is misplaced`);
        }
    }

    takeResponse(message) {
        const open = this.open;
        require(open !== null && open.result === null, 'a RESPONSE answers nothing');
        if (message.ok === false) {
            const { code, name } = message.e;
            require(applicationCodes[code] === name, `code ${code} does not go with the name ${name}`);
            this.settle(open, () => open.reject(new Refused(open.method, code, name)));
            return;
        }
        require(message.ok === true && message.r !== null && typeof message.r === 'object', 'a RESPONSE has no result');
        open.result = message.r;
        if (open.bulk === undefined) {
            this.settle(open, () => open.resolve(message.r));
        }
    }

    takeEvent(message) {
        require(typeof message.e === 'string' && typeof message.p === 'object', 'an EVENT has not its members');
        for (const waiter of this.eventWaiters) {
            if (waiter.matches(message.e, message.p)) {
                this.eventWaiters.delete(waiter);
                clearTimeout(waiter.timer);
                waiter.resolve(message);
                return;
            }
        }
        this.events.push(message);
    }

    async takeData(piece) {
        const open = this.open;
        require(open?.bulk !== undefined && open.result !== null, 'DATA is misplaced');
        require(piece.length >= 1 && piece.length <= dataBytes && !open.short, 'DATA has another size than it may');
        open.short = piece.length < dataBytes;
        open.received += piece.length;
        await open.bulk(piece, open.result);
    }

    takeDataEnd(body) {
        const open = this.open;
        require(open?.bulk !== undefined && open.result !== null, 'DATA_END is misplaced');
        const reader = new Reader(body, 'DATA_END');
        require(reader.u64() === open.received, 'DATA_END tells another number of bytes');
        reader.done();
        this.settle(open, () => open.resolve(open.result));
    }

    takePong() {
        // PINGs of the timer have no waiter; their PONGs are welcome all the same.
        this.pongWaiters.shift()?.resolve();
    }
}
