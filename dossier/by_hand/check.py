"""Checks a proofmail proof by hand: python3 check.py proof.json [file ...]

A file is record.json, disclosures.json, a saved attachment, or the mail as the service received
it. Ends with 1 and one line on what does not fit. SPEC is the specification of the format."""

import json
import re
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha3_256, sha256
from pathlib import Path

HASHES = {"sha256": sha256, "sha3-256": sha3_256}
sys.excepthook = lambda kind, *_: print("REFUSED: unreadable:", kind.__name__, file=sys.stderr)


def canonical(value):  # SPEC 1.1
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def root_above(leaf, index, size, path):  # RFC 9162 2.1.1, 2.1.3.1
    if (index, size, path) == (0, 1, []):
        return sha256(b"\0" + leaf).digest()
    half, (*below, last) = 1 << (max(size, 1) - 1).bit_length() - 1, path  # of 1 or less: an error
    beside = urlsafe_b64decode(last + "=")
    if index < half:
        return sha256(b"\1" + root_above(leaf, index, half, below) + beside).digest()
    return sha256(b"\1" + beside + root_above(leaf, index - half, size - half, below)).digest()


proof_path, *paths = sys.argv[1:] or sys.exit(__doc__)
proof = json.loads(Path(proof_path).read_bytes())
record, claims, entries = canonical(proof["record"]), proof["record"]["claims"], proof["entries"]
shown = [entry for entry in entries if isinstance(entry, list)]
for name, new in HASHES.items():  # SPEC 2.2, 2.3
    listed = new(b"proofmail/claims/0\0")
    for entry in entries:
        claim = new(b"proofmail/claim/0\0" + canonical(entry)).digest()
        listed.update(claim if isinstance(entry, list) else urlsafe_b64decode(entry[name] + "="))
    if (claims["count"], urlsafe_b64decode(claims[name] + "=")) != (len(entries), listed.digest()):
        sys.exit(f"REFUSED: the entries are not those that the record commits to by {name}")
print(f"entries {len(entries)}, shown {len(shown)}: the record commits to them by both digests")
print("record ", sha256(record).hexdigest(), "imprint for openssl: a token over record.json")
for tree in [token["tree"] for token in proof["tokens"] if "tree" in token]:  # SPEC 5.1
    print("tree   ", root_above(record, **tree).hex(), "imprint for openssl: a token over a tree")
for batch in [batch for batch in proof["batches"] if batch["kind"] == "rfc9162"]:  # SPEC 6.3
    size, header = batch["header"]["count"] + 1, canonical(batch["header"])
    root = root_above(header, 0, size, batch["header_path"])
    if root != root_above(record, batch["index"], size, batch["path"]):
        sys.exit("REFUSED: the batch's header and the record are not in one tree")
    print("root   ", root.hex(), "behind 504d5630 in the transaction's data")
for path in paths:  # quotes in a string are escaped: only fingerprints hold a mark
    data = Path(path).read_bytes()
    one, two = (urlsafe_b64encode(new(data).digest()).decode()[:43] for new in HASHES.values())
    mark = f'"sha256":"{one}",("sha3-256":"{two}",)?"size":{len(data)}}}'
    found = [entry[1] for entry in shown if re.search(mark, canonical(entry).decode())]
    if not found and data not in (record, canonical(shown)):
        sys.exit(f"REFUSED: nothing that is shown has the digest of {path!a}")
    print("file   ", sha256(data).hexdigest(), f"{path!a}:", ascii(found or "the dossier's own"))
print("NOT CHECKED: signatures and token (openssl), the chain (node or explorer), linked proofs")
