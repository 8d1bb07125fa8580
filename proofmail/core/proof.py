"""The proof file: everything that a verifier needs, in one canonical JSON (SPEC §7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeAlias

from proofmail.core.batch import Header, read_header
from proofmail.core.canonical import Json, base64url, decode, encode
from proofmail.core.extracts import MAX_EXTRACTS, TRUSTED_LIST, ListExtract, read_extract
from proofmail.core.merkle import MAX_PATH
from proofmail.core.record import (
    MAX_ENTRIES,
    Disclosure,
    Entry,
    Record,
    hide,
    read_entry,
    read_record,
)
from proofmail.core.shape import array, digest, exactly, integer, members, octets, text
from proofmail.errors import Unreadable

FORMAT = "proofmail/proof/0"
MAX_PROOF_BYTES = 16 << 20
MAX_WITNESSES = 16
MAX_LINKED = 256
MAX_TOKEN_BYTES = 64 << 10
MAX_CERTIFICATES = 16
MAX_REVOCATION = 24
MAX_REVOCATION_BYTES = 1 << 20
CRL = "crl"
OCSP = "ocsp"
MAX_TRIE_NODES = 64
MAX_TREE_SIZE = 1 << 32


@dataclass(frozen=True)
class Signature:
    """The service's detached signature; `key` is the SHA-256 of the key's SubjectPublicKeyInfo."""

    key: bytes
    value: bytes


@dataclass(frozen=True)
class TreePlace:
    """Where a record stands in a tree of records whose root a token stamps (SPEC §5.1)."""

    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class EvmAnchor:
    """Signed transaction, its inclusion proof, and the block header's RLP (SPEC §6.3)."""

    transaction: bytes
    index: int
    nodes: tuple[bytes, ...]
    header: bytes


@dataclass(frozen=True)
class Unknown:
    """An item of a kind that this verifier does not know: kept as it is, reported not checked."""

    kind: str
    value: Json


@dataclass(frozen=True)
class RevocationData:
    """DER of a CertificateList (kind CRL) or of an OCSPResponse (kind OCSP), SPEC §5.7."""

    kind: str
    value: bytes


@dataclass(frozen=True)
class Rfc3161Token:
    """`response` is the DER TimeStampResp; `certificates` are untrusted intermediates."""

    response: bytes
    certificates: tuple[bytes, ...] = ()
    tree: TreePlace | None = None
    revocation: tuple[RevocationData | Unknown, ...] = ()
    extracts: tuple[ListExtract | Unknown, ...] = ()
    """What the service saw of the authority in outside registers (SPEC §5.8): not believed."""


Token: TypeAlias = Rfc3161Token | Unknown
Anchor: TypeAlias = EvmAnchor | Unknown


@dataclass(frozen=True)
class Batch:
    """The record's place in one batch, the header's path, and the anchors of that batch's root."""

    header: Header
    header_path: tuple[bytes, ...]
    index: int
    path: tuple[bytes, ...]
    anchors: tuple[Anchor, ...] = ()


@dataclass(frozen=True)
class Proof:
    """A decoded proof file. `linked` holds whole proofs of receipts and addenda of this record."""

    record: Record
    entries: tuple[Entry, ...]
    signature: Signature
    tokens: tuple[Token, ...] = ()
    batches: tuple[Batch | Unknown, ...] = ()
    renewals: tuple[Unknown, ...] = ()
    linked: tuple[Proof, ...] = ()

    @property
    def claims(self) -> dict[str, Json]:
        """The disclosed claims by name. Facts only once the commitment was checked (V3)."""
        return {e.name: e.value for e in self.entries if isinstance(e, Disclosure)}

    @property
    def disclosures(self) -> tuple[Disclosure, ...]:
        return tuple(e for e in self.entries if isinstance(e, Disclosure))

    def redact(self, keep: frozenset[str]) -> Proof:
        """The same proof showing only the claims in `keep`; linked proofs are left out."""
        entries = tuple(
            e if isinstance(e, Disclosure) and e.name in keep else hide(e) for e in self.entries
        )
        return replace(self, entries=entries, linked=())

    def to_json(self) -> Json:
        body = {
            "batches": [_batch_json(b) for b in self.batches],
            "entries": [e.to_json() for e in self.entries],
            "format": FORMAT,
            "linked": [p.to_json() for p in self.linked],
            "record": self.record.to_json(),
            "renewals": [u.value for u in self.renewals],
            "signature": {
                "key": base64url(self.signature.key),
                "value": base64url(self.signature.value),
            },
            "tokens": [_token_json(t) for t in self.tokens],
        }
        return {**body, "sha256": base64url(sha256(encode(body)).digest())}

    def to_bytes(self) -> bytes:
        return encode(self.to_json())


