// Requests that are well-formed JSON and still wrong: unknown methods, other members or values, what is not there, what
// is somebody else's; and the ledger's requests beyond the ledger.
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { leafHash } from './ledger.mjs';
import { logVerifier, checkpointText, joinNote, originOf, signText, writeCheckpoint } from './note.mjs';
import { makeLogKey } from './keys.mjs';
import { toBase64url } from './wire.mjs';

const nothing = '9'.repeat(64);

export async function requestCases(world) {
    const { ann, bob, work, hidden } = world;
    const ask = (expected, name, method, params) => [expected, name, () => bob.request(method, params)];
    const page = await bob.request('artwork.list', { limit: 1 });
    const get = (artwork) => ({ artwork });
    const salt = toBase64url(randomBytes(32));
    const other = work.slice(0, 9) + (work[9] === '0' ? '1' : '0');
    return [
        ask(100, 'an unknown method', 'artwork.give', get(work)),
        ask(100, 'a method named like a member of every object', 'constructor', {}),
        ask(100, 'a method of no letters', '', {}),
        ask(100, 'parameters that are null', 'artwork.list', null),
        ask(100, 'parameters that are an array', 'claim.subscribe', []),
        ask(100, 'parameters that are text', 'claim.subscribe', 'all'),
        ask(100, 'a member too many', 'artwork.get', { artwork: work, more: 1 }),
        ask(100, 'a member too few', 'artwork.get', {}),
        ask(100, 'a member named __proto__', 'artwork.get', JSON.parse(`{"artwork":"${work}","__proto__":1}`)),
        ask(100, 'an ID that is null', 'artwork.get', get(null)),
        ask(100, 'an ID in lower case', 'artwork.get',
            get(work.toLowerCase() === work ? 'abcdefghjk' : work.toLowerCase())),
        ask(100, 'an ID with another check character', 'artwork.get', get(other)),
        ask(100, 'an ID of eleven characters', 'artwork.get', get(`${work}0`)),
        ask(101, 'a work that is not there', 'artwork.get', get('0000000000')),
        ask(101, 'the preview of a work that is not there', 'artwork.preview', get('0000000000')),
        ask(101, 'the history of a work that is not there', 'artwork.history', { artwork: '0000000000', from: 0 }),
        ask(101, 'the image of a work that is not there', 'artwork.fetch', { artwork: '0000000000', offset: 0 }),
        ask(102, 'the image of a work that shows its preview alone', 'artwork.fetch', { artwork: hidden, offset: 0 }),
        ask(100, 'a list of 0', 'artwork.list', { limit: 0 }),
        ask(100, 'a list of 51', 'artwork.list', { limit: 51 }),
        ask(100, 'a list of "1"', 'artwork.list', { limit: '1' }),
        ask(100, 'a list without a limit', 'artwork.list', {}),
        ask(100, 'a search of 201 code points', 'artwork.list', { limit: 1, text: 'x'.repeat(201) }),
        ask(100, 'an artist of 201 code points', 'artwork.list', { limit: 1, artist: 'x'.repeat(201) }),
        ask(100, 'an owner in upper case', 'artwork.list', { limit: 1, owner: 'A'.repeat(64) }),
        ask(100, 'an owner of 63 digits', 'artwork.list', { limit: 1, owner: 'a'.repeat(63) }),
        ask(100, 'a cursor that the vault did not make', 'artwork.list', { limit: 1, cursor: 'next' }),
        ask(100, 'a cursor of no characters', 'artwork.list', { limit: 1, cursor: '' }),
        ask(100, 'a history from -1', 'artwork.history', { artwork: work, from: -1 }),
        ask(100, 'a fetch within a chunk', 'artwork.fetch', { artwork: work, offset: 1 }),
        ask(100, 'a fetch from before the beginning', 'artwork.fetch', { artwork: work, offset: -16400 }),
        ask(100, 'a fetch from the end', 'artwork.fetch', { artwork: work, offset: 5 * 16400 }),
        ask(100, 'identities of nobody', 'identity.get', { wallets: [] }),
        ask(100, 'identities of 51', 'identity.get', { wallets: Array(51).fill(nothing) }),
        ask(100, 'identities of what is no wallet', 'identity.get', { wallets: [work] }),
        ask(100, 'an upload of 0 bytes', 'upload.begin', { bytes: 0, media_type: 'image/png' }),
        ask(100, 'an upload of -1 bytes', 'upload.begin', { bytes: -1, media_type: 'image/png' }),
        ask(100, 'an upload of text', 'upload.begin', { bytes: 5, media_type: 'text/html' }),
        ask(104, 'an upload beyond the limit', 'upload.begin',
            { bytes: bob.connection.limits.artwork_bytes + 1, media_type: 'image/png' }),
        ask(100, 'a claim that is an object', 'claim.open', { claim: {} }),
        ask(100, 'a text without a salt', 'claim.open', { claim: 'a.b.c', text: { text: 'x' } }),
        ask(100, 'a text with a salt of 31 bytes', 'claim.open',
            { claim: 'a.b.c', text: { salt: toBase64url(randomBytes(31)), text: 'x' } }),
        ask(100, 'a text of 281 code points', 'claim.open', { claim: 'a.b.c', text: { salt, text: 'x'.repeat(281) } }),
        ask(100, 'a text of no code points', 'claim.open', { claim: 'a.b.c', text: { salt, text: '' } }),
        ask(100, 'a text with a third member', 'claim.open', { claim: 'a.b.c', text: { salt, text: 'x', more: 1 } }),
        ask(101, 'a claim that is not there', 'claim.get', { claim: nothing }),
        ask(100, 'a claim id in upper case', 'claim.get', { claim: 'A'.repeat(64) }),
        ask(100, 'an inbox with a foreign cursor', 'claim.inbox', { cursor: page.next_cursor }),
        ask(100, 'metadata of 4097 bytes', 'claim.accept', { accept: 'a.b.c', salt, metadata: 'x'.repeat(4097) }),
        ask(100, 'metadata with a padded salt', 'claim.accept', { accept: 'a.b.c', salt: `${salt}=`, metadata: '{}' }),
        ...await ledgerCases(world, ann),
    ];
}

