"""Derives golden.json of this folder from docs/PROTOCOL.md, without Go.

Needs Python's cryptography package with ML-DSA (OpenSSL 3.5 or later).
ML-DSA signatures are randomised, so each run gives other bytes that verify.

    python3 golden.py > golden.json
"""
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SEED_ED25519, SEED_MLDSA = bytes(range(32)), bytes(range(32, 64))
MESSAGE = b"an envelope header"
LABELS = {
    "raresync/v1/entries": 1,
    "raresync/v1/act": 1,
    "raresync/v1/approval": 1,
    "raresync/v1/toprf-request": 2,
    "raresync/v1/toprf-response": 3,
}

ed = ed25519.Ed25519PrivateKey.from_private_bytes(SEED_ED25519)
ml44 = mldsa.MLDSA44PrivateKey.from_seed_bytes(SEED_MLDSA)
ml65 = mldsa.MLDSA65PrivateKey.from_seed_bytes(SEED_MLDSA)


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(purpose):
    second = spki(ml65) if purpose <= 3 else spki(ml44) if purpose == 4 else b""
    return hashlib.sha256(b"raresync/v1/key-id\0" + bytes([purpose]) + spki(ed) + second).hexdigest()


def signature(label, purpose):
    digest, name = hashlib.sha512(MESSAGE).digest(), label.encode()
    return {
        "label": label,
        "purpose": purpose,
        "ed25519": ed.sign(name + b"\0" + digest).hex(),
        "mldsa": ml65.sign(digest, name).hex(),
    }


json.dump({
    "source": "golden.py beside this file",
    "seed_ed25519": SEED_ED25519.hex(),
    "seed_mldsa": SEED_MLDSA.hex(),
    "key_ids": {str(p): key_id(p) for p in range(1, 7)},
    "message": MESSAGE.hex(),
    "signatures": [signature(*item) for item in LABELS.items()],
}, sys.stdout, indent=1)
