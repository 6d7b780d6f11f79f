// What the programs of this folder share: their two arguments, and how they end.
// SPDX-License-Identifier: Apache-2.0

/** { host, port, pin }; ends the program with 2 and a usage line when the arguments are something else. */
export function parseTarget([address, fingerprint]) {
    const place = /^\[?([^\]]+?)\]?:([0-9]{1,5})$/.exec(address ?? '');
    const pin = /^SHA256:([0-9a-f]{64})$/.exec(fingerprint ?? '');
    if (place === null || pin === null) {
        console.error('usage: node <program>.mjs HOST:PORT SHA256:<64 hex>');
        process.exit(2);
    }
    return { host: place[1], port: Number(place[2]), pin: pin[1] };
}

const wholeRunMs = 500000;

/** Runs a program: ends with 0, or with 1 and what contradicted the document, also when nothing moves any more. */
export async function runProgram(name, run) {
    setTimeout(() => {
        console.error(`${name}: not done after ${wholeRunMs / 1000} s`);
        process.exit(1);
    }, wholeRunMs);
    try {
        await run();
        process.exit(0);
    } catch (error) {
        const places = error.stack.split('\n').filter((line) => line.trimStart().startsWith('at '));
        console.error([`${name}: ${error.message}`, ...places.slice(0, 6)].join('\n'));
        process.exit(1);
    }
}
