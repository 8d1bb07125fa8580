"""Recomputes a proof from SPEC.md alone: record → token imprint → batch root → calldata → block
hash. Standard library and a keccak; none of proofmail's code. Usage: recompute.py proof.json"""

import base64
import datetime
import email
import email.policy
import hashlib
import json
import struct
import sys

from Crypto.Hash import keccak


def jcs(value):  # SPEC §1.1: sorted ASCII keys, no white space, UTF-8
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def raw(text):  # SPEC §1.2
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def keccak256(data):
    return keccak.new(digest_bits=256, data=data).digest()


def entry_digest(entry, name):  # SPEC §2.2
    if isinstance(entry, dict):
        return raw(entry[name])
    return hashlib.new(name, b"proofmail/claim/0\0" + jcs(entry)).digest()


def climb(leaf, index, size, path):  # RFC 9162 §2.1.3.2
    node, last = hashlib.sha256(b"\x00" + leaf).digest(), size - 1
    for sibling in map(raw, path):
        if index % 2 or index == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not index % 2 and index:
                index, last = index // 2, last // 2
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        index, last = index // 2, last // 2
    return node


def rlp(data):  # the first item of data, and what follows it
    head = data[0]
    if head < 0x80:
        return data[:1], data[1:]
    base = 0x80 if head < 0xC0 else 0xC0
    long = max(head - base - 55, 0)
    size = int.from_bytes(data[1 : 1 + long], "big") if long else head - base
    body, rest = data[1 + long : 1 + long + size], data[1 + long + size :]
    if base == 0x80:
        return body, rest
    items = []
    while body:
        item, body = rlp(body)
        items.append(item)
    return items, rest


def trie_leaf(root, key, nodes):  # the value under `key`, walking nodes by their keccak
    known = {keccak256(node): rlp(node)[0] for node in nodes}
    nibbles = [half for byte in key for half in (byte >> 4, byte & 15)]
    node = known[root]
    while len(node) == 17 and nibbles:
        node = node[nibbles.pop(0)]
        node = known[node] if isinstance(node, bytes) else node
        while len(node) == 2 and node[0][0] >> 4 < 2:  # an extension
            skip = len(node[0]) * 2 - 2 + (node[0][0] >> 4)
            nibbles, node = nibbles[skip:], known[node[1]]
    return node[16] if len(node) == 17 else node[1]


def recompute(proof):
    """Every link of the chain, each asserted; returns (record sha256, block hashes)."""
    record = jcs(proof["record"])
    for name in ("sha256", "sha3-256"):
        listed = b"".join(entry_digest(entry, name) for entry in proof["entries"])
        total = hashlib.new(name, b"proofmail/claims/0\0" + listed).digest()
        assert total == raw(proof["record"]["claims"][name]), f"{name} of the claims"
    for token in proof["tokens"]:
        assert "tree" not in token, "this script reads tokens over single records"
        assert b"\x04\x20" + hashlib.sha256(record).digest() in raw(token["response"]), "imprint"
    blocks = []
    for batch in proof["batches"]:
        size = batch["header"]["count"] + 1
        root = climb(jcs(batch["header"]), 0, size, batch["header_path"])
        assert root == climb(record, batch["index"], size, batch["path"]), "batch root"
        for anchor in batch["anchors"]:
            sent, header = raw(anchor["transaction"]), rlp(raw(anchor["header"]))[0]
            index = anchor["index"]
            key = bytes([index or 128]) if index < 128 else b"\x81" + bytes([index])  # rlp(index)
            assert trie_leaf(header[4], key, map(raw, anchor["nodes"])) == sent, "inclusion"
            assert rlp(sent[1:])[0][7] == b"PMv0" + root, "calldata"
            blocks.append(keccak256(raw(anchor["header"])).hex())
    return hashlib.sha256(record).hexdigest(), blocks


def names(mail):
    """Of a plain mail's bytes, in the order of its parts: digests of Content-IDs (SPEC §3.16),
    of the header values of enclosed messages (§3.15), and the files in winmail.dat (§3.18)."""
    ids, values, files = [], [], []
    for part in email.message_from_bytes(mail, policy=email.policy.default).walk():
        if part["content-id"]:
            ids.append(hashlib.sha256(part["content-id"].strip(" <>").encode()).hexdigest())
        if part.get_content_type() == "message/rfc822":
            values.append(hashlib.sha256(jcs(header_values(part.get_content()))).hexdigest())
        if part.get_content_type() == "application/ms-tnef":
            files += winmail(part.get_content())
    return ids, values, files


def header_values(message):
    def people(name):
        found = message[name].addresses if message[name] else ()
        return [{"address": one.addr_spec, "name": one.display_name} for one in found]

    moment = message["date"].datetime.astimezone(datetime.UTC)
    return {
        **{name: people(name) for name in ("cc", "from", "to")},
        "date": [f"{moment:%Y-%m-%dT%H:%M:%SZ}"],
        "subject": [str(message["subject"])],
    }


def winmail(data):
    at, found = 6, []
    while at < len(data):
        number, size = struct.unpack_from("<II", data, at + 1)
        content = data[at + 9 : at + 9 + size]
        assert struct.unpack_from("<H", data, at + 9 + size)[0] == sum(content) % 65536
        if number == 0x6800F:
            found.append((size, hashlib.sha256(content).hexdigest()))
        at += 11 + size
    return found


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(*recompute(json.load(file)), sep="\n")
