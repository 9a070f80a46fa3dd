#!/usr/bin/env python3
"""Re-derives the worked example of docs/PROTOCOL.md without the project's code.

    python3 rederive.py [folder]

It starts from the seeds, the values under "Given" in example.json and the
random parts of the envelopes, computes every value under "Derived" and the
bytes of the envelopes again, and stops at the first difference with exit code
1. Python 3.11 and its standard library are enough.

Out of its reach: ML-DSA signatures are carried along, not verified; X-Wing
wraps are not opened, the two KEKs they hold are given; Argon2id is not in the
standard library, its output h is given. None of the arithmetic here resists
timing attacks. It is for reading.
"""
import base64
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # leave nothing behind in docs
from primitives import (BASE, L, cbor, ed_public, ed_sign, ed_verify, gcm_open, hash_to_scalar, hmac256, mul,
                        oprf_element, oprf_output, proof_holds, ristretto_decode, ristretto_encode, sha256, sha512,
                        u16, u32, u64, uncbor)


def seed(name): return sha256(b"raresync/example\0", name.encode())


class Different(Exception):
    pass


class Example:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        content = json.loads((self.folder / "example.json").read_text("utf-8"))
        self.given_values, self.wanted, self.count = content["Given"], dict(content["Derived"]), 0

    def given(self, name): return bytes.fromhex(self.given_values[name])
    def file(self, name): return (self.folder / name).read_bytes()
    def envelope(self, name): return bytes.fromhex(self.file(name).decode())

    def equal(self, what, got, want):
        if got != want:
            show = [v.hex() if isinstance(v, bytes) else v for v in (got, want)]
            raise Different(f"{what}: derived {show[0]}, the example says {show[1]}")
        self.count += 1

    def derive(self, name, got):
        self.equal(name, got.hex() if isinstance(got, bytes) else str(got), self.wanted.pop(name, None))


PURPOSES = {"envelope": 1, "request": 2, "response": 3, "cosign": 4, "log": 5, "tls": 6}
SPKI = {"ed25519": bytes.fromhex("302a300506032b6570032100"),
        "mldsa44": bytes.fromhex("30820532300b060960864801650304031103820521 00"),
        "mldsa65": bytes.fromhex("308207b2300b0609608648016503040312038207a1 00")}
SIZES = {"mldsa44": 1334, "mldsa65": 1974}
HOSPITAL, READER, VOTER, MIRROR = 1, 2, 1, 2
MEMBERS = [  # name, role, entity, names, province, lead, rights
    ("h1", HOSPITAL, "entity-1", "第一医院", "First Hospital", "11", True, 0),
    ("h2", HOSPITAL, "entity-2", "第二医院", "Second Hospital", "31", True, 0),
    ("h3", HOSPITAL, "entity-3", "第三医院", "Third Hospital", "44", True, 0),
    ("national", READER, "entity-4", "国家协调中心", "National Centre", "", False, 1 | 4),
    ("province", READER, "entity-5", "省级中心", "Province Centre", "11", False, 2),
]
GENESIS_TIME = 1_790_000_000_000
ENTRIES_TIME, ACT_TIME, COSIGN_TIME = GENESIS_TIME + 60_000, GENESIS_TIME + 50_000, 1_790_000_061
ZEROS = bytes(32)


def public_key(x, who, purpose, mldsa):
    """[purpose, SPKI, SPKI] from the seed of the first and the bytes of the second, and its id."""
    head = {1: "mldsa65", 2: "mldsa65", 3: "mldsa65", 4: "mldsa44"}.get(PURPOSES[purpose])
    if head and (not mldsa.startswith(SPKI[head]) or len(mldsa) != SIZES[head]):
        raise Different(f"{who}/{purpose}: not the SPKI of {head}")
    spki = SPKI["ed25519"] + ed_public(seed(f"{who}/{purpose}/ed25519"))
    number = PURPOSES[purpose]
    x.derive(f"key.{who}.{purpose}", sha256(b"raresync/v1/key-id\0", bytes([number]), spki, mldsa))
    return [number, spki, mldsa]


