"""The kept RFC 3161 vectors before four judges: us, openssl, rfc3161-client and EU DSS.

Each is told the same: data, nonce, policy, the trusted roots, the issuers, and the moment of the
token's own genTime where it takes one. `python -m tests.judges.tokens` writes the table.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import rfc3161_client
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.errors import CheckFailed, NotChecked, ProofmailError, Unreadable
from proofmail.verify.token import (
    RECEPTION_CHECKS,
    TOKEN_CHECKS,
    Reception,
    TokenAnchor,
    TokenContext,
    TokenTrust,
    read_response,
)
from proofmail.verify.token_reader import take_apart
from tests.judges.dss import Known, TokenJob, Verdict, judge_tokens
from tests.parts import need
from tests.vectors.rfc3161.make import HERE, request
from tests.verify.token_maker import NONCE

PAGE = HERE / "JUDGES.md"
DATA = (HERE / "data").read_bytes()
IMPRINT = hashlib.sha256(DATA).digest()
EXPECTED: dict[str, dict[str, str | int]] = json.loads((HERE / "expected.json").read_bytes())
ROOTS = ("root", "built-in-p256-root", "built-in-rsa3072-root")
HELPERS = ("issuer", "issuer-with-usage", "signer-p256")
JUDGES = ("openssl", "rfc3161-client", "EU DSS")
_OUTCOMES = {CheckFailed: "failed", NotChecked: "not checked", Unreadable: "unreadable"}


def certificate(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((HERE / f"{name}.pem").read_bytes())


def response(name: str) -> bytes:
    return (HERE / f"{name}.tsr").read_bytes()


def asked_at(name: str) -> datetime:
    return datetime.fromtimestamp(int(EXPECTED[name]["asked_at"]), UTC)


def gen_time(name: str) -> datetime:
    """The token's own; when the request was made if the answer cannot be read."""
    try:
        token_der = read_response(response(name)).token_der or b""
        return take_apart(token_der, 0).info.gen_time
    except Unreadable:
        return asked_at(name)


def trust() -> TokenTrust:
    """Each root for its own policy: the built-in ones for theirs."""
    policies = [str(EXPECTED[name]["policy"]) for name in
                ("good-p256", "good-built-in-p256", "good-built-in-rsa3072")]  # fmt: skip
    return TokenTrust(
        tuple(
            TokenAnchor(certificate(root), frozenset({policy}))
            for root, policy in zip(ROOTS, policies, strict=True)
        )
    )


def ours(name: str) -> tuple[str, str, str]:
    """Where R and T stop, "" where they pass, and how: failed, unreadable, not checked."""
    asked, moment = asked_at(name), timedelta(milliseconds=300)
    reception = Reception(NONCE, asked - moment, asked + moment)
    context = TokenContext(response(name), IMPRINT, trust(), reception=reception)
    stops, outcome = [], "passed"
    for checks in (RECEPTION_CHECKS, TOKEN_CHECKS):
        stopped = ""
        for check in checks:
            try:
                check.run(context)
            except ProofmailError as error:
                stopped = stopped or check.number
                if check.number == stopped:
                    outcome = _OUTCOMES[type(error)]
        stops.append(stopped)
    return stops[0], stops[1], outcome


