"""Makes the vectors of this folder anew: python -m tests.vectors.rfc3161.make

All answer one request (data, nonce, policy; NOW of tests/verify/token_maker.py), and each but the
good ones has one thing wrong. The keys are thrown away. DigiCert's files are left as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from anchoring.authority import POLICY as BUILT_IN_POLICY
from anchoring.authority import BuiltInAuthority
from anchoring.authority_identity import AuthorityMaterial, KeyKind, create_authority
from proofmail.core import der
from proofmail.verify import cms
from tests.verify import token_maker as maker
from tests.verify.token_maker import (
    DATA,
    DAY,
    IMPRINT,
    NONCE,
    NOW,
    OTHER_POLICY,
    POLICY,
    SERVER,
    STAMPING,
    Credential,
    Recipe,
    certify,
    key_of,
)

HERE = Path(__file__).parent
THEN = NOW - 100 * DAY
LONG = {"start": NOW - 365 * DAY, "end": NOW + 3000 * DAY}


@dataclass(frozen=True)
class Vector:
    """How a response is made, and where the two lists stop ("" where they pass)."""

    title: str
    make: Callable[[], Recipe | bytes]
    reception: str = ""
    verification: str = ""
    policy: str = POLICY
    asked_at: datetime = NOW
    outcome: str = "failed"


@cache
def root() -> Credential:
    return certify("vector root", None, ca=True, key=key_of("rsa3072", 1), **_CENTURIES)


_CENTURIES = {"start": NOW - 4000 * DAY, "end": NOW + 8000 * DAY}


@cache
def issuer() -> Credential:
    return certify("vector issuer", root(), ca=True, **_CENTURIES)


@cache
def issuer_with_usage() -> Credential:
    return certify(
        "vector issuer with a usage", root(), ca=True, usages=(STAMPING,), critical=False,
        **_CENTURIES,
    )  # fmt: skip


@cache
def leaf(kind: str = "p256") -> Credential:
    return certify(f"vector TSA {kind}", issuer(), key=key_of(kind), usages=(STAMPING,), **LONG)


def _good(kind: str = "p256") -> Recipe:
    return Recipe(leaf(kind), certificates=(leaf(kind).der, issuer().der))


def _by(**options: object) -> Recipe:
    made = {"usages": (STAMPING,), **LONG, **options}
    signer = certify("vector odd TSA", issuer(), **made)
    return Recipe(signer, certificates=(signer.der, issuer().der))


def _at(recipe: Recipe, moment: datetime) -> Recipe:
    return replace(recipe, gen_time=der.generalized_time(moment))


def _under_usage() -> Recipe:
    signer = certify("vector TSA under a usage", issuer_with_usage(), usages=(STAMPING,), **LONG)
    return Recipe(signer, certificates=(signer.der, issuer_with_usage().der))


def _issuer_first() -> bytes:
    """The certificates' SET OF out of DER's order, the issuer's in front."""
    recipe = _good("rsa3072")
    sorted_set = der.set_of(leaf("rsa3072").der, issuer().der, tag=der.context(0))
    turned = der.tlv(der.context(0), issuer().der + leaf("rsa3072").der)
    response = maker.response_of(recipe)
    other = der.tlv(der.context(0), leaf("rsa3072").der + issuer().der)
    return response.replace(sorted_set, turned if sorted_set != turned else other)


def _twin() -> Recipe:
    twin = certify("vector TSA p256", issuer(), key=leaf().key, usages=(STAMPING,), **LONG)
    return replace(_good(), ess_of=twin)


def _forged(name: str) -> Recipe:
    forger = certify(name, None, ca=True, **_CENTURIES)
    signer = certify("vector TSA p256", forger, usages=(STAMPING,), **LONG)
    return Recipe(signer, certificates=(signer.der, forger.der))


def _tampered_time(recipe: Recipe) -> bytes:
    """The TSTInfo inside says another time than the one that was signed."""
    other = maker.info_of(_at(recipe, NOW + timedelta(seconds=1)))
    return maker.response_of(recipe, maker.token_of(recipe, other, maker.info_of(recipe)))


