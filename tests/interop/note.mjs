// Checkpoints (docs/protocol.md, Checkpoints): C2SP signed notes over a tree head, the vault's signature, cosignatures.
// SPDX-License-Identifier: Apache-2.0
import { readEd25519, signEd25519, verifyEd25519 } from './keys.mjs';
import { emptyRoot, maxTreeSize } from './merkle.mjs';
import { concat, Reader, require, sha256, u64, u8, utf8 } from './wire.mjs';

const maxNote = 2560;
const maxSignatures = 16;
const dash = '\u2014';
const noteKey = 1;
const cosignatureKey = 4;

export const originOf = (wallet) => `sat-vault/${wallet}`;

/** Standard base64 with padding, in its one form. */
function fromBase64(text) {
    const bytes = Buffer.from(text, 'base64');
    require(bytes.toString('base64') === text, 'base64 is not in its one form');
    return bytes;
}

/** A C2SP key as { name, type, raw, hash[4], text, publicKey }. */
function c2spKey(name, type, raw) {
    const key = concat(u8(type), raw);
    const hash = sha256(utf8(name), u8(0x0a), key).subarray(0, 4);
    const text = `${name}+${hash.toString('hex')}+${key.toString('base64')}`;
    return { name, type, raw, hash, text, publicKey: readEd25519(raw) };
}

/** The verifier key of a vault's log key; `.text` is what its identity carries. */
export const logVerifier = (wallet, raw) => c2spKey(originOf(wallet), noteKey, raw);
export const witnessVerifier = (name, raw) => c2spKey(name, cosignatureKey, raw);

/** A verifier key from its text, of the type that is meant. */
function readVerifier(text, type) {
    const match = /^([!-*,-~]{1,100})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
    require(typeof text === 'string' && match !== null, 'a verifier key is malformed');
    const key = fromBase64(match[3]);
    require(key.length === 33 && key[0] === type, 'a verifier key is of another type');
    const verifier = c2spKey(match[1], type, key.subarray(1));
    require(verifier.text === text, 'a verifier key has another key hash');
    return verifier;
}
export const readLogVerifier = (text) => readVerifier(text, noteKey);
export const readWitnessVerifier = (text) => readVerifier(text, cosignatureKey);

/** The three lines that are signed. */
export const checkpointText = (origin, size, root) => `${origin}\n${size}\n${root.toString('base64')}\n`;

const signatureLine = (name, bytes) => `${dash} ${name} ${bytes.toString('base64')}\n`;

/** A vault's signature line over `text`. `log` is { privateKey, verifier }. */
export const signText = (text, { privateKey, verifier }) =>
    signatureLine(verifier.name, concat(verifier.hash, signEd25519(privateKey, utf8(text))));

const cosigned = (text, time) => utf8(`cosignature/v1\ntime ${time}\n${text}`);

/** A witness's signature line over `text` at `time`. */
export const cosignText = (text, time, { privateKey, verifier }) => signatureLine(verifier.name,
    concat(verifier.hash, u64(time), signEd25519(privateKey, cosigned(text, time))));

export const joinNote = (text, ...lines) => `${text}\n${lines.join('')}`;

/** A vault's checkpoint as a note. */
export function writeCheckpoint(log, size, root) {
    const text = checkpointText(log.verifier.name, size, root);
    return joinNote(text, signText(text, log));
}

function readSignature(line) {
    const match = /^\u2014 ([!-*,-~]{1,100}) ([A-Za-z0-9+/=]+)$/u.exec(line);
    require(match !== null, 'a signature line is malformed');
    const bytes = fromBase64(match[2]);
    require(bytes.length > 4, 'a signature line has no signature');
    return { name: match[1], hash: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/** Takes a checkpoint apart, without trust: { text, origin, size, root, signatures }. */
export function readNote(note) {
    require(typeof note === 'string' && utf8(note).length <= maxNote, 'a note has more than 2560 bytes');
    const lines = note.split('\n');
    require(lines.pop() === '', 'a note does not end in a line feed');
    const [origin, size, root, empty, ...signed] = lines;
    require(empty === '' && signed.length >= 1 && signed.length <= maxSignatures,
        'a note has not three lines and 1 to 16 signatures');
    const signatures = signed.map(readSignature);
    const keys = signatures.map(({ name, hash }) => `${name} ${hash.toString('hex')}`);
    require(new Set(keys).size === keys.length, 'a note has two signature lines of one key');
    require(/^(0|[1-9][0-9]{0,15})$/.test(size) && Number(size) <= maxTreeSize, 'a checkpoint has no size');
    require(/^[A-Za-z0-9+/]{43}=$/.test(root), 'a checkpoint has no root');
    const head = { size: Number(size), root: fromBase64(root) };
    require(head.size !== 0 || head.root.equals(emptyRoot), 'the checkpoint of an empty ledger has another root');
    return { note, text: `${origin}\n${size}\n${root}\n`, origin, ...head, signatures };
}

const isBy = (verifier) => ({ name, hash }) => name === verifier.name && hash.equals(verifier.hash);

function holds({ text }, { signature }, verifier) {
    if (verifier.type === noteKey) {
        return signature.length === 64 && verifyEd25519(verifier.publicKey, utf8(text), signature);
    }
    if (signature.length !== 72) {
        return false;
    }
    const reader = new Reader(signature, 'a cosignature');
    const time = reader.u64();
    return verifyEd25519(verifier.publicKey, cosigned(text, time), reader.take(64));
}

/** Verifies what readNote gave: signed by `verifier`. */
export function verifySignature(read, verifier) {
    const line = read.signatures.find(isBy(verifier));
    require(line !== undefined, 'a note is not signed by the key that it has to be signed by');
    require(holds(read, line, verifier), 'a note has a bad signature');
}

/** A vault's checkpoint, verified under the newest log key of its chain. */
export function verifyCheckpoint(note, vault) {
    const read = readNote(note);
    const verifier = readLogVerifier(vault.log);
    require(read.origin === verifier.name, "a checkpoint is of another vault");
    verifySignature(read, verifier);
    return read;
}

/** A note of exactly the vault's signature and one of each witness, in this order. */
export function verifyWitnessed(note, vault, witnesses) {
    const read = verifyCheckpoint(note, vault);
    const verifiers = [readLogVerifier(vault.log), ...witnesses.map(readWitnessVerifier)];
    require(read.signatures.length === verifiers.length, 'a note has not exactly the signatures of its witnesses');
    verifiers.forEach((verifier, index) => {
        const line = read.signatures[index];
        require(isBy(verifier)(line) && holds(read, line, verifier), 'a note is not signed by its witnesses in order');
    });
    return read;
}