def by_openssl(name: str, folder: Path) -> bool:
    (folder / "roots.pem").write_bytes(b"".join((HERE / f"{r}.pem").read_bytes() for r in ROOTS))
    (folder / "more.pem").write_bytes(b"".join((HERE / f"{h}.pem").read_bytes() for h in HELPERS))
    (folder / "query").write_bytes(request(str(EXPECTED[name]["policy"])))
    done = subprocess.run(
        [need("openssl"), "ts", "-verify", "-queryfile", folder / "query",
         "-in", HERE / f"{name}.tsr", "-CAfile", folder / "roots.pem",
         "-untrusted", folder / "more.pem", "-x509_strict",
         "-attime", str(int(gen_time(name).timestamp()))],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return done.returncode == 0 and "Verification: OK" in done.stdout


def by_rfc3161_client(name: str) -> bool:
    builder = rfc3161_client.VerifierBuilder(
        policy_id=x509.ObjectIdentifier(str(EXPECTED[name]["policy"])), nonce=NONCE
    )
    for root in ROOTS:
        builder = builder.add_root_certificate(certificate(root))
    for helper in ("issuer", "issuer-with-usage"):
        builder = builder.add_intermediate_certificate(certificate(helper))
    try:
        decoded = rfc3161_client.decode_timestamp_response(response(name))
        return builder.build().verify(decoded, IMPRINT)
    except (rfc3161_client.VerificationError, ValueError):
        return False


def by_dss(folder: Path) -> dict[str, Verdict]:
    """All vectors in one run."""
    files = {}
    for name in (*ROOTS, *HELPERS):
        files[name] = folder / f"{name}.der"
        files[name].write_bytes(certificate(name).public_bytes(Encoding.DER))
    jobs = [
        TokenJob(
            name, HERE / f"{name}.tsr", IMPRINT, NONCE, str(EXPECTED[name]["policy"]),
            int(gen_time(name).timestamp()),
        )
        for name in EXPECTED
    ]  # fmt: skip
    known = Known(
        [files[name] for name in ROOTS],
        [files[name] for name in HELPERS],
        sorted(HERE.glob("*.crl")),
    )
    return judge_tokens(jobs, known)


def verdicts(folder: Path) -> dict[str, dict[str, bool]]:
    """What each outside judge says of each vector: whether it accepts it."""
    dss = by_dss(folder)
    return {
        name: {
            "openssl": by_openssl(name, folder),
            "rfc3161-client": by_rfc3161_client(name),
            "EU DSS": dss[name].accepted,
        }
        for name in EXPECTED
    }


REASONS: dict[tuple[str, str], str] = {
    ("good-issuer-first", "rfc3161-client"): "asks for DER's order of the certificates, which is "
    "outside of what is signed",
    ("imprint-under-sha3-256", "rfc3161-client"): "compares the octets of the imprint alone",
    ("essid-missing", "rfc3161-client"): "does not look for the attribute",
    ("essid-of-another", "rfc3161-client"): "does not look for the attribute",
    ("essid-of-another", "EU DSS"): "warns only: its default policy has this check at WARN",
    ("essid-of-a-twin", "rfc3161-client"): "does not look for the attribute",
    ("essid-of-a-twin", "EU DSS"): "warns only, as above",
    ("usage-not-critical", "EU DSS"): "asks that the usage is there, not that it is critical "
    "(RFC 3161 §2.3 says MUST)",
    ("usage-with-server-auth", "EU DSS"): "asks that the usage is there, not that it is alone "
    "(RFC 3161 §2.3 says only)",
    ("gentime-ahead", "openssl"): "knows no moment of the request",
    ("gentime-ahead", "rfc3161-client"): "knows no moment of the request",
    ("gentime-ahead", "EU DSS"): "knows no moment of the request",
    ("content-type-attribute-data", "openssl"): "does not compare the attribute with the content "
    "(RFC 5652 §11.1 says MUST)",
    ("content-type-attribute-data", "rfc3161-client"): "does so through openssl, which does not "
    "compare",
    ("status-granted-with-mods", "openssl"): "takes grantedWithMods as granted; we asked for "
    "nothing that may be modified",
    ("status-granted-with-mods", "EU DSS"): "takes grantedWithMods as granted",
    ("trailing-bytes", "openssl"): "reads the first element and leaves the rest",
    ("indefinite-length", "openssl"): "reads BER",
    ("indefinite-length", "EU DSS"): "reads BER",
}
"""Why a judge does not say what our reception list says."""

_INTRO = """\
# The vectors before four judges

Written by `python -m tests.judges.tokens`; do not edit. A test makes it anew and compares.

*R* and *T* are our two lists (SPEC.md §5.3): where each stops, or that it passes. The others are
`openssl ts -verify -attime` at genTime, with the query, strict about certificates; rfc3161-client
with the policy, the nonce and the imprint; and EU DSS, whose client receives the answer to the same
request before its validator judges the token at genTime. DSS has CRLs of that time at hand and runs
its default policy, with one constraint added: no revocation data is asked for of a certificate
that carries noRevAvail (RFC 9608), as the built-in authority's does.

"""


def page(found: Mapping[str, Mapping[str, bool]]) -> str:
    rows = ["| vector | what is wrong | R | T | " + " | ".join(JUDGES) + " |"]
    rows.append("|" + "---|" * (4 + len(JUDGES)))
    notes: list[str] = []
    for name, expected in EXPECTED.items():
        ours_says = not expected["reception"]
        cells = []
        for judge in JUDGES:
            accepts = found[name][judge]
            cell = "accepts" if accepts else "refuses"
            if accepts != ours_says:
                notes.append(f"{judge} on `{name}`: {REASONS[name, judge]}.")
                cell = f"**{cell}** ({len(notes)})"
            cells.append(cell)
        stops = [_stop(expected, key) for key in ("reception", "verification")]
        rows.append(f"| `{name}` | {expected['wrong']} | " + " | ".join((*stops, *cells)) + " |")
    numbered = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return _INTRO + "\n".join([*rows, "", "Where a judge differs from R:", "", *numbered, ""])


def _stop(expected: Mapping[str, str | int], key: str) -> str:
    if not expected[key]:
        return "passes"
    return f"{expected[key]} {expected['outcome']}"


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        PAGE.write_text(page(verdicts(Path(place))), encoding="utf-8")
