// A listener for one connection, for tests that play a peer by hand.
// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:net';
import { once } from 'node:events';
import { FrameStream } from './stream.mjs';

/** Listens on a port of its own; `serve(stream)` gets the one connection. Gives { port, served }. */
export async function listenOnce(serve) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const served = once(server, 'connection').then(async ([socket]) => {
        server.close();
        return serve(new FrameStream(socket));
    });
    served.catch(() => {});
    return { port: server.address().port, served };
}