def verify(x, what, key, label, message, signature):
    """The Ed25519 half: label, a zero byte, SHA-512 of the message."""
    x.equal(what, ed_verify(key[1][12:], label + b"\0" + sha512(message), signature), True)


def key_id(key): return sha256(b"raresync/v1/key-id\0", bytes([key[0]]), key[1], key[2])


def roster(x, institutions, nodes):
    """Rebuilds the roster; of the founders' bytes only ML-DSA and sealing keys are taken."""
    built, built_nodes = [], []
    for i, (who, role, entity, zh, en, province, lead, rights) in enumerate(MEMBERS):
        keys = [public_key(x, who, p, institutions[i][6 + n][2]) for n, p in enumerate(PURPOSES, 1) if n <= 3]
        sealing = institutions[i][10]
        x.derive(f"key.{who}.sealing", sha256(b"raresync/v1/sealing-key\0", sealing))
        built.append([role, entity, zh, en, province, lead, rights, *keys, sealing])
        if who == "province":
            continue
        tls, log, cosign = (public_key(x, who, p, nodes[i][n][2]) for n, p in ((4, "tls"), (5, "log"), (6, "cosign")))
        addresses = [f"{who}.example.org:8470"] if role == HOSPITAL else []
        built_nodes.append([who, i + 1, VOTER if role == HOSPITAL else MIRROR, addresses, tls, log, cosign])
    return built, built_nodes


