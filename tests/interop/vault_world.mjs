// The people, works and connections that misbehaviours against a vault are played among, and a view of what the vault
// keeps: the catalogue, the ledger, everybody's claims, and the files where the disk can be seen.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { Client } from './client.mjs';
import { Connection } from './connection.mjs';
import { makeIdentity } from './identity.mjs';
import { maxHandshakeFrame } from './handshake.mjs';
import { FrameStream } from './stream.mjs';
import { testIdentity } from './test_keys.mjs';
import { concat, Ended, require, u32 } from './wire.mjs';

export const registrationFields = (changed = {}) => ({
    title: 'Untouched', description: '', artist: 'Ann', creation_date: '', file_path: 'r.png', media_type: 'image/png',
    width: 3, height: 4, release: 'original', ...changed,
});

export class VaultWorld {
    /** `target` is { host, port, pin, hold(artwork, on), files() }; the last two may be absent. */
    static async open(target) {
        const world = new VaultWorld();
        world.target = target;
        world.me = { ann: testIdentity('artist'), bob: testIdentity('collector'), cyn: await makeIdentity() };
        for (const name of Object.keys(world.me)) {
            world[name] = await world.connect(name);
        }
        world.image = randomBytes(70000);
        world.preview = randomBytes(300);
        world.work = await world.register('ann', world.image, {}, world.preview);
        world.hidden = await world.register('ann', randomBytes(5), { release: 'preview' });
        return world;
    }
    connect(name) {
        const { host, port, pin } = this.target;
        return Client.open({ host, port, pin, me: this.me[name] });
    }
    async register(name, image, fields = {}, preview = null) {
        const { artwork } = await this[name].register(image, registrationFields(fields), preview);
        return artwork;
    }
    async close() {
        await Promise.all(Object.keys(this.me).map((name) => this[name].connection.close()));
    }

    /** A connection of its own that `act` uses against the rules; fails with why it ended. */
    async onConnection(name, act) {
        const { host, port, pin } = this.target;
        const connection = await Connection.open({ host, port, pin, me: this.me[name] });
        const acted = Promise.resolve(act(connection)).catch(() => {});
        await connection.reading;
        await acted;
        throw connection.over;
    }

    /** The frame that answers `frames` sent in clear after IDENTITY; fails with the ALERT. */
    async inClear(...frames) {
        const stream = await FrameStream.dial(this.target.host, this.target.port);
        try {
            const identity = await stream.frame(1, maxHandshakeFrame);
            await stream.write(frames.map((frame) => (typeof frame === 'function' ? frame(identity) : frame)));
            const answer = await stream.frame(1, maxHandshakeFrame);
            require(answer.length === 7 && answer[4] === 6, 'the answer is no ALERT');
            throw new Ended('there came ALERT', answer.readUInt16BE(5));
        } finally {
            stream.end();
        }
    }

    /** A handshake bent in one value; fails with what the vault made of it. */
    async bentHandshake(name, bend, me = this.me[name]) {
        const { host, port, pin } = this.target;
        const connection = await Connection.open({ host, port, pin, me, bend });
        await connection.request('artwork.list', { limit: 1 }).catch(() => {});
        await connection.reading;
        throw connection.over;
    }

    /** What the vault keeps, as one text. */
    async snapshot() {
        const shown = [await this.ann.request('ledger.checkpoint', {}),
            await this.ann.request('artwork.list', { limit: 50 })];
        for (const name of ['ann', 'bob', 'cyn']) {
            shown.push(await this[name].request('claim.mine', {}), await this[name].request('claim.inbox', {}));
        }
        return JSON.stringify(shown);
    }
}

export const frameOf = (...parts) => {
    const body = concat(...parts);
    return concat(u32(body.length), body);
};
