// Frames over a TCP socket (docs/protocol.md, Frames): read one at a time, a length checked before its bytes are read.
// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { connect } from 'node:net';
import { concat, ProtocolError, require } from './wire.mjs';

const messageMs = 60000;

/** The connection ended without CLOSE: what was asked last has an unknown outcome. */
export class CutOff extends Error {}

export class FrameStream {
    constructor(socket) {
        this.socket = socket;
        this.failure = null;
        this.finished = false;
        this.wake = () => {};
        socket.setNoDelay(true);
        socket.on('error', (error) => (this.failure ??= error));
        socket.on('close', () => (this.finished = true));
        // One listener for good: 'readable' is told at once to a new listener, so that one for each wait would spin.
        for (const event of ['readable', 'end', 'close', 'error']) {
            socket.on(event, () => this.wake());
        }
    }
    static async dial(host, port) {
        const socket = connect({ host, port });
        await once(socket, 'connect');
        return new FrameStream(socket);
    }
    async bytes(count) {
        for (;;) {
            const chunk = this.socket.read(count);
            if (chunk !== null) {
                if (chunk.length !== count) {
                    throw new CutOff('the connection ended within a frame');
                }
                return chunk;
            }
            if (this.finished || this.socket.readableEnded || this.socket.destroyed) {
                throw new CutOff(this.failure?.message ?? 'the connection was cut off');
            }
            await new Promise((resolve) => (this.wake = resolve));
        }
    }
    /** The next frame, its length included. A length outside the limits is refused from the header alone. */
    async frame(min, max) {
        const head = await this.bytes(4);
        const length = head.readUInt32BE();
        require(length >= min && length <= max, `a frame has ${length} bytes`);
        const timer = setTimeout(() => this.end(new ProtocolError('a message took longer than 60 s')), messageMs);
        try {
            return concat(head, await this.bytes(length));
        } finally {
            clearTimeout(timer);
        }
    }
    /** Sends frames in order; resolves when there is room for more. */
    async write(frames) {
        if (this.finished || this.socket.destroyed) {
            throw new CutOff(this.failure?.message ?? 'the connection was cut off');
        }
        let room = true;
        for (const frame of frames) {
            room = this.socket.write(frame);
        }
        if (!room) {
            await new Promise((resolve) => {
                const wake = () => {
                    this.socket.off('drain', wake);
                    this.socket.off('close', wake);
                    resolve();
                };
                this.socket.on('drain', wake);
                this.socket.on('close', wake);
            });
        }
    }
    end(error = null) {
        this.failure ??= error;
        this.socket.destroy();
        this.finished = true;
    }
}
