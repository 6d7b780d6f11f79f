// One connection as a vault serves it (docs/protocol.md, Frames to Bulk streams): handshake, records, requests,
// streams, events. `tamper` lets a test bend single steps; without it the vault behaves.
// SPDX-License-Identifier: Apache-2.0
import { chunkPlain, dataBytes, sealedLength, StreamOpener } from './envelope.mjs';
import { parseObject } from './json.mjs';
import { maxFrame, minFrame, RecordReceiver, RecordSender, types } from './records.mjs';
import { CutOff } from './stream.mjs';
import { answerRequest, finishUpload } from './vault_requests.mjs';
import { Refusal } from './vault_rules.mjs';
import { Alert, serveHandshake } from './vault_side.mjs';
import { applicationCodes, concat, ProtocolError, Reader, require, u16, u64, utf8, zeros } from './wire.mjs';

const transportIdle = 300000;
const maxUnsentEvents = 64;
const notServing = 9;

export class VaultSession {
    constructor(vault, stream) {
        this.vault = vault;
        this.state = vault.state;
        this.stream = stream;
        this.tamper = vault.tamper;
        const { remoteAddress, remotePort } = stream.socket;
        this.origin = { sender_ip: remoteAddress, sender_port: remotePort };
        this.wallet = null;
        this.subscribed = false;
        this.upload = null;
        this.stream_ = null;            // an upload's DATA under way
        this.unsentEvents = 0;
    }

    async run() {
        try {
            await this.serve();
        } catch (error) {
            if (error instanceof Alert) {
                await this.stream.write([error.frame]).catch(() => {});
                this.stream.socket.end();
                return;
            }
            if (!(error instanceof ProtocolError || error instanceof CutOff)) {
                this.vault.failures.push(error);
            }
        } finally {
            this.dropUpload();
            this.vault.sessions.delete(this);
            setTimeout(() => this.stream.end(), 500).unref();
        }
        this.stream.socket.end();
    }

    async serve() {
        const session = await serveHandshake(this.stream, this.state.me, {
            ext: () => this.vault.helloExt(), tamper: this.tamper,
        });
        this.sender = new RecordSender(session.serverSecret);
        this.receiver = new RecordReceiver(session.clientSecret);
        this.client = session.client;
        this.seen = session.seen;
        if (this.state.contradiction !== null) {
            return this.close(notServing);
        }
        if (this.state.admit(session.client.chain) === null) {
            return this.close(6);
        }
        this.wallet = session.client.wallet;
        this.endSuperseded();
        this.tamper.admitted?.(this);
        for (;;) {
            const frame = await this.nextFrame();
            const message = this.receiver.open(frame);
            if (message?.type === types.request && this.superseded()) {
                return undefined;
            }
            if (message !== null && !await this.take(message)) {
                return undefined;
            }
        }
    }

    /** Whether the client has newer keys than it came in with (Identity documents). */
    superseded() {
        return this.state.identities.get(this.wallet).chain.length > this.client.chain.length;
    }

    /** Every session that its wallet opened with keys which it has replaced is sent away, and hears of nothing more. */
    endSuperseded() {
        const old = [...this.vault.sessions].filter((other) => other.wallet === this.wallet && other.superseded());
        for (const session of old) {
            session.subscribed = false;
            session.close(6).catch(() => session.stream.socket.destroy());
        }
    }

    async nextFrame() {
        const timer = setTimeout(() => this.close(7).finally(() => this.stream.end()), transportIdle);
        try {
            return await this.stream.frame(minFrame, maxFrame);
        } finally {
            clearTimeout(timer);
        }
    }

    send(type, body) {
        let frames = this.sender.message(type, body);
        if (this.tamper.records !== undefined) {
            frames = this.tamper.records({ type, body, frames, sender: this.sender, session: this });
        }
        return this.stream.write(frames);
    }

    async close(code) {
        await this.send(types.close, u16(code));
        this.stream.socket.end();
    }

    /** One whole message; false ends the connection. */
    async take({ type, body }) {
        switch (type) {
        case types.request: await this.takeRequest(body); return true;
        case types.data: this.takeData(body); return true;
        case types.dataEnd: await this.takeDataEnd(body); return true;
        case types.ping: await this.empty(body, types.pong); return true;
        case types.pong: require(body.length === 0, 'a PONG has a body'); return true;
        case types.keyUpdate: return true;
        case types.close: {
            const reader = new Reader(body, 'CLOSE');
            reader.u16();
            reader.done();
            return false;
        }
        default: throw new ProtocolError(`a record of type ${type} is misplaced`);
        }
    }

