#!/usr/bin/env python3
"""Writes envelope.json, statements.json and merkle.json from the keys in keys/, by docs/protocol.md alone.

A second implementation, on purpose: it shares nothing with lib/.  PSS and OAEP are spelled out, because their salts
and seeds must be given for the output to be the same each time.  Needs python3-cryptography (Debian).
"""
# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).parent


def load(name):
    return serialization.load_pem_private_key((HERE / "keys" / f"test-{name}.pem").read_bytes(), None)


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def fixed(name, size):
    """Bytes that stand for random ones: SHAKE-256 of a name."""
    return hashlib.shake_256(name.encode()).digest(size)


def label(name, *context):
    return name.encode() + b"\0" + b"".join(context)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def mgf1(seed, size):
    return b"".join(h(seed, struct.pack(">I", i)) for i in range(size // 32 + 1))[:size]


def oaep(key, message, lab, seed):  # RFC 8017, 7.1.1
    n = key.public_key().public_numbers()
    k = (n.n.bit_length() + 7) // 8
    db = h(lab) + bytes(k - len(message) - 66) + b"\1" + message
    masked_db = xor(db, mgf1(seed, len(db)))
    em = b"\0" + xor(seed, mgf1(masked_db, 32)) + masked_db
    return pow(int.from_bytes(em, "big"), n.e, n.n).to_bytes(k, "big")


def pss(key, message, salt):  # RFC 8017, 8.1.1
    p = key.private_numbers()
    n = p.public_numbers.n
    k = (n.bit_length() + 7) // 8
    digest = h(bytes(8), h(message), salt)
    db = bytes(k - 32 - 32 - 2) + b"\1" + salt
    masked_db = bytearray(xor(db, mgf1(digest, len(db))))
    masked_db[0] &= 0x7F
    em = bytes(masked_db) + digest + b"\xbc"
    return pow(int.from_bytes(em, "big"), p.d, n).to_bytes(k, "big")


def expand_sha512(prk, info, size):  # RFC 5869, 2.3
    out, block, i = b"", b"", 1
    while len(out) < size:
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha512).digest()
        out, i = out + block, i + 1
    return out[:size]


KEYS = {name: load(name) for name in ["vault-sign", "vault-kem", "vault-store", "vault-log", "artist-sign", "artist-kem",
                                      "collector-sign", "collector-kem"]}
KEY_ID = {name: h(spki(key)) for name, key in KEYS.items()}
WALLET = {who: KEY_ID[f"{who}-sign"] for who in ["vault", "artist", "collector"]}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def artwork_id(nine):
    total = 0
    for i, c in enumerate(reversed(nine)):
        v = ALPHABET.index(c) * (2 if i % 2 == 0 else 1)
        total += v // 32 + v % 32
    return nine + ALPHABET[-total % 32]


ARTWORK = artwork_id("7KQ2MZ4TV")


# --- Envelopes ---

def plaintext(length):
    return bytes((31 * i + i // 251) & 0xFF for i in range(length))


def envelope(length, who, key, purpose):
    name = f"envelope {length} {key} {purpose}"
    dek, salt = fixed(name + " dek", 32), fixed(name + " salt", 24)
    first = b"SATE\1\1\0\0" + ARTWORK.encode() + bytes(6) + struct.pack(">Q", length)
    context = label("SAT/1 artwork", first[:24])
    keys = expand_sha512(dek, label("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM", salt, context), 76)
    aead, base, commitment = AESGCM(keys[:32]), keys[32:44], keys[44:]
    wrap_label = label({"transit": "SAT/1 env", "store": "SAT/1 store"}[purpose], ARTWORK.encode(), WALLET[who])
    wrapped = oaep(KEYS[key], dek, wrap_label, fixed(name + " seed", 32))
    header = first + WALLET[who] + KEY_ID[key] + struct.pack(">H", len(wrapped)) + wrapped + salt + commitment
    data = plaintext(length)
    chunks = b"".join(aead.encrypt(xor(base, bytes(4) + struct.pack(">Q", i)), data[16384 * i:16384 * (i + 1)], None)
                      for i in range(length // 16384 + 1))
    return {
        "artwork": ARTWORK, "plaintext_length": length, "recipient": WALLET[who].hex(), "key": key, "purpose": purpose,
        "data_key": dek.hex(), "salt": salt.hex(), "context": context.hex(), "wrap_label": wrap_label.hex(),
        "chunk_key": keys[:32].hex(), "base_nonce": base.hex(), "commitment": commitment.hex(), "header": header.hex(),
        "sealed_size": len(chunks), "first_bytes": chunks[:64].hex(), "sealed_sha256": h(chunks).hex(),
        "plaintext_sha256": h(data).hex(),
    }


# --- Merkle trees and checkpoints (RFC 6962, 2.1) ---

def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(d):
    if len(d) < 2:
        return d[0] if d else h(b"")
    k = split(len(d))
    return h(b"\1", root(d[:k]), root(d[k:]))


def path(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    return path(m, d[:k]) + [root(d[k:])] if m < k else path(m - k, d[k:]) + [root(d[:k])]


def subproof(m, d, known):
    if m == len(d):
        return [] if known else [root(d)]
    k = split(len(d))
    return (subproof(m, d[:k], known) + [root(d[k:])] if m <= k else subproof(m - k, d[k:], False) + [root(d[:k])])


def tree(hashes):
    sizes = range(len(hashes) + 1)
    return {
        "leaves": [x.hex() for x in hashes], "roots": [root(hashes[:n]).hex() for n in sizes],
        "inclusion": [{"index": i, "size": n, "proof": [x.hex() for x in path(i, hashes[:n])]}
                      for n in sizes for i in range(n)],
        "consistency": [{"old": m, "size": n, "proof": [x.hex() for x in subproof(m, hashes[:n], True)] if m else []}
                        for n in sizes for m in range(n + 1)],
    }


def checkpoint(size, root_hash):
    name = f"sat-vault/{WALLET['vault'].hex()}"
    text = f"{name}\n{size}\n{base64.b64encode(root_hash).decode()}\n"
    raw = KEYS["vault-log"].public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signature = h(name.encode(), b"\n\1", raw)[:4] + KEYS["vault-log"].sign(text.encode())
    return f"{text}\n\u2014 {name} {base64.b64encode(signature).decode()}\n"


# --- Statements ---

def jws(kind, payload, key):
    alg = "EdDSA" if key.endswith("-log") else "PS256"
    header = {"alg": alg, "typ": f"sat-{kind}+jws", "kid": KEY_ID[key].hex()}
    compact = [json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode() for part in (header, payload)]
    signing_input = ".".join(map(b64u, compact))
    message = signing_input.encode()
    signature = KEYS[key].sign(message) if alg == "EdDSA" else pss(KEYS[key], message, fixed(signing_input, 32))
    return signing_input + "." + b64u(signature), h(message)


def vkey(wallet, key):
    name = f"sat-vault/{wallet.hex()}"
    typed = b"\1" + KEYS[key].public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return f"{name}+{h(name.encode(), b'%c' % 10, typed)[:4].hex()}+{base64.b64encode(typed).decode()}"


def identity(who, kind):
    payload = {"v": 1, "wallet": WALLET[who].hex(), "kind": kind, "sign": b64u(spki(KEYS[f"{who}-sign"])),
               "kem": b64u(spki(KEYS[f"{who}-kem"])), "log": vkey(WALLET[who], f"{who}-log") if kind == "vault" else None,
               "seq": 0, "prev": None, "iat": 1790000000}
    return jws("identity", payload, f"{who}-sign")


def statements():
    out, leaves = [], []

    def make(kind, who, at, members, seen=None):
        vault = who == "vault"
        payload = {"v": 1, "iss": WALLET[who].hex(), "vault": WALLET["vault"].hex(),
                   "nonce": b64u(fixed(f"{kind} {at}", 16)), "iat": at, "seen": seen, **members}
        text, name = jws(kind, payload, f"{who}-log" if vault else f"{who}-sign")
        out.append({"type": kind, "signer": who, "payload": payload, "id": name.hex(), "jws": text})
        return text, name.hex()

    def leaf(kind, at, *texts):
        entry = "\n".join(["sat-leaf/1", kind, str(at), *texts]) + "\n"
        leaves.append({"entry": entry, "hash": h(b"\0", entry.encode()).hex()})
        return leaves[-1]["hash"]

    t = 1790000100
    image, preview = h(plaintext(70000)).hex(), {"sha256": h(b"preview").hex(), "bytes": 7, "media_type": "image/jpeg"}
    registration, registered = make("register", "artist", t, {
        "artwork": ARTWORK, "title": "Zwölf Boote im Nebel \U0001F6A3", "description": "Öl auf Holz,\n\"unfertig\"",
        "artist": "Ana Šarić", "creation_date": "2026-02-28", "file_path": "boote & nebel.tiff", "media_type": "image/tiff",
        "bytes": 70000, "width": 200, "height": 350, "sha256": image, "release": "preview", "preview": preview})
    first = leaf("register", t + 1, registration)
    make("receipt", "vault", t + 1, {"of": registered, "status": "registered", "copies": 2, "leaf": first})
    hold, _ = make("hold", "vault", t + 2, {"artwork": ARTWORK, "on": first, "reason": "a question of title"})
    leaf("hold", t + 2, hold)
    release, _ = make("release", "vault", t + 3, {"artwork": ARTWORK, "on": first, "reason": "answered"})
    leaf("release", t + 3, release)
    salt = fixed("text salt", 32)
    text = "May I?"
    commit = h(label("SAT/1 text", salt, text.encode())).hex()
    claim, claimed = make("claim", "collector", t + 10, {
        "artwork": ARTWORK, "head": first, "seq": 0, "owner": WALLET["artist"].hex(), "exp": t + 1000, "text_commit": commit})
    make("withdraw", "collector", t + 11, {"artwork": ARTWORK, "claim": claimed})
    make("answer", "artist", t + 12, {
        "artwork": ARTWORK, "head": first, "seq": 0, "claim": claimed, "to": WALLET["collector"].hex(), "answer": "no",
        "exp": None, "text_commit": None}, seen={"size": 3, "root": h(b"root").hex()})
    answer, answered = make("answer", "artist", t + 20, {
        "artwork": ARTWORK, "head": first, "seq": 0, "claim": claimed, "to": WALLET["collector"].hex(), "answer": "yes",
        "exp": t + 900, "text_commit": None})
    metadata = json.dumps({"name": "C", "contact": "", "wallet_address": WALLET["collector"].hex()}, separators=(",", ":"))
    meta_salt = fixed("metadata salt", 32)
    meta_commit = h(label("SAT/1 meta", meta_salt, metadata.encode())).hex()
    accept, accepted = make("accept", "collector", t + 30, {
        "artwork": ARTWORK, "head": first, "seq": 0, "claim": claimed, "answer": answered, "metadata_commit": meta_commit})
    second = leaf("transfer", t + 31, claim, answer, accept)
    make("receipt", "vault", t + 31, {"of": accepted, "status": "completed", "copies": 2, "leaf": second})
    hashes = [bytes.fromhex(entry["hash"]) for entry in leaves]
    make("head", "vault", t + 32, {"artwork": ARTWORK, "head": second, "seq": 1, "owner": WALLET["collector"].hex(),
                                   "leaves": 4, "size": 4, "root": root(hashes).hex()})
    identities = {who: dict(zip(["jws", "id"], identity(who, kind)))
                  for who, kind in [("vault", "vault"), ("artist", "user"), ("collector", "user")]}
    for entry in identities.values():
        entry["id"] = entry["id"].hex()
    return {
        "artwork": ARTWORK, "wallets": {who: w.hex() for who, w in WALLET.items()}, "identities": identities,
        "vault_key": vkey(WALLET["vault"], "vault-log"), "statements": out, "leaves": leaves,
        "checkpoints": [checkpoint(n, root(hashes[:n])) for n in range(len(hashes) + 1)],
        "commitments": [{"kind": "text", "salt": salt.hex(), "content": text, "commit": commit},
                        {"kind": "meta", "salt": meta_salt.hex(), "content": metadata, "commit": meta_commit}],
    }


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


write("envelope.json", {"plaintext": "byte i is (31 * i + floor(i / 251)) mod 256", "envelopes": [
    *(envelope(length, "vault", "vault-kem", "transit") for length in (0, 1, 16383, 16384, 16385, 70000)),
    envelope(70000, "vault", "vault-store", "store"),
    envelope(70000, "collector", "collector-kem", "transit"),
]})
write("statements.json", statements())
write("merkle.json", tree([h(b"\0", bytes([i])) for i in range(17)]))