def stream(name, size):
    return b"".join(sha256(seed(name), u64(i)) for i in range(size // 32))


def oprf_record(x):
    """Deals 2 of 3: coefficients from 64 bytes each, shares at 1, 2, 3."""
    dealt = stream("deal", 128)
    a = [hash_to_scalar(dealt[i:i + 64], b"raresync/v1/deal") for i in (0, 64)]
    shares = [(a[0] + a[1] * i) % L for i in (1, 2, 3)]
    for i, share in enumerate(shares, 1):
        x.derive(f"oprf.share.{i}", share.to_bytes(32, "little"))
    return a[0], shares, [1, 1, 1, 2, 3, [ristretto_encode(mul(c, BASE)) for c in a]]


def check_envelope(x, name, raw, key, label, header_fields, bodies):
    """Rebuilds an envelope from its fields; signatures' ML-DSA halves are taken as they are."""
    network, hospital, sequence, attempt = (header_fields[i] for i in (3, 4, 6, 7))
    context = network + u32(hospital) + u64(sequence) + u32(attempt)
    commitments = [sha256(b"raresync/v1/body\0", context, u32(i), *body) for i, body in enumerate(bodies)]
    for i, c in enumerate(commitments):
        x.derive(f"{name}.commitment.{i}", c)
    header_fields[12] = sha256(b"raresync/v1/bodies\0", *commitments)
    x.derive(f"{name}.bodies_hash", header_fields[12])
    header = cbor(header_fields)
    given = uncbor(raw)
    x.equal(f"{name} envelope", cbor([header, given[1], given[2], bodies]), raw)
    verify(x, f"{name} signature", key, label, header, given[1])
    envelope_id = sha256(b"raresync/v1/envelope-id\0", header)
    x.derive(f"{name}.id", envelope_id)
    return {"header": header, "signatures": given[1] + given[2], "id": envelope_id, "bodies": bodies,
            "commitments": commitments, "hospital": hospital, "sequence": sequence}


def genesis(x):
    raw = x.envelope("genesis.hex")
    act = uncbor(uncbor(raw)[3][0][2])
    payload = uncbor(act[4])
    institutions, nodes = roster(x, payload[9], payload[10])
    secret, shares, record = oprf_record(x)
    params = [1, seed("domain")[:16], 1, 64, 1]
    policy, catalogue = [11, 10_000, 10_000], ["example/1", seed("catalogue")]
    name = x.given_values["network_name"]
    built = [1, name, True, 1, 2, 1, params, policy, catalogue, institutions, nodes, [record], [1, 2, 3]]
    x.equal("genesis payload", cbor(built), act[4])
    core = cbor([1, 1, 0, 0, act[4]])
    network = sha256(b"raresync/v1/genesis\0", core)
    x.derive("network", network)
    approvals = []
    for i, institution in enumerate(institutions):
        given = act[5][i]
        verify(x, f"approval {i + 1}", institution[7], b"raresync/v1/approval", network + core, given[2])
        approvals.append([i + 1, key_id(institution[7]), given[2], given[3]])
    body = cbor([1, 1, 0, 0, act[4], approvals])
    first = institutions[0][7]
    fields = [1, 1, 2, network, 1, key_id(first), 1, 1, ZEROS, GENESIS_TIME, 0, 1, None, ZEROS, ZEROS, []]
    envelope = check_envelope(x, "genesis", raw, first, b"raresync/v1/act", fields, [[ZEROS, bytes(16), body]])
    node = list(nodes[0])
    node[1] = 0  # a card's institution has no number yet
    coded = base64.encodebytes(cbor([institutions[0], [node]])).replace(b"\n", b"")
    lines = b"".join(coded[i:i + 64] + b"\n" for i in range(0, len(coded), 64))
    x.derive("card.sha256", sha256(b"-----BEGIN RARESYNC CARD-----\n", lines, b"-----END RARESYNC CARD-----\n"))
    return envelope, {"network": network, "payload": built, "institutions": institutions, "nodes": nodes,
                      "secret": secret, "shares": shares, "record": record}


def pseudonyms(x, net):
    """Identity to pseudonym with the whole key, which only the example can put together."""
    value = x.given_values["identity.typed"].translate({32: None, 45: None}).upper()
    x.derive("identity.x", b"raresync/id/v1\0RIC\0\0" + value.encode())
    oprf_input = b"raresync/oprf/v1\0\1" + x.given("identity.h")
    x.derive("oprf.input", oprf_input)
    public = net["record"][5][0]
    net["key_id"] = sha256(b"raresync/v1/toprf-key\0", net["network"], public)
    x.derive("oprf.public_key", public)
    x.derive("oprf.key_id", net["key_id"])
    two = (3 * net["shares"][0] - net["shares"][2]) * pow(2, -1, L) % L  # Lagrange at 0 of holders 1 and 3
    x.equal("key from shares 1 and 3", two, net["secret"])
    pseudonym = oprf_output(two, oprf_input)[:32]
    x.derive("pseudonym", pseudonym)
    number = int.from_bytes(hmac256(seed("h1/handle"), pseudonym)[:8], "big") >> 4
    digits = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[v >> s & 31] for v, s in
                     [(number, s) for s in range(55, -1, -5)] + [(number % 1021, 5), (number % 1021, 0)])
    x.derive("case_number", "-".join(digits[i:i + 4] for i in range(0, 14, 4)))
    local = b"raresync/local-id/v1\0LOCAL\0MRN\0" + b"00004711"
    x.derive("pseudonym.local", hmac256(seed("h1/local"), b"raresync/v1/local\0" + local))
    return pseudonym


def evaluations(x, net):
    key = int.from_bytes(x.given("rfc9497.sk"), "little")
    elements = []
    for i in (0, 1):
        value, blind = x.given(f"rfc9497.{i}.input"), int.from_bytes(x.given(f"rfc9497.{i}.blind"), "little")
        blinded = ristretto_encode(mul(blind, oprf_element(value)))
        x.equal(f"RFC 9497 blinded element {i}", blinded, x.given(f"rfc9497.{i}.blinded"))
        x.derive(f"rfc9497.{i}.evaluated", ristretto_encode(mul(key, ristretto_decode(blinded))))
        x.derive(f"rfc9497.{i}.output", oprf_output(key, value))
        elements.append(blinded)
    day = (COSIGN_TIME * 1000 + 8 * 3_600_000) // 86_400_000
    for holder in (1, 2):
        share, proof = net["shares"][holder - 1], x.given(f"toprf.proof.{holder}")
        evaluated = [ristretto_encode(mul(share, ristretto_decode(e))) for e in elements]
        x.derive(f"toprf.evaluated.{holder}", b"".join(evaluated))
        request_id = seed("request")[:16]
        request = cbor([net["network"], net["key_id"], 1, holder, 1, request_id, day, 2, sha512(*elements)])
        x.derive(f"toprf.request.{holder}", request)
        transcript = net["network"] + u16(1) + net["key_id"] + u32(1) + u16(holder) + u32(1) + request_id + u16(2)
        dst = b"raresync/toprf/v1" + sha512(transcript, *elements, *evaluated)
        holder_key = ristretto_encode(mul(share, BASE))
        x.equal(f"proof of holder {holder}", proof_holds(holder_key, elements, evaluated, dst, proof), True)
        response = cbor([sha256(request), sha512(*evaluated), proof])
        x.derive(f"toprf.response.{holder}", response)
        for what, who, message in (("request", "h1", request), ("response", f"h{holder}", response)):
            signed = f"raresync/v1/toprf-{what}".encode() + b"\0" + sha512(message)
            x.derive(f"toprf.{what}_ed25519.{holder}", ed_sign(seed(f"{who}/{what}/ed25519"), signed))


def plaintexts(x, pseudonym):
    """The entries as their layouts say; none, unknown and absent are 0, "" and empty arrays."""
    def entry_id(kind):
        head = bytes([kind]) + u32(len("example-0001")) + b"example-0001"
        return hmac256(seed("h1/entry-id"), b"raresync/v1/entry-id\0" + head + seed("content"))

    def common(kind): return [kind, 1, 1, entry_id(kind), pseudonym, 1, [2026, 9, 1], 1, 1, b""]
    none, when = ["", ""], [0]
    disease = [["ORPHA:558"], "Marfan syndrome", False, [3, "P30Y"], ["", [], False, False]]
    feature = [["HP:0001166", "Arachnodactyly"], False, [1], when, none, []]
    case = [[disease], 3, False, 2, [1949, 12, 0], [1, when, none, 0, False], when, "Cardiology", "11",
            [feature], [], [0, 0, 0], 0, 0, 0, "", "", b""]
    variant = [5, 6, ["HGNC:3603", "FBN1"], [["hgvs.c", "NM_000138.5:c.1A>G"]], [""] * 5, none, none]
    genetics = [entry_id(1), 3, 1, "", [[4, ["ORPHA:558", "Marfan syndrome"], [variant]]], b""]
    plains = [cbor(common(1) + [case]), cbor(common(2) + [genetics])]
    x.derive("entry.case", plains[0])
    x.derive("entry.genetics", plains[1])
    decided(x, pseudonym, entry_id(1), common(1), case)
    return plains


def decided(x, pseudonym, case_id, common, case):
    """The consent with which the patient withdraws, and a correction of the case."""
    def keyed(kind, content):
        return hmac256(seed("h1/entry-id"), b"raresync/v1/entry-id\0" + bytes([kind]) + u32(0) + sha256(content))

    mark = hmac256(seed("h1/entry-id"), b"raresync/v1/mark\0" + pseudonym)
    fields = [3, 63, 1, [mark], [1, 2]]
    consent_id = keyed(8, b"raresync/v1/consent\0" + cbor(fields) + bytes(32))
    moved = case[:7] + ["Neurology"] + case[8:]

    def correction(own_id): return cbor([10, 1, 1, own_id] + common[4:9] + [case_id, [1, 1, 1, moved]])
    x.derive("entry.mark", mark)
    x.derive("entry.consent", cbor([8, 1, 1, consent_id, b"", 0, [2026, 9, 22], 5, 1, b"", fields]))
    x.derive("entry.correction", correction(keyed(10, b"raresync/v1/correction\0" + correction(bytes(32)) + bytes(32))))


def expand(key, info, size): return hmac256(key, info + b"\1")[:size]


def entries(x, net, previous, pseudonym):
    plains = plaintexts(x, pseudonym)
    raw = x.envelope("entries.hex")
    given = uncbor(raw)
    wraps, context = uncbor(given[0])[15], net["network"] + u32(1) + u64(2) + u32(1)
    x.derive("entries.context", context)
    keks = {p: x.given(f"entries.kek_{p}") for p in "cg"}
    commits = {p: sha256(b"raresync/v1/kek\0", context, p.encode(), keks[p]) for p in "cg"}
    places = [int(p) for p in x.given_values["entries.places"].strip("[]").split()]
    for p in "cg":
        x.derive(f"entries.kek_commit_{p}", commits[p])
    for i, (salt, tag, ciphertext) in enumerate(given[3]):
        part, plain = "cg"[places.index(i)], plains[places.index(i)]
        x.equal(f"salt {i}", salt, x.given(f"entries.salt.{i}"))
        x.derive(f"entries.tag.{i}", expand(keks[part], b"raresync/v1/tag\0" + salt, 16))
        at = u32(i) + part.encode()
        dek = expand(keks[part], b"raresync/v1/dek\0" + context + at + salt, 32)
        size = 512
        while size < len(plain) + 4:
            size *= 2
        x.equal(f"body {i}", gcm_open(dek, ciphertext, context + at), (u32(len(plain)) + plain).ljust(size, b"\0"))
    own, national, province = (sha256(b"raresync/v1/sealing-key\0", net["institutions"][i][10]) for i in (0, 3, 4))
    x.equal("order of the wraps", [w[0] for w in wraps], [own, national, province, b"", b""])
    first = net["institutions"][0][7]
    fields = [1, 1, 1, net["network"], 1, key_id(first), 2, 1, previous, ENTRIES_TIME, 0, 2, None,
              commits["c"], commits["g"], wraps]
    return check_envelope(x, "entries", raw, first, b"raresync/v1/entries", fields, given[3])


def unopenable(x, net):
    reader = net["institutions"][3]
    payload = cbor([1, 2**32 - 1, sha256(b"raresync/v1/sealing-key\0", reader[10]), "SEAL003"])
    body = cbor([1, 2, 0, 0, payload, []])
    x.derive("act.cbor", body)
    x.derive("act.salts_backup", cbor([1, 3, 0, 0, cbor(["h1", 4, ENTRIES_TIME + 90 * 86_400_000]), []]))
    x.derive("act.withdrawal", cbor([1, 21, 0, 0, cbor([1, [[1, 2]]]), []]))
    x.derive("act.erasure_receipt", cbor([1, 22, 0, 0, cbor(["h1", 3, 4]), []]))
    node = list(net["nodes"][2])
    node[1:4] = [6, MIRROR, []]  # as if hospital 3 were no founder
    admission = cbor([net["institutions"][2], [node]])
    core = cbor([1, 4, 1, ENTRIES_TIME + 7 * 86_400_000, admission])
    x.derive("act.admission_core.sha256", sha256(core))
    x.derive("act.proposal.sha256", sha256(cbor([1, 5, 0, 0, cbor([core, "joins"]), []])))
    x.derive("act.proposal_id", sha256(b"raresync/v1/proposal\0", net["network"], core))
    fields = [1, 1, 2, net["network"], 4, key_id(reader[7]), 1, 1, ZEROS, ACT_TIME, 0, 1, None, ZEROS, ZEROS, []]
    bodies = [[ZEROS, bytes(16), body]]
    return check_envelope(x, "act", x.envelope("act.hex"), reader[7], b"raresync/v1/act", fields, bodies)


def node_hash(left, right): return sha256(b"\1", left, right)


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(root(hashes[:split]), root(hashes[split:]))


def checked(record):
    """A record with its CRC-32C (RFC 3720, appendix B.4) behind it."""
    crc = 2**32 - 1
    for byte in record:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return record + u32(crc ^ 2**32 - 1)


def ledger(x, envelopes):
    """Leaves, tree and files; log time never decreases."""
    files = dict.fromkeys(("leaves", "hashes.0", "envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts"), b"")
    leaves, log_time = [], 0
    for number, (kind, e, leader_time) in enumerate(envelopes):
        log_time, first = max(log_time, leader_time), len(leaves)
        before = [n for n in range(number) if envelopes[n][1]["hospital"] == e["hospital"]]
        for place, (salt, tag, ciphertext) in enumerate(e["bodies"]):
            leaves.append(bytes([1, kind]) + u32(e["hospital"]) + u64(e["sequence"]) + u32(place) + u64(log_time)
                          + e["id"] + e["commitments"][place])
            files["bodies"] += tag + ciphertext
            files["bodies.idx"] += u64(len(files["bodies"]))
            files["salts"] += salt
        files["envelopes"] += checked(u32(len(e["header"])) + e["header"] + e["signatures"] + u64(log_time))
        previous = before[-1] if before else 2**64 - 1
        files["envelopes.idx"] += checked(u64(len(files["envelopes"])) + u64(first) + u32(len(e["bodies"]))
                                          + u32(e["hospital"]) + u64(e["sequence"]) + u32(1) + u64(previous) + e["id"])
    hashes = [sha256(b"\0", leaf) for leaf in leaves]
    for i, leaf in enumerate(leaves):
        x.derive(f"log.leaf.{i}", leaf)
        x.derive(f"log.leaf_hash.{i}", hashes[i])
        x.derive(f"log.root.{i + 1}", root(hashes[:i + 1]))
    files["leaves"], files["hashes.0"] = b"".join(u16(90) + leaf for leaf in leaves), b"".join(hashes)
    for name, content in files.items():
        x.derive(f"ledger.{name}.sha256", sha256(content))
    return hashes, files, log_time


def snapshot(x, net, envelopes, hashes, files, log_time):
    p = net["payload"]
    members = []
    for i, institution in enumerate(net["institutions"]):
        sent = [(n, e) for n, (_, e, _) in enumerate(envelopes) if e["hospital"] == i + 1]
        number, last = sent[-1] if sent else (0, {"sequence": 0, "id": ZEROS})
        members.append([institution, [[institution[7], 0, 0]], [[institution[10], 0, 0]],
                        last["sequence"], 1 if sent else 0, last["id"], number, []])
    readers = [0, [[net["institutions"][3][10], True, True]], [["11", [net["institutions"][4][10], True, False]]]]
    voters = sorted(n[0] for n in net["nodes"] if n[2] == 1)
    state = [7, net["network"], p[1], p[2], p[3], p[4], len(envelopes), len(hashes), root(hashes), [root(hashes)],
             log_time, 1, 1, members, net["nodes"], [readers], p[6], p[7], p[8], p[11], p[12], [],
             [], cbor([0, ZEROS]), [], [], [[], [], []], [], [], [[], [], [], sorted([n[0], n[1], 0] for n in net["nodes"])],
             [[[0, voters]], [], [], []], [[]]]
    sizes = [len(files[n]) for n in ("leaves", "hashes.0")] + [0, 0, 0]
    sizes += [len(files[n]) for n in ("envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts")]
    encoded = cbor(state) + cbor([len(envelopes), len(hashes)] + sizes)
    x.derive("snapshot.bytes", len(encoded))
    x.derive("snapshot.sha256", sha256(encoded))


def vkey_id(name, kind, public): return sha256(name.encode(), b"\n", bytes([kind]), public)[:4]


def checkpoint(x, net, hashes):
    name = x.given_values["network_name"]
    origin, head = name + "/1", root(hashes)
    text = f"{origin}\n{len(hashes)}\n{base64.b64encode(head).decode()}\n".encode()
    x.derive("checkpoint.text", text)
    log_keys = [n[5][1][12:] for n in net["nodes"][:3]]
    cosigners = [(f"{name}/v/{n[0]}", n[6][1][12:], n[6][2][22:]) for n in net["nodes"][:3]]
    lines = x.file("checkpoint.note").split(b"\n\n", 1)[1].splitlines(True)
    signed = [base64.b64decode(line.rstrip(b"\n").rsplit(b" ", 1)[1]) for line in lines]
    x.equal("log signature", ed_verify(log_keys[0], text, signed[0][4:]), True)
    expected = [(origin, vkey_id(origin, 1, log_keys[0]), signed[0][4:])]
    for i, (cosigner, ed, ml) in enumerate(cosigners[:2]):
        first, second = signed[1 + 2 * i], signed[2 + 2 * i]
        message = f"cosignature/v1\ntime {COSIGN_TIME}\n".encode() + text
        x.equal(f"cosignature by {cosigner}", ed_verify(ed, message, first[12:]), True)
        expected += [(cosigner, vkey_id(cosigner, 4, ed), u64(COSIGN_TIME) + first[12:]),
                     (cosigner, vkey_id(cosigner, 6, ml), u64(COSIGN_TIME) + second[12:])]
        if i == 0:
            x.derive("cosign.h1.ed25519_message", message)
            x.derive("cosign.h1.mldsa_message", b"subtree/v1\n\0" + bytes([len(cosigner)]) + cosigner.encode()
                     + u64(COSIGN_TIME) + bytes([len(origin)]) + origin.encode() + u64(0) + u64(len(hashes)) + head)
    note = text + b"\n" + b"".join(f"\u2014 {n} ".encode() + base64.b64encode(i + s) + b"\n" for n, i, s in expected)
    x.equal("checkpoint.note", note, x.file("checkpoint.note"))
    x.equal("policy", policy(origin, log_keys, cosigners), x.file("voters.policy"))
    path = [hashes[0], node_hash(hashes[2], hashes[3])]  # for index 1 of 4
    x.equal("inclusion of entry 1", node_hash(node_hash(path[0], hashes[1]), path[1]), head)
    proof = b"c2sp.org/tlog-proof@v1\nindex 1\n" + b"".join(base64.b64encode(h) + b"\n" for h in path) + b"\n" + note
    x.equal("receipt.tlog-proof", proof, x.file("receipt.tlog-proof"))


def vkey(name, kind, public):
    return f"{name}+{vkey_id(name, kind, public).hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"


def policy(origin, log_keys, cosigners):
    lines = [f"log {vkey(origin, 1, k)}" for k in log_keys]
    for name, ed, ml in cosigners:
        halves = f"{name}/ed25519", f"{name}/ml-dsa-44"
        lines += [f"witness {halves[0]} {vkey(name, 4, ed)}", f"witness {halves[1]} {vkey(name, 6, ml)}",
                  f"group {name} all {halves[0]} {halves[1]}"]
    lines += ["group voters 2 " + " ".join(c[0] for c in cosigners), "quorum voters", ""]
    return "\n".join(lines).encode()


def main(folder):
    x = Example(folder)
    first, net = genesis(x)
    pseudonym = pseudonyms(x, net)
    evaluations(x, net)
    second = entries(x, net, first["id"], pseudonym)
    third = unopenable(x, net)
    envelopes = [(2, first, GENESIS_TIME), (1, second, ENTRIES_TIME), (2, third, ACT_TIME)]
    hashes, files, log_time = ledger(x, envelopes)
    snapshot(x, net, envelopes, hashes, files, log_time)
    checkpoint(x, net, hashes)
    if x.wanted:
        raise Different(f"not derived: {', '.join(sorted(x.wanted))}")
    print(f"re-derived {x.count} values, all equal")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    except Different as difference:
        sys.exit(str(difference))
    except (ValueError, LookupError, TypeError, UnicodeError) as unreadable:
        sys.exit(f"the example cannot be read: {unreadable!r}")