    empty(body, answer) {
        require(body.length === 0, 'a PING has a body');
        return this.send(answer, zeros(0));
    }

    async takeRequest(body) {
        require(this.stream_ === null, 'a request came within a bulk stream');
        const message = parseObject(body);
        require(Object.keys(message).length === 2 && typeof message.m === 'string' && Object.hasOwn(message, 'p'),
            'a request is not of m and p');
        this.vault.publish(this.state.expire());
        const bulk = message.m === 'upload.data';
        if (bulk) {
            this.stream_ = { received: 0, sealed: [], taking: false };
        }
        const answer = await this.outcome(message.m, message.p);
        if (typeof answer === 'function') {
            return answer.call(this);
        }
        return this.respond(answer);
    }

    async outcome(method, params) {
        try {
            await this.tamper.before?.(method, params, this);
            const result = answerRequest(this, method, params);
            return typeof result === 'function' ? result
                : { ok: true, r: await this.tamper.reply?.(method, result, this, params) ?? result };
        } catch (error) {
            if (error instanceof Refusal) {
                return { ok: false, e: { code: error.code, name: applicationCodes[error.code] } };
            }
            throw error;
        }
    }

    async respond(answer) {
        const text = JSON.stringify(answer);
        return this.send(types.response, utf8(this.tamper.text?.(text, answer) ?? text));
    }

    // Uploads

    /** Of one that has a name the vault keeps what came. */
    dropUpload() {
        const { upload, stream_: stream } = this;
        this.upload = null;
        if (upload !== null) {
            const plain = upload.offered ?? concat(upload.plain, ...(stream?.taking ? stream.plain : []));
            this.vault.keep({ ...upload, plain });
        }
    }

    /** upload.data was taken: DATA are opened from now on. */
    receiveUpload() {
        Object.assign(this.stream_, {
            taking: true, total: sealedLength(this.upload.bytes) - this.upload.sealed.length, plain: [],
            opener: new StreamOpener(this.upload.keys, this.upload.bytes, this.upload.plain.length / chunkPlain),
        });
    }

    takeData(piece) {
        const stream = this.stream_;
        require(stream !== null, 'DATA is misplaced');
        const fits = stream.taking ? Math.min(dataBytes, stream.total - stream.received) : dataBytes;
        require(piece.length >= 1 && (stream.taking ? piece.length === fits : piece.length <= fits),
            'DATA has another size than it may');
        stream.received += piece.length;
        if (!stream.taking) {
            return;
        }
        try {
            stream.plain.push(stream.opener.push(piece));
            stream.sealed.push(piece);
        } catch (error) {
            if (!(error instanceof ProtocolError)) {
                throw error;
            }
            this.failUpload();
        }
    }

    failUpload() {
        this.dropUpload();
        this.stream_.taking = false;
        this.respond({ ok: false, e: { code: 111, name: applicationCodes[111] } });
    }

    async takeDataEnd(body) {
        const stream = this.stream_;
        require(stream !== null, 'DATA_END is misplaced');
        const reader = new Reader(body, 'DATA_END');
        require(reader.u64() === stream.received, 'DATA_END tells another number of bytes');
        reader.done();
        this.stream_ = null;
        if (!stream.taking) {
            return undefined;           // answered already
        }
        require(stream.received === stream.total, 'a bulk stream ended too early');
        stream.opener.finish();
        const { plain, sealed } = this.upload;
        finishUpload(this.upload, concat(plain, ...stream.plain), concat(sealed, ...stream.sealed));
        const result = { sha256: this.upload.sha256 };
        return this.respond({ ok: true, r: await this.tamper.reply?.('upload.data', result, this) ?? result });
    }

    // Fetches

    /** What answers artwork.fetch: the result, then the bytes in pieces of four chunks. */
    sendBulk(result, bytes) {
        return async () => {
            let sealed = { result, bytes };
            sealed = this.tamper.bulk?.(sealed, this) ?? sealed;
            await this.respond({ ok: true, r: sealed.result });
            const size = sealed.pieceBytes ?? dataBytes;
            for (let at = 0; at < sealed.bytes.length; at += size) {
                await this.send(types.data, sealed.bytes.subarray(at, at + size));
            }
            await this.send(types.dataEnd, u64(sealed.told ?? sealed.bytes.length));
        };
    }

    // Events

    async event(name, p) {
        if (++this.unsentEvents > maxUnsentEvents) {
            this.stream.end();
            return;
        }
        const event = this.tamper.event?.({ e: name, p }, this) ?? { e: name, p };
        await this.send(types.event, utf8(JSON.stringify(event))).catch(() => {});
        --this.unsentEvents;
    }
}
