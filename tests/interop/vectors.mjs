// Finds vectors from elsewhere, which are not part of the source: $SAT_VECTORS_DIR, else ../shared/vectors beside it.
// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.env.SAT_VECTORS_DIR || fileURLToPath(new URL('../../../shared/vectors', import.meta.url));

/** Where a vector file or folder is, or null (and a line that says so, which tests/run repeats) where it is absent. */
export function vectorPath(name) {
    const path = join(folder, name);
    if (!existsSync(path)) {
        console.log(`NOT RUN: no vectors at ${path}`);
        return null;
    }
    return path;
}

/** A JSON vector file, or null (and a line that says so) where it is absent. */
export function loadVectors(name) {
    const path = vectorPath(name);
    return path === null ? null : JSON.parse(readFileSync(path, 'utf8'));
}

/** The files of a vector folder as [name, bytes], or null where it is absent. */
export function loadFolder(name) {
    const path = vectorPath(name);
    return path === null ? null : readdirSync(path).map((file) => [file, readFileSync(join(path, file))]);
}