def _token_json(token: Token) -> Json:
    if isinstance(token, Unknown):
        return token.value
    value: dict[str, Json] = {
        "certificates": [base64url(c) for c in token.certificates],
        "kind": "rfc3161",
        "response": base64url(token.response),
    }
    if token.extracts:
        value["extracts"] = [
            item.value if isinstance(item, Unknown) else item.to_json() for item in token.extracts
        ]
    if token.revocation:
        value["revocation"] = [_revocation_json(item) for item in token.revocation]
    if token.tree:
        value["tree"] = {
            "index": token.tree.index,
            "path": [base64url(node) for node in token.tree.path],
            "size": token.tree.size,
        }
    return value


def _revocation_json(item: RevocationData | Unknown) -> Json:
    if isinstance(item, Unknown):
        return item.value
    return {"kind": item.kind, "value": base64url(item.value)}


def _batch_json(batch: Batch | Unknown) -> Json:
    if isinstance(batch, Unknown):
        return batch.value
    return {
        "anchors": [_anchor_json(a) for a in batch.anchors],
        "header": batch.header.to_json(),
        "header_path": [base64url(node) for node in batch.header_path],
        "index": batch.index,
        "kind": "rfc9162",
        "path": [base64url(node) for node in batch.path],
    }


def _anchor_json(anchor: Anchor) -> Json:
    if isinstance(anchor, Unknown):
        return anchor.value
    return {
        "header": base64url(anchor.header),
        "index": anchor.index,
        "kind": "evm",
        "nodes": [base64url(node) for node in anchor.nodes],
        "transaction": base64url(anchor.transaction),
    }


def read_proof(data: bytes) -> Proof:
    """The proof in the bytes of a proof file; Unreadable for anything else (V1)."""
    if len(data) > MAX_PROOF_BYTES:
        raise Unreadable(f"a proof file has at most {MAX_PROOF_BYTES} bytes")
    return _proof(decode(data), "proof")


def _linked(value: Json, what: str) -> Proof:
    proof = _proof(value, what)
    if proof.linked:
        raise Unreadable("a linked proof has linked proofs of its own")
    return proof


def _proof(value: Json, what: str) -> Proof:
    found = members(
        value,
        what,
        (
            "batches", "entries", "format", "linked", "record", "renewals",
            "sha256", "signature", "tokens",
        ),
    )  # fmt: skip
    exactly(found["format"], "the proof's format", FORMAT)
    body = {name: member for name, member in found.items() if name != "sha256"}
    if digest(found["sha256"], "sha256") != sha256(encode(body)).digest():
        raise Unreadable("the proof's SHA-256 of itself does not match: the file is damaged")
    signature = members(found["signature"], "signature", ("key", "value"))
    return Proof(
        record=read_record(found["record"]),
        entries=array(found["entries"], "entries", MAX_ENTRIES, read_entry),
        signature=Signature(
            digest(signature["key"], "signature.key"),
            octets(signature["value"], "signature.value", 80),
        ),
        tokens=array(found["tokens"], "tokens", MAX_WITNESSES, _token),
        batches=array(found["batches"], "batches", MAX_WITNESSES, _batch),
        renewals=array(found["renewals"], "renewals", MAX_WITNESSES, _unknown),
        linked=array(found["linked"], "linked", MAX_LINKED, _linked),
    )


