"""What rederive.py needs and Python's standard library lacks.

Deterministic CBOR, AES-256-GCM, edwards25519, ristretto255 and the OPRF of RFC
9497, each written from its standard and as short as that allows. Nothing here
resists timing attacks: it is for reading, and for opening the worked example.
"""
import hashlib
import hmac
import struct


def u16(n): return struct.pack(">H", n)
def u32(n): return struct.pack(">I", n)
def u64(n): return struct.pack(">Q", n)
def sha256(*parts): return hashlib.sha256(b"".join(parts)).digest()
def sha512(*parts): return hashlib.sha512(b"".join(parts)).digest()
def hmac256(key, data): return hmac.new(key, data, hashlib.sha256).digest()


def cbor_head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    size = next(size for size in (1, 2, 4, 8) if n < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + n.to_bytes(size, "big")


def cbor(v):
    """Deterministic CBOR of unsigned integers (booleans are 0 and 1), byte strings, texts, arrays."""
    if isinstance(v, int):
        return cbor_head(0, int(v))
    if isinstance(v, bytes):
        return cbor_head(2, len(v)) + v
    if isinstance(v, str):
        return cbor_head(3, len(v.encode())) + v.encode()
    return cbor_head(4, len(v)) + b"".join(map(cbor, v))


def uncbor(b):
    """Reads what cbor writes; encoding the result again shows that it was deterministic."""
    def item(at):
        major, n, at = b[at] >> 5, b[at] & 31, at + 1
        if n >= 24:
            size = 1 << (n - 24)
            n, at = int.from_bytes(b[at:at + size], "big"), at + size
        if major == 0:
            return n, at
        if major in (2, 3):
            v = b[at:at + n]
            return (v if major == 2 else v.decode()), at + n
        values = []
        for _ in range(n):
            v, at = item(at)
            values.append(v)
        return values, at
    value, end = item(0)
    if end != len(b) or cbor(value) != b:
        raise ValueError("not deterministic CBOR")
    return value


# --- AES-256-GCM (FIPS 197, SP 800-38D), opening only, nonce of zeros -------


def _sbox():
    box, p, q = [0] * 256, 1, 1
    while True:
        p ^= (p << 1) & 255 ^ (0x1B if p & 128 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift & 255
        q ^= 0x09 if q & 128 else 0
        x = q
        for turn in (1, 2, 3, 4):
            x ^= (q << turn | q >> (8 - turn)) & 255
        box[p] = x ^ 0x63
        if p == 1:
            box[0] = 0x63
            return box


SBOX = _sbox()


def double(a): return (a << 1) & 255 ^ (0x1B if a & 128 else 0)


def aes_schedule(key):
    words = [list(key[i:i + 4]) for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        w = words[-1]
        if i % 8 == 0:
            w = [SBOX[x] for x in w[1:] + w[:1]]
            w[0] ^= rcon
            rcon = double(rcon)
        elif i % 8 == 4:
            w = [SBOX[x] for x in w]
        words.append([a ^ b for a, b in zip(w, words[-8])])
    return [sum(words[i:i + 4], []) for i in range(0, 60, 4)]


def aes_block(schedule, block):
    s = [a ^ b for a, b in zip(block, schedule[0])]
    for number, key in enumerate(schedule[1:], 1):
        s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]  # SubBytes and ShiftRows
        if number < 14:
            mixed = []
            for c in range(0, 16, 4):
                col = s[c:c + 4]
                every = col[0] ^ col[1] ^ col[2] ^ col[3]
                mixed += [col[i] ^ every ^ double(col[i] ^ col[(i + 1) % 4]) for i in range(4)]
            s = mixed
        s = [a ^ b for a, b in zip(s, key)]
    return bytes(s)


def ghash(h, data):
    h, y = int.from_bytes(h, "big"), 0
    for at in range(0, len(data), 16):
        x, z, v = y ^ int.from_bytes(data[at:at + 16], "big"), 0, h
        for bit in range(127, -1, -1):
            z ^= v if x >> bit & 1 else 0
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def padded(data): return data + bytes(-len(data) % 16)


def gcm_open(key, sealed, additional):
    """Returns the plaintext, or None if the tag does not fit."""
    schedule = aes_schedule(key)
    text, tag = sealed[:-16], sealed[-16:]
    lengths = u64(8 * len(additional)) + u64(8 * len(text))
    digest = ghash(aes_block(schedule, bytes(16)), padded(additional) + padded(text) + lengths)
    stream = b"".join(aes_block(schedule, bytes(12) + u32(i + 1)) for i in range(len(text) // 16 + 2))
    want = bytes(a ^ b for a, b in zip(digest, stream))
    return bytes(a ^ b for a, b in zip(text, stream[16:])) if want == tag else None


# --- edwards25519 (RFC 8032) and ristretto255 (RFC 9496) --------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
I = pow(2, (P - 1) // 4, P)


def negative(x): return x % P & 1
def absolute(x): return -x % P if negative(x) else x % P


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    c, d = 2 * D * a[3] * b[3], 2 * a[2] * b[2]
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(k, point):
    total = (0, 1, 1, 0)
    for bit in bin(k)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def sqrt_ratio(u, v):
    """RFC 9496 section 4.2: (u/v is square, the non-negative root of u/v or of i*u/v)."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    if check in (-u % P, -u * I % P):
        r = r * I % P
    return check in (u % P, -u % P), absolute(r)


def ed_point(b):
    y = int.from_bytes(b, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square, x = sqrt_ratio((y * y - 1) % P, (D * y * y + 1) % P)
    if not square or y >= P:
        raise ValueError("not a point")
    x = -x % P if x & 1 != sign else x
    return x, y, 1, x * y % P


def ed_bytes(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = ed_point(bytes([0x58] + [0x66] * 31))


def ed_scalar(secret):
    h = bytearray(sha512(secret)[:32])
    h[0], h[31] = h[0] & 248, h[31] & 127 | 64
    return int.from_bytes(h, "little")


def ed_public(secret):
    return ed_bytes(mul(ed_scalar(secret), BASE))


def ed_sign(secret, message):
    r = int.from_bytes(sha512(sha512(secret)[32:], message), "little") % L
    first = ed_bytes(mul(r, BASE))
    k = int.from_bytes(sha512(first, ed_public(secret), message), "little")
    return first + ((r + k * ed_scalar(secret)) % L).to_bytes(32, "little")


def ed_verify(public, message, signature):
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(sha512(signature[:32], public, message), "little") % L
    left, right = mul(s, BASE), add(ed_point(signature[:32]), mul(k, ed_point(public)))
    return s < L and ed_bytes(left) == ed_bytes(right)


INVSQRT_A_MINUS_D = sqrt_ratio(1, (-1 - D) % P)[1]
SQRT_AD_MINUS_ONE = -sqrt_ratio((-D - 1) % P, 1)[1] % P  # RFC 9496 section 4.1 names the odd root


def ristretto_decode(b):
    s = int.from_bytes(b, "little")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, root = sqrt_ratio(1, v * u2 * u2 % P)
    x = absolute(2 * s * root * u2)
    y = u1 * root * root * u2 * v % P
    if s >= P or s & 1 or not square or negative(x * y) or y == 0:
        raise ValueError("not a ristretto255 element")
    return x, y, 1, x * y % P


def ristretto_encode(point):
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y) % P, x * y % P
    root = sqrt_ratio(1, u1 * u2 * u2 % P)[1]
    d1, d2 = root * u1 % P, root * u2 % P
    inverse = d1 * d2 * t % P
    if negative(t * inverse):
        x, y, d2 = y * I % P, x * I % P, d1 * INVSQRT_A_MINUS_D % P
    if negative(x * inverse):
        y = -y % P
    return absolute(d2 * (z - y)).to_bytes(32, "little")


def elligator(b):
    t = int.from_bytes(b, "little") & (1 << 255) - 1
    r = I * t * t % P
    u, v = (r + 1) * (1 - D * D) % P, (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    if not square:
        s = -absolute(s * t)
    c = -1 if square else r
    n = (c * (r - 1) * pow(D - 1, 2, P) - v) % P
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def expand_message(message, dst, size=64):
    """expand_message_xmd with SHA-512, RFC 9380 section 5.3.1, up to 64 bytes."""
    dst += bytes([len(dst)])
    first = sha512(bytes(128), message, u16(size), b"\0", dst)
    return sha512(first, b"\1", dst)[:size]


def hash_to_scalar(message, dst):
    return int.from_bytes(expand_message(message, dst), "little") % L


# --- The OPRF (RFC 9497, ristretto255-SHA512, base mode) and its proofs -----

OPRF_CONTEXT = b"OPRFV1-\0-ristretto255-SHA512"


def oprf_element(value):
    uniform = expand_message(value, b"HashToGroup-" + OPRF_CONTEXT)
    return add(elligator(uniform[:32]), elligator(uniform[32:]))


def oprf_output(key, value):
    element = ristretto_encode(mul(key, oprf_element(value)))
    return sha512(u16(len(value)), value, u16(32), element, b"Finalize")


def with_lengths(*parts): return b"".join(u16(len(p)) + p for p in parts)


def proof_holds(holder_key, elements, evaluated, dst, proof):
    """docs/PROTOCOL.md "Proofs"."""
    c, s = int.from_bytes(proof[:32], "little"), int.from_bytes(proof[32:], "little")
    scalar_dst = b"HashToScalar-" + dst
    start = sha512(with_lengths(holder_key, b"Seed-" + dst))
    m = z = (0, 1, 1, 0)
    for i, (before, after) in enumerate(zip(elements, evaluated)):
        weight = hash_to_scalar(with_lengths(start) + u16(i) + with_lengths(before, after) + b"Composite", scalar_dst)
        m = add(m, mul(weight, ristretto_decode(before)))
        z = add(z, mul(weight, ristretto_decode(after)))
    t2 = add(mul(s, BASE), mul(c, ristretto_decode(holder_key)))
    t3 = add(mul(s, m), mul(c, z))
    points = [ristretto_encode(BASE), holder_key] + [ristretto_encode(p) for p in (m, z, t2, t3)]
    return c == hash_to_scalar(with_lengths(*points) + b"Challenge", scalar_dst)
