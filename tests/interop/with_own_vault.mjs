// Starts this folder's own vault, runs a program against it as with_vault.sh does with sat-vaultd:
//   with_own_vault.mjs PROGRAM...     runs PROGRAM... HOST:PORT SHA256:<fingerprint>; its status is the result
// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { testIdentity } from './test_keys.mjs';
import { Vault } from './vault.mjs';

const [program, ...given] = process.argv.slice(2);
const vault = new Vault(testIdentity('vault'));
const port = await vault.listen();
const child = spawn(program, [...given, `127.0.0.1:${port}`, `SHA256:${vault.wallet}`], { stdio: 'inherit' });
const [status] = await once(child, 'exit');
await vault.close();
vault.failures.forEach((error) => console.error('the vault failed:', error));
process.exit(vault.failures.length > 0 ? 1 : status ?? 1);
