"""Complete proofs with everything real but the chain: records, signatures, tokens, batches, and a
block of one transaction that this file makes itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha3_256, sha256
from typing import Any
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anchoring.authority import BuiltInAuthority
from anchoring.authority_identity import create_authority
from anchoring.evm_signing import Price, anchor_sender, sign_anchor
from dossier.make import DossierOptions
from dossier.seal import Archiving, Sealer, Stamping, create_seal_identity
from proofmail.core import der, rlp
from proofmail.core.batch import FIRST_PREVIOUS, Header, batch_tree
from proofmail.core.canonical import base64url
from proofmail.core.evm import transaction_key
from proofmail.core.mpt import keccak256
from proofmail.core.proof import Batch, EvmAnchor, Proof, Rfc3161Token, Signature, TreePlace
from proofmail.core.record import SIGNATURE_LABEL, make_record
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Report
from proofmail.verify.token import TokenAnchor, TokenTrust
from proofmail.verify.trust import Authority, Chain, Service, Trust, key_id, make_trust

LOG = "proofs.example.org"
RECEIVED = datetime(2026, 11, 21, 10, 18, 11, 123000, UTC)
CHAIN_ID = 31337
KEY = ec.derive_private_key(7, ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
ANCHOR_KEY = bytes(31) + b"\x05"
HOSTILE_SUBJECT = 'Re: <b>Contrat</b> & <para><font size="40">PAID</font></para> été ‹U+202E›'
STRANGE_NAMES = (
    "合同.docx",
    "דוח_2026.pdf",
    "فاتورة (نسخة) 12.pdf",
    "ใบเสร็จรับเงิน.pdf",
    "अनुबंध.pdf",
    "계약서 최종.hwp",
    "🧾 reçu.png",
    "\U00012000.txt",
)
HOSTILE_NAME = "../../etc/\u202efdp.exe <script>.pdf"


class FixedClock:
    def now(self) -> datetime:
        return RECEIVED + timedelta(seconds=1)


@cache
def authority_material() -> Any:
    return create_authority("Example SA", RECEIVED)


@cache
def authority() -> BuiltInAuthority:
    return BuiltInAuthority("built-in", authority_material(), FixedClock())


@cache
def seal_identity() -> tuple[bytes, bytes]:
    return create_seal_identity("Example SA", RECEIVED)


@cache
def sealer() -> Sealer:
    return Sealer(*seal_identity())


@cache
def archiver() -> Sealer:
    """Seals with a document time-stamp behind the seal (B-LTA)."""
    roots = (TokenAnchor(x509.load_pem_x509_certificate(authority_material().root_pem)),)
    stamping = Stamping(authority(), TokenTrust(roots))
    return Sealer(*seal_identity(), stamping, Archiving((), lambda signer, moment: ()))


def print_of(data: bytes, rule: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "rule": rule,
        "sha256": base64url(sha256(data).digest()),
        "size": len(data),
    }
    if rule not in ("raw/1", "body-relaxed/1"):
        made["sha3-256"] = base64url(sha3_256(data).digest())
    return made


def mail_claims(subject: str, names: Sequence[str]) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "authentication": {
            "checks": [{"domain": "example.org", "method": "dkim", "result": "pass"}],
            "sender": "relay",
        },
        "defects": [],
        "envelope.from": "alice@example.org",
        "envelope.peer": {"address": "192.0.2.7", "helo": "mail.example.org"},
        "envelope.proof_addresses": ["proof@proofs.example.org"],
        "envelope.tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "header.cc": [{"address": "proof@proofs.example.org", "name": ""}],
        "header.date": ["2026-11-21T10:18:05Z"],
        "header.from": [{"address": "alice@example.org", "name": "Alice Martin"}],
        "header.receipt_requested": True,
        "header.subject": [subject],
        "header.to": [{"address": "bob@example.net", "name": "Bob Dupont-Müller"}],
        "message.fingerprints": [print_of(b"raw", "raw/1"), print_of(b"body", "body-relaxed/1")],
        "message.parts": 1 + len(names),
        "part.1": {
            "charset": "utf-8",
            "fingerprints": [
                print_of(b"Hello\n", rule) for rule in ("decoded/1", "text/1", "words/1")
            ],
            "path": "1",
            "role": "body",
            "type": "text/plain",
        },
    }
    for number, name in enumerate(names, 2):
        claims[f"part.{number}"] = {
            "fingerprints": [print_of(name.encode("utf-8", "replace") * 999, "decoded/1")],
            "name": name,
            "path": str(number),
            "role": "attachment",
            "type": "application/pdf",
        }
    return claims


def signed(kind: str, claims: Mapping[str, Any], received: datetime = RECEIVED) -> Proof:
    """A proof with record and service signature, and no witness yet."""
    secret = sha256(repr(sorted(claims)).encode()).digest()
    made = make_record(kind, LOG, received, claims, secret)
    value = _fixed_signature(SIGNATURE_LABEL + made.record.to_bytes())
    return Proof(made.record, made.entries, Signature(key_id(SPKI), value))


def _fixed_signature(data: bytes) -> bytes:
    """Deterministic (RFC 6979), so that a proof made twice has the same bytes."""
    return KEY.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def request_for(imprint: bytes) -> bytes:
    return der.sequence(
        der.integer(1),
        der.sequence(der.sequence(der.oid("2.16.840.1.101.3.4.2.1")), der.octets(imprint)),
        der.tlv(der.BOOLEAN, b"\xff"),
    )


def stamped(proof: Proof, tree: TreePlace | None = None, imprint: bytes | None = None) -> Proof:
    if imprint is None:
        imprint = sha256(proof.record.to_bytes()).digest()
    response = authority().respond(request_for(imprint))
    return replace(proof, tokens=(Rfc3161Token(response, tree=tree),))


def anchored(proof: Proof) -> Proof:
    """The proof in a batch of one, its root in a transaction alone in its block."""
    header = Header(LOG, 1, FIRST_PREVIOUS, 1, RECEIVED + timedelta(seconds=60))
    tree = batch_tree(header, [proof.record.to_bytes()])
    raw = sign_anchor(ANCHOR_KEY, CHAIN_ID, 0, tree.root, Price(2_000_000_000, 1_000_000_000))
    key = transaction_key(0)
    leaf = rlp.encode([b"\x20" + key, raw])  # EIP-2718, hex prefix of an even leaf
    block = block_header(keccak256(leaf), 4242, RECEIVED + timedelta(seconds=72))
    anchor = EvmAnchor(raw, 0, (leaf,), block)
    batch = Batch(header, tuple(tree.path(0)), 1, tuple(tree.path(1)), (anchor,))
    return replace(proof, batches=(batch,))


def block_header(transactions_root: bytes, number: int, moment: datetime) -> bytes:
    zero = bytes(32)
    return rlp.encode(
        [
            zero, zero, bytes(20), zero, transactions_root, zero, bytes(256), b"",
            rlp.encode_int(number), rlp.encode_int(30_000_000), rlp.encode_int(22_440),
            rlp.encode_int(int(moment.timestamp())), b"", zero, bytes(8),
        ]
    )  # fmt: skip


def receipt_for(proof: Proof, disposition: str = "displayed") -> Proof:
    claims = {
        "authentication": {"checks": [], "sender": "none"},
        "defects": [],
        "receipt.of": base64url(sha256(proof.record.to_bytes()).digest()),
        "receipt.report": {
            "disposition": disposition,
            "final_recipient": "rfc822; bob@example.net",
            "form": "direct",
            "kind": "mdn",
        },
    }
    return signed("receipt", claims, RECEIVED + timedelta(hours=2))


def trust_for(proof: Proof, *, development: bool = True) -> Trust:
    blocks = [
        keccak256(anchor.header)
        for batch in proof.batches
        if isinstance(batch, Batch)
        for anchor in batch.anchors
        if isinstance(anchor, EvmAnchor)
    ]
    root = x509.load_pem_x509_certificate(authority_material().root_pem)
    return make_trust(
        [Service(LOG, (SPKI,), frozenset({anchor_sender(ANCHOR_KEY)}))],
        [Authority("Built-in authority", root.public_bytes(Encoding.DER), built_in=True)],
        [Chain(CHAIN_ID, "development", frozenset(blocks), development=development)],
        [sealer().certificate.public_bytes(Encoding.DER)],
    )


@dataclass(frozen=True)
class Case:
    proof: Proof
    report: Report


def case(proof: Proof) -> Case:
    return Case(proof, verify_proof(proof, trust_for(proof)))


@cache
def full() -> Case:
    """A mail with hostile texts, stamped, anchored, with a receipt."""
    names = [HOSTILE_NAME, "devis-été.pdf", "x" * 300 + ".pdf", *STRANGE_NAMES]
    proof = anchored(stamped(signed("message", mail_claims(HOSTILE_SUBJECT, names))))
    return case(replace(proof, linked=(receipt_for(proof),)))


@cache
def fresh() -> Case:
    """A mail that was just recorded, without any witness."""
    return case(signed("message", mail_claims("Bonjour", ["a.pdf"])))


def options(language: Any = "fr", *, final: bool = True) -> DossierOptions:
    return DossierOptions(
        language,
        ZoneInfo("Europe/Paris"),
        "Étude Martin & Associés",
        final,
        "https://preuves.example.org/verify",
    )
