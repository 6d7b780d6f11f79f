// A vault in memory, written from docs/protocol.md: it listens, serves any number of sessions and tells of events.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { chunkPlain } from './envelope.mjs';
import { FrameStream } from './stream.mjs';
import { limits } from './vault_requests.mjs';
import { VaultSession } from './vault_session.mjs';
import { VaultState } from './vault_state.mjs';

const sweepMs = 250;

export class Vault {
    /** `state` is a VaultState or an identity for a new one; `tamper` bends single steps, for tests of clients. */
    constructor(state, tamper = {}) {
        this.state = state instanceof VaultState ? state : new VaultState(state);
        this.tamper = tamper;
        this.sessions = new Set();
        this.kept = new Map();          // of uploads that were cut off: their name → { artwork, plain }
        this.cursorKey = randomBytes(32);
        this.failures = [];             // errors of this program's own, which no peer may cause
        this.server = null;
    }

    get wallet() {
        return this.state.me.wallet;
    }

    async listen(port = 0, host = '127.0.0.1') {
        this.server = createServer({ allowHalfOpen: true }, (socket) => {
            const session = new VaultSession(this, new FrameStream(socket));
            this.sessions.add(session);
            session.run();
        });
        this.server.listen(port, host);
        await once(this.server, 'listening');
        this.sweep = setInterval(() => this.publish(this.state.expire()), sweepMs);
        this.sweep.unref();
        return this.server.address().port;
    }

    async close() {
        clearInterval(this.sweep);
        this.sessions.forEach((session) => session.stream.end());
        this.server.close();
    }

    helloExt() {
        const checkpoint = this.state.ledger.checkpoint();
        const ext = { time: this.state.now(), limits, checkpoint };
        return this.tamper.hello?.(ext) ?? ext;
    }

    /** Uploads of a wallet that are under way. */
    uploadsOf(wallet) {
        return [...this.sessions].filter((session) => session.wallet === wallet && session.upload !== null).length;
    }

    /** An upload by this name has a connection. */
    isUnderWay(name) {
        return [...this.sessions].some(({ upload }) => upload !== null && upload.name === name);
    }

    /** Whole chunks of plaintext that came of a named upload, for the next that begins by its name. */
    keep({ name, artwork, plain }) {
        const whole = plain.subarray(0, Math.floor(plain.length / chunkPlain) * chunkPlain);
        if (name !== null && whole.length > 0) {
            this.kept.set(name, { artwork, plain: whole });
        }
    }
    takeKept(name) {
        const kept = this.kept.get(name);
        this.kept.delete(name);
        return kept;
    }

    publish(events) {
        for (const [name, claim, wallets] of events) {
            const shown = this.state.showClaim(claim);
            for (const session of this.sessions) {
                if (session.subscribed && wallets.includes(session.wallet)) {
                    session.event(name, shown);
                }
            }
        }
    }

    /** The ledger contradicts what this vault once signed: everybody gets CLOSE 9, now and from now on. */
    stopServing(note) {
        this.state.contradiction = note;
        setImmediate(() => this.sessions.forEach((session) => session.sender && session.close(9).catch(() => {})));
    }
}
