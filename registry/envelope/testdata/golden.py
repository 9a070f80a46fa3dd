#!/usr/bin/env python3
"""Writes golden.json: an envelope put together from docs/PROTOCOL.md alone.

Hashes are Python's, AES-GCM and HKDF those of the "cryptography" package.
Signatures and wraps are patterns: their bytes are checked elsewhere.
"""
import hashlib
import json
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand


def head(major, n):
    for width, info, limit in ((1, 24, 1 << 8), (2, 25, 1 << 16), (4, 26, 1 << 32), (8, 27, 1 << 64)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < limit:
            return bytes([major << 5 | info]) + n.to_bytes(width, "big")


def cbor(v):
    if isinstance(v, int):
        return head(0, v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    return head(4, len(v)) + b"".join(cbor(x) for x in v)


def sha(label, *parts):
    return hashlib.sha256(b"raresync/v1/" + label + b"\0" + b"".join(parts)).digest()


def expand(key, info, size):
    return HKDFExpand(hashes.SHA256(), size, info).derive(key)


network = bytes(range(32))
hospital, sequence, attempt = 7, 300, 2
ctx = network + struct.pack(">IQI", hospital, sequence, attempt)
keks = {b"c": b"\x11" * 32, b"g": b"\x22" * 32}


def body(place, part, salt, plaintext):
    info = b"raresync/v1/dek\0" + ctx + struct.pack(">I", place) + part + salt
    size = 512
    while size < len(plaintext) + 4:
        size *= 2
    padded = (struct.pack(">I", len(plaintext)) + plaintext).ljust(size, b"\0")
    aad = ctx + struct.pack(">I", place) + part
    sealed = AESGCM(expand(keks[part], info, 32)).encrypt(bytes(12), padded, aad)
    return [salt, expand(keks[part], b"raresync/v1/tag\0" + salt, 16), sealed]


bodies = [
    body(0, b"c", b"\x33" * 32, b"a clinical entry"),
    body(1, b"g", b"\x44" * 32, b"a genetic entry" * 40),
]
commitments = [sha(b"body", ctx, struct.pack(">I", i), *b) for i, b in enumerate(bodies)]
wraps = [
    [bytes([0x50 + i]) * 32 if i < 2 else b"", bytes((i + j) % 256 for j in range(1200))] for i in range(4)
]
header = cbor([
    1, 1, 1, network, hospital, b"\x66" * 32, sequence, attempt, b"\x77" * 32, 1_790_000_000_123, 42,
    len(bodies), sha(b"bodies", *commitments),
    sha(b"kek", ctx, b"c", keks[b"c"]), sha(b"kek", ctx, b"g", keks[b"g"]), wraps,
])
identity = sha(b"envelope-id", header)
log_time = 1_790_000_000_456
leaves = [
    bytes([1, 1]) + struct.pack(">IQIQ", hospital, sequence, i, log_time) + identity + c
    for i, c in enumerate(commitments)
]
envelope = cbor([header, b"\x88" * 64, b"\x99" * 3309, bodies])
print(json.dumps({
    "header": header.hex(), "id": identity.hex(), "log_time": log_time,
    "commitments": [c.hex() for c in commitments], "leaves": [l.hex() for l in leaves],
    "envelope": envelope.hex(),
}, indent=1))
