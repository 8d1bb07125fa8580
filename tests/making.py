"""Makes whole proofs in memory, without service, node or database: for what verifies them.

A :class:`World` is one operator: service key, built-in authority, anchor key, and a chain whose
blocks hold one transaction each. A second world is a stranger's, with the same code.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anchoring.authority import BuiltInAuthority
from anchoring.authority_identity import AuthorityMaterial, create_authority
from anchoring.evm_signing import Price, anchor_sender, sign_anchor
from anchoring.tsa_client import build_request
from proofmail.core import rlp
from proofmail.core.batch import FIRST_PREVIOUS, Header, batch_tree
from proofmail.core.canonical import Json, base64url
from proofmail.core.mapping import mail_claims
from proofmail.core.mpt import keccak256
from proofmail.core.proof import Batch, EvmAnchor, Proof, Rfc3161Token, Signature
from proofmail.core.record import SIGNATURE_LABEL, Record, make_record
from proofmail.core.scan import scan
from proofmail.verify.trust import Authority, Chain, Service, Trust, key_id, make_trust

NOW = datetime(2026, 11, 21, 10, 0, 0, 123_000, tzinfo=UTC)

MAIL = (
    b"From: Claire Dubois <claire@atelier.example>\r\n"
    b"To: Jean Petit <jean@client.example>, notaire@etude.example\r\n"
    b"Cc: luc@atelier.example\r\n"
    b"Subject: =?utf-8?q?Offre_sign=C3=A9e?= n=?us-ascii?q?=20?=42\r\n"
    b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\n"
    b"Message-ID: <offre-42@atelier.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="cut"\r\n'
    b"\r\n"
    b"--cut\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n"
    b"\r\n"
    b"Voici notre offre : 1 200 =E2=82=AC.\r\n"
    b"--cut\r\n"
    b"Content-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="offre.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"JVBERi0xLjQKJcOkCg==\r\n"
    b"--cut--\r\n"
)
ATTACHMENT = b"%PDF-1.4\n%\xc3\xa4\n"


@dataclass
class Fixed:
    """A clock that stands still."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class World:
    """One operator. `development` marks its chain so in its trust."""

    log: str = "test/1"
    chain_id: int = 31337
    now: datetime = NOW
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    anchor_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    authority: AuthorityMaterial = field(
        default_factory=lambda: create_authority("Test", NOW - timedelta(days=30))
    )
    blocks: set[bytes] = field(default_factory=set)

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def trust(self, **changes: object) -> Trust:
        """This operator's trust file's content, with the blocks made so far."""
        root = x509.load_pem_x509_certificate(self.authority.root_pem).public_bytes(Encoding.DER)
        made = make_trust(
            [Service(self.log, (self.spki,), frozenset({anchor_sender(self.anchor_key)}))],
            [Authority("test", root, built_in=True)],
            [Chain(self.chain_id, "test chain", frozenset(self.blocks), development=True)],
            [],
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    def sign(self, record: Record) -> Signature:
        value = self.key.sign(SIGNATURE_LABEL + record.to_bytes(), ec.ECDSA(hashes.SHA256()))
        return Signature(key_id(self.spki), value)

    def stamp(self, imprint: bytes, when: datetime | None = None) -> Rfc3161Token:
        clock = Fixed(when or self.now + timedelta(seconds=1))
        issuer = BuiltInAuthority("test", self.authority, clock)
        return Rfc3161Token(issuer.respond(build_request(imprint, secrets.randbits(64))))

    def anchor(self, root: bytes, when: datetime | None = None, nonce: int = 0) -> EvmAnchor:
        raw = sign_anchor(self.anchor_key, self.chain_id, nonce, root, Price(10**9, 10**8))
        node = rlp.encode([b"\x20\x80", raw])  # the only leaf of the trie, under the key rlp(0)
        fields: list[rlp.Item] = [
            bytes(32), bytes(32), bytes(20), bytes(32), keccak256(node), bytes(32), bytes(256),
            b"", rlp.encode_int(1 + nonce), rlp.encode_int(30_000_000), rlp.encode_int(21_000),
            rlp.encode_int(int((when or self.now + timedelta(seconds=9)).timestamp())),
            b"", bytes(32), bytes(8), rlp.encode_int(7),
        ]  # fmt: skip
        header = rlp.encode(fields)
        self.blocks.add(keccak256(header))
        return EvmAnchor(raw, 0, (node,), header)

    def batch(self, record: bytes, others: int = 4, *, anchored: bool = True) -> Batch:
        header = Header(self.log, 1, FIRST_PREVIOUS, others + 1, self.now + timedelta(seconds=5))
        leaves = [b"other %d" % number for number in range(others)]
        leaves.insert(2, record)
        tree = batch_tree(header, leaves)
        anchors = (self.anchor(tree.root),) if anchored else ()
        return Batch(header, tuple(tree.path(0)), 3, tuple(tree.path(3)), anchors)

    def record(
        self, claims: Mapping[str, Json], kind: str = "message", received_at: datetime | None = None
    ) -> Proof:
        """A bare proof over these claims: signed, without witnesses."""
        sealed = make_record(
            kind, self.log, received_at or self.now, claims, secrets.token_bytes(32)
        )
        return Proof(sealed.record, sealed.entries, self.sign(sealed.record))

    def witness(self, proof: Proof) -> Proof:
        """The same proof with a token and an anchor."""
        data = proof.record.to_bytes()
        token = self.stamp(sha256(data).digest())
        return replace(proof, tokens=(token,), batches=(self.batch(data),))

    def prove(self, mail: bytes = MAIL) -> Proof:
        """A whole proof of a mail, as the service makes it."""
        return self.witness(self.record(claims_of(mail)))

    def prove_receipt(self, of: Proof) -> Proof:
        claims = {
            "authentication": {"checks": [], "sender": "none"},
            "defects": [],
            "receipt.of": base64url(sha256(of.record.to_bytes()).digest()),
            "receipt.report": {
                "disposition": "displayed", "final_recipient": "jean@client.example",
                "form": "direct", "kind": "mdn",
            },
        }  # fmt: skip
        return self.witness(self.record(claims, "receipt"))


def claims_of(mail: bytes) -> dict[str, Json]:
    """The claims that intake makes of a mail from a listed sender."""
    return {
        **mail_claims(scan(mail)),
        "authentication": {"checks": [], "sender": "relay"},
        "envelope.from": "claire@atelier.example",
        "envelope.peer": {"address": "127.0.0.1", "helo": "client"},
        "envelope.proof_addresses": ["proof@test.example"],
        "envelope.tls": "",
    }