def _kind(value: Json, what: str) -> str:
    if not isinstance(value, dict) or "kind" not in value:
        raise Unreadable(f"{what}: an item without a kind")
    return text(value["kind"], f"{what}.kind", 64)


def _unknown(value: Json, what: str) -> Unknown:
    return Unknown(_kind(value, what), value)


def _node(value: Json, what: str) -> bytes:
    return octets(value, what, 64 << 10)


def _token(value: Json, what: str) -> Token:
    if _kind(value, what) != "rfc3161":
        return _unknown(value, what)
    found = members(
        value, "token", ("certificates", "kind", "response"), ("extracts", "revocation", "tree")
    )
    return Rfc3161Token(
        response=octets(found["response"], "response", MAX_TOKEN_BYTES),
        certificates=array(found["certificates"], "certificates", MAX_CERTIFICATES, _node),
        tree=_tree(found["tree"]) if "tree" in found else None,
        revocation=_revocations(found["revocation"]) if "revocation" in found else (),
        extracts=_extracts(found["extracts"]) if "extracts" in found else (),
    )


def _extracts(value: Json) -> tuple[ListExtract | Unknown, ...]:
    found = array(value, "extracts", MAX_EXTRACTS, _extract)
    if not found:
        raise Unreadable("extracts: an empty list is left out")
    return found


def _extract(value: Json, what: str) -> ListExtract | Unknown:
    return read_extract(value) if _kind(value, what) == TRUSTED_LIST else _unknown(value, what)


def _revocations(value: Json) -> tuple[RevocationData | Unknown, ...]:
    found = array(value, "revocation", MAX_REVOCATION, _revocation)
    if not found:
        raise Unreadable("revocation: an empty list is left out")
    return found


def _revocation(value: Json, what: str) -> RevocationData | Unknown:
    kind = _kind(value, what)
    if kind not in (CRL, OCSP):
        return _unknown(value, what)
    found = members(value, "revocation data", ("kind", "value"))
    return RevocationData(kind, octets(found["value"], "revocation", MAX_REVOCATION_BYTES))


def _tree(value: Json) -> TreePlace:
    found = members(value, "tree", ("index", "path", "size"))
    size = integer(found["size"], "tree.size", 1, MAX_TREE_SIZE)
    return TreePlace(
        index=integer(found["index"], "tree.index", 0, size - 1),
        size=size,
        path=array(found["path"], "tree.path", MAX_PATH, digest),
    )


def _batch(value: Json, what: str) -> Batch | Unknown:
    if _kind(value, what) != "rfc9162":
        return _unknown(value, what)
    found = members(value, "batch", ("anchors", "header", "header_path", "index", "kind", "path"))
    header = read_header(found["header"])
    return Batch(
        header=header,
        header_path=array(found["header_path"], "header_path", MAX_PATH, digest),
        index=integer(found["index"], "batch.index", 1, header.count),
        path=array(found["path"], "batch.path", MAX_PATH, digest),
        anchors=array(found["anchors"], "anchors", MAX_WITNESSES, _anchor),
    )


def _anchor(value: Json, what: str) -> Anchor:
    if _kind(value, what) != "evm":
        return _unknown(value, what)
    found = members(value, "anchor", ("header", "index", "kind", "nodes", "transaction"))
    return EvmAnchor(
        transaction=octets(found["transaction"], "transaction", 64 << 10),
        index=integer(found["index"], "anchor.index", 0, 1_000_000),
        nodes=array(found["nodes"], "nodes", MAX_TRIE_NODES, _node),
        header=octets(found["header"], "anchor.header", 64 << 10),
    )
