"""Derives golden.json of this folder from docs/PROTOCOL.md, without Go.

Needs Python's cryptography package with ML-KEM (OpenSSL 3.5 or later).
ML-KEM encapsulation is randomised, so each run gives another wrap that opens.

    python3 golden.py > golden.json
"""
import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(key, info, size):
    """HKDF-Expand with SHA-256, RFC 5869 section 2.3."""
    block = out = b""
    counter = 1
    while len(out) < size:
        block = hmac256(key, block + info + bytes([counter]))
        out += block
        counter += 1
    return out[:size]


NETWORK, HOSPITAL, SEQUENCE, ATTEMPT = bytes(range(32)), 7, 12, 3
CTX = NETWORK + struct.pack(">IQI", HOSPITAL, SEQUENCE, ATTEMPT)
KEK_C = bytes(0xC0 + i % 16 for i in range(32))
KEK_G = bytes(0x60 + i % 16 for i in range(32))
COMMIT_C = sha256(b"raresync/v1/kek\0" + CTX + b"c" + KEK_C)
COMMIT_G = sha256(b"raresync/v1/kek\0" + CTX + b"g" + KEK_G)


def body(place, part, kek, size):
    salt = bytes((place * 64 + i) & 255 for i in range(32))
    at = struct.pack(">I", place)
    plaintext = bytes((i * 7 + place) & 255 for i in range(size))
    padded_size = 512
    while padded_size < size + 4:
        padded_size *= 2
    padded = (struct.pack(">I", size) + plaintext).ljust(padded_size, b"\0")
    dek = expand(kek, b"raresync/v1/dek\0" + CTX + at + part + salt, 32)
    ciphertext = AESGCM(dek).encrypt(bytes(12), padded, CTX + at + part)
    tag = expand(kek, b"raresync/v1/tag\0" + salt, 16)
    commitment = sha256(b"raresync/v1/body\0" + CTX + at + salt + tag + ciphertext)
    return {
        "place": place, "part": part.hex(), "salt": salt.hex(), "plaintext": plaintext.hex(),
        "tag": tag.hex(), "ciphertext": ciphertext.hex(), "commitment": commitment.hex(),
    }


# X-Wing (draft-connolly-cfrg-xwing-kem) under HPKE base mode (RFC 9180).
READER_SEED = bytes(range(100, 132))
_expanded = hashlib.shake_256(READER_SEED).digest(96)
READER_M = mlkem.MLKEM768PrivateKey.from_seed_bytes(_expanded[:64]).public_key()
READER_X = x25519.X25519PrivateKey.from_private_bytes(_expanded[64:]).public_key()
READER_PUBLIC = READER_M.public_bytes_raw() + READER_X.public_bytes_raw()
READER_ID = sha256(b"raresync/v1/sealing-key\0" + READER_PUBLIC)
SUITE = b"HPKE" + struct.pack(">HHH", 0x647A, 1, 2)


def encapsulate():
    shared_m, cipher_m = READER_M.encapsulate()
    ephemeral = x25519.X25519PrivateKey.from_private_bytes(bytes(range(200, 232)))
    cipher_x = ephemeral.public_key().public_bytes_raw()
    shared_x = ephemeral.exchange(READER_X)
    label = b"\\.//^\\"
    shared = hashlib.sha3_256(shared_m + shared_x + cipher_x + READER_X.public_bytes_raw() + label)
    return shared.digest(), cipher_m + cipher_x


def labeled_extract(salt, label, ikm):
    return hmac256(salt or bytes(32), b"HPKE-v1" + SUITE + label + ikm)


def labeled_expand(key, label, info, size):
    return expand(key, struct.pack(">H", size) + b"HPKE-v1" + SUITE + label + info, size)


def wrap(plaintext, info):
    shared, enc = encapsulate()
    schedule = b"\0" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")
    key = labeled_expand(secret, b"key", schedule, 32)
    nonce = labeled_expand(secret, b"base_nonce", schedule, 12)
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


bodies = [body(0, b"c", KEK_C, 1), body(1, b"g", KEK_G, 508), body(2, b"c", KEK_C, 509)]
commitments = b"".join(bytes.fromhex(b["commitment"]) for b in bodies)
json.dump({
    "source": "golden.py beside this file",
    "network": NETWORK.hex(),
    "hospital": HOSPITAL,
    "sequence": SEQUENCE,
    "attempt": ATTEMPT,
    "kek_clinical": KEK_C.hex(),
    "kek_genetic": KEK_G.hex(),
    "commit_clinical": COMMIT_C.hex(),
    "commit_genetic": COMMIT_G.hex(),
    "bodies": bodies,
    "bodies_hash": sha256(b"raresync/v1/bodies\0" + commitments).hex(),
    "reader_seed": READER_SEED.hex(),
    "reader_public": READER_PUBLIC.hex(),
    "reader_id": READER_ID.hex(),
    "wrap": wrap(KEK_C + KEK_G, b"raresync/v1/wrap\0" + CTX + READER_ID + COMMIT_C + COMMIT_G).hex(),
}, sys.stdout, indent=1)