async function ledgerCases({ cyn, work, hidden }, ann) {
    const ask = (expected, name, method, params) => [expected, name, () => cyn.request(`ledger.${method}`, params)];
    await cyn.checkpoint();
    const { size, root } = cyn.view.newest;
    const [entry] = await ann.entriesOf(hidden);
    const { wallet } = cyn.vault;
    const foreign = await makeLogKey();
    const foreignNote = (name) =>
        writeCheckpoint({ ...foreign, verifier: { ...logVerifier(wallet, foreign.raw), name } },
        size + 9, root);
    const ownName = logVerifier(wallet, foreign.raw);
    const misnamed = checkpointText(originOf(wallet), size + 9, root);
    const { checkpoint } = await cyn.request('ledger.checkpoint', {});
    return [
        ask(100, 'a checkpoint of a size', 'checkpoint', { size: 1 }),
        ask(100, 'an inclusion in nothing', 'inclusion', { leaf: leafHash(entry), size: 0 }),
        ask(100, 'an inclusion beyond the newest checkpoint', 'inclusion', { leaf: leafHash(entry), size: size + 1 }),
        ask(101, 'an inclusion of what is no leaf', 'inclusion', { leaf: nothing, size }),
        ask(101, 'an inclusion in a tree before the leaf', 'inclusion', { leaf: leafHash(entry), size: 1 }),
        ask(100, 'an inclusion of half a hash', 'inclusion', { leaf: nothing.slice(32), size }),
        ask(100, 'a consistency backwards', 'consistency', { old: size, size: size - 1 }),
        ask(100, 'a consistency beyond the newest checkpoint', 'consistency', { old: 1, size: size + 1 }),
        ask(100, 'a consistency from below zero', 'consistency', { old: -1, size }),
        ask(100, 'entries from -1', 'entries', { from: -1 }),
        ask(101, 'the head of a work that is not there', 'head', { artwork: '0000000000' }),
        ask(101, 'the head of a work before it was registered', 'head', { artwork: hidden, size: 1 }),
        ask(101, 'the head of a work in an empty tree', 'head', { artwork: work, size: 0 }),
        ask(100, 'a head beyond the newest checkpoint', 'head', { artwork: work, size: size + 1 }),
        ask(100, 'a report of the newest checkpoint itself', 'report', { checkpoint }),
        ask(100, 'a report of what is no note', 'report', { checkpoint: 'no note' }),
        ask(100, 'a report of nothing', 'report', { checkpoint: '' }),
        ask(100, 'a report of a note by another log key', 'report', { checkpoint: foreignNote(originOf(wallet)) }),
        ask(100, 'a report of a note of another vault', 'report', { checkpoint: foreignNote(originOf(nothing)) }),
        ask(100, "a report of a note with the vault's signature of another", 'report',
            { checkpoint: checkpoint.replace(/^([^\n]+)\n[^\n]+/, `$1\n${size + 9}`) }),
        ask(100, 'a report of a note signed under a false key hash', 'report', {
            checkpoint: joinNote(misnamed, signText(misnamed, { ...foreign,
                verifier: { ...ownName, hash: Buffer.from(cyn.vault.log.split('+')[1], 'hex') } })),
        }),
        ask(100, 'a report of more than 2560 bytes', 'report', { checkpoint: checkpoint + 'x'.repeat(2560) }),
    ];
}