def _indefinite() -> bytes:
    """BER: the outermost length is not a definite one."""
    return b"\x30\x80" + maker.response_of(_good())[4:] + b"\0\0"


@cache
def built_in(kind: KeyKind) -> AuthorityMaterial:
    return create_authority("Vectors", NOW - 30 * DAY, kind)


class _Still:
    def now(self) -> datetime:
        return NOW


def request(policy: str) -> bytes:
    imprint = der.sequence(der.sequence(der.oid(maker.SHA256), der.NULL_DER), der.octets(IMPRINT))
    certificates = b"\x01\x01\xff"
    return der.sequence(der.integer(1), imprint, der.oid(policy), der.integer(NONCE), certificates)


def _built_in(kind: KeyKind) -> bytes:
    return BuiltInAuthority("built-in", built_in(kind), _Still()).respond(request(BUILT_IN_POLICY))


_OVER = {"start": NOW - 300 * DAY, "end": NOW - 50 * DAY}

VECTORS: dict[str, Vector] = {
    "good-p256": Vector("nothing", _good),
    "good-rsa3072": Vector("nothing", lambda: _good("rsa3072")),
    "good-built-in-p256": Vector("nothing", lambda: _built_in("p256"), policy=BUILT_IN_POLICY),
    "good-built-in-rsa3072": Vector(
        "nothing", lambda: _built_in("rsa3072"), policy=BUILT_IN_POLICY
    ),
    "good-essid-v1": Vector(
        "nothing; ESSCertID v1 alone, which is SHA-1", lambda: replace(_good(), ess=("v1",))
    ),
    "good-issuer-with-usage": Vector(
        "nothing; the issuer carries the timeStamping usage", _under_usage
    ),
    "good-issuer-first": Vector("nothing; the certificates are not in DER's order", _issuer_first),
    "good-expired-since": Vector(
        "nothing; the signer's certificate has expired since genTime",
        lambda: _at(_by(**_OVER), THEN),
        asked_at=THEN,
    ),
    "imprint-of-other-data": Vector(
        "the imprint is of other data", lambda: replace(_good(), imprint=b"\1" * 32), "R3", "T3"
    ),
    "imprint-under-sha3-256": Vector(
        "the imprint's bytes stand under the OID of SHA3-256",
        lambda: replace(_good(), imprint_oid=maker.SHA3_256),
        "R3",
        "T3",
    ),
    "nonce-other": Vector("the nonce is another", lambda: replace(_good(), nonce=42), "R4"),
    "nonce-missing": Vector("the nonce is left out", lambda: replace(_good(), nonce=None), "R4"),
    "policy-other": Vector(
        "the policy is not the one asked for, nor one that the authority is trusted for",
        lambda: replace(_good(), policy=OTHER_POLICY),
        "R14",
        "T13",
    ),
    "essid-missing": Vector("no ESSCertID", lambda: replace(_good(), ess=()), "R9", "T8"),
    "essid-of-another": Vector(
        "ESSCertIDv2 names the issuer's certificate",
        lambda: replace(_good(), ess_of=issuer()),
        "R9",
        "T8",
    ),
    "essid-of-a-twin": Vector(
        "ESSCertIDv2 names another certificate of the same name and key", _twin, "R9", "T8"
    ),
    "usage-missing": Vector(
        "the signer's certificate has no extended key usage",
        lambda: _by(usages=()),
        "R11",
        "T10",
    ),
    "usage-not-critical": Vector(
        "the signer's extended key usage is not critical",
        lambda: _by(critical=False),
        "R11",
        "T10",
    ),
    "usage-with-server-auth": Vector(
        "the signer's certificate is for TLS servers too",
        lambda: _by(usages=(STAMPING, SERVER)),
        "R11",
        "T10",
    ),
    "expired-at-gentime": Vector(
        "the signer's certificate had expired at genTime", lambda: _by(**_OVER), "R12", "T11"
    ),
    "not-valid-yet": Vector(
        "genTime is before the signer's certificate begins",
        lambda: _by(start=NOW + DAY, end=NOW + 3000 * DAY),
        "R12",
        "T11",
    ),
    "gentime-ahead": Vector(
        "genTime is five years after the answer",
        lambda: _at(_good(), NOW + 1825 * DAY),
        "R15",
    ),
    "other-root": Vector(
        "the path ends in a root that nobody trusts",
        lambda: _forged("stranger's root"),
        "R13",
        "T12",
        outcome="not checked",
    ),
    "forged-self-rooted": Vector(
        "the token brings a root of the forger's own, under the trusted root's name",
        lambda: _forged("vector root"),
        "R13",
        "T12",
    ),
    "signature-tampered-p256": Vector(
        "the signature is changed", lambda: replace(_good(), break_signature=True), "R10", "T9"
    ),
    "signature-tampered-rsa3072": Vector(
        "the signature is changed",
        lambda: replace(_good("rsa3072"), break_signature=True),
        "R10",
        "T9",
    ),
    "gentime-tampered-rsa3072": Vector(
        "genTime is changed after signing", lambda: _tampered_time(_good("rsa3072")), "R8", "T7"
    ),
    "content-type-attribute-data": Vector(
        "the signed contentType attribute says data",
        lambda: replace(_good(), content_type_attribute=cms.DATA),
        "R7",
        "T6",
    ),
    "two-signers": Vector(
        "the one SignerInfo is there twice", lambda: replace(_good(), signers=2), "R5", "T4"
    ),
    "certificates-missing": Vector(
        "the signer's certificate is not carried",
        lambda: replace(_good(), certificates=()),
        "R6",
        "T5",
    ),
    "status-granted-with-mods": Vector(
        "the status is grantedWithMods", lambda: replace(_good(), status=1), "R2", "T2"
    ),
    "status-rejection": Vector(
        "the status is rejection, and a token is there",
        lambda: replace(_good(), status=2),
        "R2",
        "T2",
    ),
    "trailing-bytes": Vector(
        "three bytes follow the response",
        lambda: maker.response_of(_good()) + bytes(3),
        "R1",
        "T1",
        outcome="unreadable",
    ),
    "indefinite-length": Vector(
        "BER: an indefinite length", _indefinite, "R1", "T1", outcome="unreadable"
    ),
}


