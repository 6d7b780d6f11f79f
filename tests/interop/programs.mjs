// The project's own client programs as processes: run one with a home and a vault, get its exit code and JSON.
// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const runMs = 60000;

/** Where a vault listens and what a client pins: the options that every run gets. */
export const vaultOptions = (port, wallet) => ['--vault', `127.0.0.1:${port}`, '--vault-key', `SHA256:${wallet}`];

/** Runs a program to its end: { code, value (its one JSON document, or null), stdout, stderr }. */
export async function runClient(program, home, args, { cwd = home } = {}) {
    const child = spawn(program, ['--home', home, '--json', '--no-input', ...args],
        { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
        child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), runMs);
    const [code, signal] = await once(child, 'close');
    clearTimeout(timer);
    let value = null;
    try {
        value = JSON.parse(output.stdout);
    } catch {
        // A program that was killed, or help for people: there is no document.
    }
    return { code: code ?? signal, value, ...output };
}
