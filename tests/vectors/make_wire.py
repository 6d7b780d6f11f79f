#!/usr/bin/env python3
"""Makes frames.json, handshake.json and records.json from docs/protocol.md and the keys in keys/.

It shares no line with the library: RSA is pow(), OAEP, PSS and HKDF are written out after RFC 8017 and RFC 5869;
X25519, Ed25519, AES-256-GCM and the reading of PEM are the `cryptography` package's.  Seeds and salts are fixed, so
that it makes the same files each time.  Not needed to build or to test.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).resolve().parent


def H(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def extract(salt, ikm):
    return mac(salt, ikm)


def expand(prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([counter]))
        out += block
        counter += 1
    return out[:length]


def label(name, context=b""):
    return name.encode() + b"\0" + context


def vec16(data):
    return struct.pack(">H", len(data)) + data


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def mgf1(seed, length):
    out = b""
    for counter in range((length + 31) // 32):
        out += H(seed + struct.pack(">I", counter))
    return out[:length]


class Rsa:
    def __init__(self, name):
        pem = (HERE / "keys" / f"test-{name}.pem").read_bytes()
        key = ser.load_pem_private_key(pem, None)
        numbers = key.private_numbers()
        self.n, self.e, self.d = numbers.public_numbers.n, numbers.public_numbers.e, numbers.d
        self.size = (self.n.bit_length() + 7) // 8
        self.spki = key.public_key().public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
        self.id = H(self.spki)

    def oaep(self, message, oaep_label, seed):  # RFC 8017, 7.1.1
        block = H(oaep_label) + bytes(self.size - len(message) - 66) + b"\1" + message
        masked = xor(block, mgf1(seed, len(block)))
        em = b"\0" + xor(seed, mgf1(masked, 32)) + masked
        return pow(int.from_bytes(em, "big"), self.e, self.n).to_bytes(self.size, "big")

    def pss(self, message, salt):  # RFC 8017, 9.1.1; the modulus has a multiple of 8 bits
        digest = H(bytes(8) + H(message) + salt)
        block = bytes(self.size - len(salt) - 34) + b"\1" + salt
        masked = bytearray(xor(block, mgf1(digest, len(block))))
        masked[0] &= 0x7F
        em = bytes(masked) + digest + b"\xbc"
        return pow(int.from_bytes(em, "big"), self.d, self.n).to_bytes(self.size, "big")


def identity(kind, sign, kem, log, salt):
    header = {"alg": "PS256", "typ": "sat-identity+jws", "kid": sign.id.hex()}
    payload = {"v": 1, "wallet": sign.id.hex(), "kind": kind, "sign": b64u(sign.spki), "kem": b64u(kem.spki),
               "log": log, "seq": 0, "prev": None, "iat": 1790000000}
    signing_input = b64u(compact(header)) + "." + b64u(compact(payload))
    return signing_input + "." + b64u(sign.pss(signing_input.encode(), salt))


def vkey(wallet):
    key = ser.load_pem_private_key((HERE / "keys" / "test-vault-log.pem").read_bytes(), None)
    raw = key.public_key().public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)
    name = f"sat-vault/{wallet.hex()}"
    short = H(name.encode() + b"\n\1" + raw)[:4].hex()
    return f"{name}+{short}+{base64.b64encode(bytes([1]) + raw).decode()}"


def seal(material, aad, plaintext, counter=0):
    nonce = xor(material[32:], bytes(4) + struct.pack(">Q", counter))
    return AESGCM(material[:32]).encrypt(nonce, plaintext, aad)


def frame(body):
    return struct.pack(">I", len(body)) + body


def chain(documents):
    return bytes([len(documents)]) + b"".join(vec16(d.encode()) for d in documents)


def kem_secret(m, key, ct, kem_label):
    return expand(extract(b"SAT/1 kem", m), key.id + H(ct) + kem_label, 32)


def handshake():
    v_sign, v_kem, c_sign, c_kem = (Rsa(n) for n in ("vault-sign", "vault-kem", "collector-sign", "collector-kem"))
    vault_chain = [identity("vault", v_sign, v_kem, vkey(v_sign.id), bytes([0x21] * 32))]
    client_chain = [identity("user", c_sign, c_kem, None, bytes([0x22] * 32))]
    m_c, m_v = bytes([0x31] * 32), bytes([0x32] * 32)
    esk_c, esk_v = bytes([0x41] * 32), bytes([0x42] * 32)
    raw = (ser.Encoding.Raw, ser.PublicFormat.Raw)
    epk_c = X25519PrivateKey.from_private_bytes(esk_c).public_key().public_bytes(*raw)
    epk_v = X25519PrivateKey.from_private_bytes(esk_v).public_key().public_bytes(*raw)
    client_ext = compact({"agent": "sat-vectors/1"})
    server_ext = compact({"time": 1790000001, "limits": {"artwork_bytes": 4294967296, "preview_bytes": 65536},
                          "checkpoint": None})
    finished_ext = compact({"seen": None})

    ident = frame(b"\x02" + chain(vault_chain))
    P = label("SATP/1 RSAOAEP256-X25519-HKDFSHA256-A256GCM", v_sign.id + H(ident))

    L_v = label("SAT/1 kem c2v", v_sign.id)
    ct_v = v_kem.oaep(m_c, L_v, bytes([0x51] * 32))
    ss_v = kem_secret(m_c, v_kem, ct_v, L_v)
    ES = extract(bytes(32), ss_v)
    plain_id = chain(client_chain) + vec16(client_ext)
    front = b"\x03SATP\x01\x00\x00\x01" + v_kem.id + epk_c + vec16(ct_v)
    front = struct.pack(">I", len(front) + 2 + len(plain_id) + 16) + front
    th_1a = H(P + front)
    k_id = expand(ES, label("SAT/1 c id", th_1a), 44)
    CH = front + vec16(seal(k_id, th_1a, plain_id))
    th_1 = H(P + CH)

    dh = X25519PrivateKey.from_private_bytes(esk_v).exchange(X25519PublicKey.from_public_bytes(epk_c))
    HS = extract(expand(ES, label("SAT/1 derived"), 32), dh)
    L_c = label("SAT/1 kem v2c", c_sign.id + th_1)
    ct_c = c_kem.oaep(m_v, L_c, bytes([0x52] * 32))
    ss_c = kem_secret(m_v, c_kem, ct_c, L_c)
    MS = extract(expand(HS, label("SAT/1 derived"), 32), ss_c)
    front = b"\x04" + epk_v + vec16(ct_c)
    front = struct.pack(">I", len(front) + 2 + 32 + 2 + len(server_ext) + 16) + front
    known = P + CH + c_sign.id + c_kem.id
    th_2a = H(known + front)
    server_finished = mac(expand(MS, label("SAT/1 s fin", th_2a), 32), th_2a)
    k_shs = expand(MS, label("SAT/1 s hs", th_2a), 44)
    SH = front + vec16(seal(k_shs, th_2a, server_finished + vec16(server_ext)))
    th_2 = H(known + SH)

    client_finished = mac(expand(MS, label("SAT/1 c fin", th_2), 32), th_2)
    k_chs = expand(MS, label("SAT/1 c hs", th_2), 44)
    CF = frame(b"\x05" + vec16(seal(k_chs, th_2, client_finished + vec16(finished_ext))))
    th_3 = H(known + SH + CF)
    c_ap_0 = expand(MS, label("SAT/1 c ap", th_3), 32)
    s_ap_0 = expand(MS, label("SAT/1 s ap", th_3), 32)
    return {
        "note": "a whole handshake; keys/test-*.pem are its keys; client_m is wrapped in ct_v, vault_m in ct_c; binary in hex",
        "inputs": {
            "vault_chain": vault_chain, "client_chain": client_chain,
            "client_ephemeral": esk_c.hex(), "client_m": m_c.hex(), "ct_v": ct_v.hex(),
            "vault_ephemeral": esk_v.hex(), "vault_m": m_v.hex(), "ct_c": ct_c.hex(),
            "client_ext": client_ext.decode(), "server_ext": server_ext.decode(), "finished_ext": finished_ext.decode(),
        },
        "values": {
            "vault_wallet": v_sign.id.hex(), "vault_kem_id": v_kem.id.hex(),
            "client_wallet": c_sign.id.hex(), "client_kem_id": c_kem.id.hex(),
            "P": P.hex(), "L_v": L_v.hex(), "L_c": L_c.hex(),
            "th_1a": th_1a.hex(), "th_1": th_1.hex(), "th_2a": th_2a.hex(), "th_2": th_2.hex(), "th_3": th_3.hex(),
            "ss_v": ss_v.hex(), "dh": dh.hex(), "ss_c": ss_c.hex(), "ES": ES.hex(), "HS": HS.hex(), "MS": MS.hex(),
            "k_id_iv_id": k_id.hex(), "k_shs_iv_shs": k_shs.hex(), "k_chs_iv_chs": k_chs.hex(),
            "server_finished": server_finished.hex(), "client_finished": client_finished.hex(),
            "c_ap_0": c_ap_0.hex(), "s_ap_0": s_ap_0.hex(),
        },
        "frames": {"identity": ident.hex(), "client_hello": CH.hex(), "server_hello": SH.hex(),
                   "client_finished": CF.hex()},
    }


REQUEST, RESPONSE, EVENT, DATA, DATA_END, KEY_UPDATE, PING, PONG, CLOSE = 16, 17, 18, 19, 20, 23, 24, 25, 31


def inner(kind, body, flags=0, pad=None, fill=b"\0"):
    if pad is None:
        pad = 0 if kind == DATA else -(4 + len(body)) % 256
    return struct.pack(">BBH", kind, flags, pad) + body + fill * pad


def sealed_record(secret, sequence, plaintext):
    material = expand(secret, label("SAT/1 key"), 44)
    length = struct.pack(">I", len(plaintext) + 16)
    return length + seal(material, length, plaintext, sequence)


def pattern(size):
    return bytes(i % 251 for i in range(size))


def records():
    secret = bytes([0x61] * 32)
    epochs, opened = [], []
    s = secret
    for epoch in range(3):
        epochs.append({"secret": s.hex(), "key_and_iv": expand(s, label("SAT/1 key"), 44).hex()})
        s = expand(s, label("SAT/1 upd"), 32)
    full = 66556
    stream = [  # epoch, from the vault unless it is a REQUEST
        (0, PING, b"", 0), (0, PONG, b"", 0), (0, RESPONSE, b'{"ok":true,"r":{}}', 0),
        (0, EVENT, pattern(251), 0), (0, EVENT, pattern(252), 0), (0, EVENT, pattern(253), 0),
        (0, RESPONSE, pattern(full), 1), (0, RESPONSE, b"the rest", 0),
        (0, DATA, b"\x7f", 0), (0, DATA, pattern(65600), 0), (0, DATA_END, struct.pack(">Q", 65601), 0),
        (0, KEY_UPDATE, b"", 0), (1, PING, b"", 0), (1, KEY_UPDATE, b"", 0), (2, DATA, pattern(16), 0),
        (2, CLOSE, struct.pack(">H", 0), 0),
    ]
    sequence, last = 0, 0
    for epoch, kind, body, flags in stream:
        sequence = sequence if epoch == last else 0
        last = epoch
        f = sealed_record(bytes.fromhex(epochs[epoch]["secret"]), sequence, inner(kind, body, flags))
        entry = {"epoch": epoch, "sequence": sequence, "type": kind, "more": bool(flags)}
        if len(body) > 1024:
            entry |= {"pattern": len(body), "frame_sha256": H(f).hex(), "frame_size": len(f)}
        else:
            entry |= {"body": body.hex(), "frame": f.hex()}
        opened.append(entry)
        sequence += 1

    def wrong(name, code, plaintext, **how):
        f = bytearray(sealed_record(secret, how.get("sequence", 0), plaintext))
        for at, value in how.get("edit", []):
            f[at] ^= value
        return {"name": name, "error": code, "frame": bytes(f[:how["cut"]] if "cut" in how else f).hex()}

    ping = inner(PING, b"")
    refused = [
        wrong("a type of no version", "unexpected", inner(0x15, b"")),
        wrong("type zero", "unexpected", inner(0, b"")),
        wrong("a clear frame's type", "unexpected", inner(3, b"")),
        wrong("REQUEST from the vault", "unexpected", inner(REQUEST, b"{}")),
        wrong("flag bit 1", "unexpected", inner(RESPONSE, b"{}", flags=2)),
        wrong("flag bit 7", "unexpected", inner(RESPONSE, b"{}", flags=0x81)),
        wrong("DATA that goes on", "unexpected", inner(DATA, b"x", flags=1)),
        wrong("PING that goes on", "unexpected", inner(PING, b"", flags=1)),
        wrong("no padding", "malformed", inner(PING, b"", pad=0)),
        wrong("a block of padding too many", "malformed", inner(PING, b"", pad=508)),
        wrong("padding of ones", "malformed", inner(PING, b"", fill=b"\1")),
        wrong("one padding byte not zero", "malformed", ping[:-1] + b"\1"),
        wrong("pad_len past the record", "malformed", struct.pack(">BBH", PING, 0, 253) + bytes(252)),
        wrong("pad_len of 65535", "malformed", struct.pack(">BBH", PING, 0, 65535) + bytes(252)),
        wrong("DATA with padding", "malformed", inner(DATA, b"xyz", pad=1)),
        wrong("DATA without a byte", "malformed", inner(DATA, b"")),
        wrong("DATA_END of 7 bytes", "malformed", inner(DATA_END, bytes(7))),
        wrong("DATA_END of 9 bytes", "malformed", inner(DATA_END, bytes(9))),
        wrong("CLOSE of 1 byte", "malformed", inner(CLOSE, b"\0")),
        wrong("CLOSE of 3 bytes", "malformed", inner(CLOSE, bytes(3))),
        wrong("PING with a body", "malformed", inner(PING, b"x")),
        wrong("PONG with a body", "malformed", inner(PONG, b"x")),
        wrong("KEY_UPDATE with a body", "malformed", inner(KEY_UPDATE, b"x")),
        wrong("the next sequence number", "malformed", ping, sequence=1),
        wrong("a flipped bit of the ciphertext", "malformed", ping, edit=[(4, 1)]),
        wrong("a flipped bit of the tag", "malformed", ping, edit=[(275, 0x80)]),
        wrong("a length that is not the frame's", "malformed", ping, edit=[(3, 1)]),
        wrong("cut off", "malformed", ping, cut=275),
    ]
    return {"note": "records from the vault under one secret, in order, then ones that a fresh opener refuses; a body named "
                    "by `pattern` has that many bytes, byte i being i mod 251",
            "epochs": epochs, "opened": opened, "refused": refused}


def frames():
    def case(name, phase, data, result, size=None):
        entry = {"name": name, "phase": phase, "bytes": data.hex(), "result": result}
        return entry | ({"size": size} if size is not None else {})

    def header(n, more=b""):
        return struct.pack(">I", n) + more

    cases = [
        case("nothing", "handshake", b"", "incomplete"),
        case("three bytes of the length", "handshake", b"\0\0\0", "incomplete"),
        case("a length of zero", "handshake", header(0), "malformed"),
        case("the smallest frame", "handshake", header(1, b"\x02"), "ok", 1),
        case("an alert", "handshake", header(3, b"\x06\x00\x06"), "ok", 3),
        case("one byte short", "handshake", header(3, b"\x06\x00"), "incomplete"),
        case("the largest length", "handshake", header(16384), "incomplete", 16384),
        case("one past the largest length", "handshake", header(16385), "too_large"),
        case("2^31 - 1", "handshake", header(2**31 - 1), "too_large"),
        case("2^32 - 1", "handshake", header(2**32 - 1), "too_large"),
        case("little-endian by mistake", "handshake", b"\3\0\0\0\6\0\6", "too_large"),
        case("a length of zero", "record", header(0), "malformed"),
        case("a clear alert", "record", header(3, b"\x06\x00\x06"), "malformed"),
        case("one below the smallest record", "record", header(19), "malformed"),
        case("the smallest record", "record", header(20, bytes(20)), "ok", 20),
        case("the largest record", "record", header(66576), "incomplete", 66576),
        case("one past the largest record", "record", header(66577), "too_large"),
        case("2^32 - 1", "record", header(2**32 - 1), "too_large"),
    ]
    alerts = [{"code": code, "frame": header(3, b"\x06" + struct.pack(">H", code)).hex()} for code in range(1, 11)]
    return {"note": "what a decoder says after these bytes and no more", "cases": cases, "alerts": alerts}


for name, value in (("frames", frames()), ("handshake", handshake()), ("records", records())):
    (HERE / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n")