def response_of(vector: Vector) -> bytes:
    made = vector.make()
    return made if isinstance(made, bytes) else maker.response_of(made)


def _crl(by: Credential, moment: datetime) -> bytes:
    """An empty list, for judges that want one: three weeks around the moment."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.certificate.subject)
        .last_update(moment - 7 * DAY)
        .next_update(moment + 14 * DAY)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
    )
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def main() -> None:
    for old in (*HERE.glob("*.crl"), *(HERE / f"{name}.tsr" for name in VECTORS)):
        old.unlink(missing_ok=True)
    expected = {}
    for name, vector in VECTORS.items():
        (HERE / f"{name}.tsr").write_bytes(response_of(vector))
        expected[name] = {
            "wrong": vector.title,
            "reception": vector.reception,
            "verification": vector.verification,
            "outcome": vector.outcome if vector.reception else "passed",
            "policy": vector.policy,
            "asked_at": int(vector.asked_at.timestamp()),
        }
    (HERE / "data").write_bytes(DATA)
    (HERE / "root.pem").write_bytes(root().certificate.public_bytes(Encoding.PEM))
    helpers = (issuer(), issuer_with_usage(), leaf())
    names = ("issuer", "issuer-with-usage", "signer-p256")
    for helper_name, helper in zip(names, helpers, strict=True):
        path = HERE / f"{helper_name}.pem"
        path.write_bytes(helper.certificate.public_bytes(Encoding.PEM))
    for kind in ("p256", "rsa3072"):
        (HERE / f"built-in-{kind}-root.pem").write_bytes(built_in(kind).root_pem)
    for by, who in ((root(), "root"), (issuer(), "issuer"), (issuer_with_usage(), "usage")):
        for moment in (NOW, THEN, NOW + 1825 * DAY):
            (HERE / f"{who}-{moment:%Y%m%d}.crl").write_bytes(_crl(by, moment))
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
