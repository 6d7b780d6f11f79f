// Writes tests/vectors/interop/*.json anew: node tests/interop/write_vectors.mjs
// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { interopFolder, interopVectors } from './interop_vectors.mjs';

mkdirSync(interopFolder, { recursive: true });
interopVectors().forEach(([name, text]) => writeFileSync(new URL(name, interopFolder), text));
