"""Both verifiers say the same of tokens, paths and revocation data that are wrong in many ways."""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.core import der
from proofmail.core.canonical import format_time
from proofmail.core.proof import CRL, RevocationData
from proofmail.errors import CheckFailed, NotChecked, ProofmailError, Unreadable
from proofmail.verify.revocation import standing
from proofmail.verify.token import TOKEN_CHECKS, TokenContext, token_facts
from tests.parts import give_up, need
from tests.verifier.changed_der import changed
from tests.verifier.comparison import ENVIRONMENT, VERIFIER
from tests.verify.status_maker import answer, crl
from tests.verify.test_revocation import ABOVE, AFTER, BEFORE, CA, HARMFUL, HARMLESS, NOTHING, TSA
from tests.verify.test_token import BAD, GOOD
from tests.verify.token_maker import (
    DAY,
    IMPRINT,
    NOW,
    STAMPING,
    Credential,
    Recipe,
    certify,
    extended,
    response_of,
    root,
    trust_in,
)

TOKENS, CERTIFICATES, LISTS = 500, 500, 400
"""How many changed ones of each are compared."""


@dataclass(frozen=True)
class Case:
    name: str
    response: bytes
    items: Sequence[RevocationData] = ()


@pytest.fixture(autouse=True)
def _node() -> None:
    need("node")
    if not (VERIFIER / "node_modules/.bin/vite-node").exists():
        give_up("needs the packages of verifier/: npm ci")


def _spelt(data: bytes) -> str:
    return b64encode(data).decode()


def _second(cases: Sequence[Case]) -> list[dict[str, object]]:
    anchor = _spelt(root().der)
    lines = [
        json.dumps(
            {
                "response": _spelt(case.response),
                "imprint": _spelt(IMPRINT),
                "authorities": [anchor],
                "certificates": [],
                "items": [[item.kind, _spelt(item.value)] for item in case.items],
            }
        )
        for case in cases
    ]
    done = subprocess.run(
        [VERIFIER / "node_modules/.bin/vite-node", "node/tokens.ts"],
        cwd=VERIFIER, input="".join(f"{line}\n" for line in lines), capture_output=True,
        text=True, check=False, timeout=300, env=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _first(case: Case) -> dict[str, object]:
    context = TokenContext(case.response, IMPRINT, trust_in(root()))
    results = []
    for check in TOKEN_CHECKS:
        status = "passed"
        try:
            check.run(context)
        except NotChecked:
            status = "not checked"
        except ProofmailError:
            status = "failed"
        results.append([check.number, status])
    path: list[str] = []
    revocation: list[str] = []
    try:
        facts = token_facts(context)
        revocation = ["not checked", ""]
        chain = context.path
        path = [sha256(one.public_bytes(Encoding.DER)).hexdigest() for one in chain]
        revocation = ["failed", ""]
        found = standing(chain, case.items, facts.gen_time)
        revocation = ["passed", format_time(found.as_of)]
    except NotChecked:
        revocation = ["not checked", ""]
    except (CheckFailed, Unreadable):
        pass
    return {"results": results, "path": path, "revocation": revocation}


def _disagreements(cases: Sequence[Case]) -> list[str]:
    others = _second(cases)
    assert len(others) == len(cases)
    return [
        f"{case.name}: {ours} but {theirs}"
        for case, theirs in zip(cases, others, strict=True)
        if (ours := _first(case)) != theirs
    ]


def _recipes() -> list[Case]:
    made = {name: make() for name, (make, _, _) in BAD.items()}
    made |= {name: make() for name, (make, _) in GOOD.items()}
    return [
        Case(name, one if isinstance(one, bytes) else response_of(one))
        for name, one in made.items()
    ]


def test_of_tokens_with_one_thing_wrong_and_of_changed_ones() -> None:
    dice = random.Random(20261122)
    cases = _recipes()
    seeds = list(cases)
    for number in range(TOKENS):
        seed = dice.choice(seeds)
        if number % 3 == 0:
            flipped = bytearray(seed.response)
            flipped[dice.randrange(len(flipped))] ^= dice.randrange(1, 256)
            cases.append(Case(f"{number} {seed.name}, a byte", bytes(flipped)))
        elif not seed.name.startswith("trailing"):
            cases.append(Case(f"{number} {seed.name}", changed(seed.response, dice)))
    assert not _disagreements(cases)


@dataclass(frozen=True)
class _Odd(Credential):
    """A certificate that the library may refuse to read."""

    raw: bytes = b""

    @property
    def der(self) -> bytes:
        return self.raw


def _signed(tbs: bytes, issuer: Credential) -> bytes:
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    algorithm = der.sequence(der.oid("1.2.840.10045.4.3.2"))
    signature = issuer.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return der.sequence(tbs, algorithm, der.tlv(der.BIT_STRING, b"\0", signature))


def _odd(of: Credential, issuer: Credential, dice: random.Random) -> _Odd:
    """The certificate changed, and signed again by its issuer."""
    tbs = changed(der.only(of.der).raw(), dice)
    return _Odd(of.key, of.certificate, _signed(tbs, issuer))


def test_of_certificates_that_are_odd_and_yet_signed() -> None:
    dice = random.Random(20261123)
    sub = certify("test sub", root(), ca=True, path_length=0)
    signer = certify("test TSA", sub, usages=(STAMPING,))
    cases: list[Case] = []
    while len(cases) < CERTIFICATES:
        mine, above = signer, sub
        if len(cases) % 2:
            mine = _odd(signer, sub, dice)
        else:
            above = _odd(sub, root(), dice)
        try:
            response = response_of(Recipe(mine, certificates=(mine.der, above.der)))
        except Unreadable:
            continue  # the maker could not name it
        cases.append(Case(f"certificate {len(cases)}", response))
    assert not _disagreements(cases)


def _items() -> dict[str, RevocationData]:
    found = {name: make() for name, make in NOTHING.items() if name != "kind unknown"}
    found |= {"good list": crl(CA), "good answer": answer(TSA, CA)}
    later = NOW + 2 * DAY
    for reason in (*HARMLESS, *HARMFUL):
        for when in (BEFORE, NOW, AFTER):
            name = f"{reason} at {when}"
            listed = [(TSA, when, reason)]
            found[f"list, {name}"] = crl(CA, listed, as_of=later, until=NOW + 9 * DAY)
            revoked = (when, reason)
            found[f"answer, {name}"] = answer(TSA, CA, revoked=revoked, as_of=later, until=None)
    return found


def test_of_revocation_data_good_bad_and_changed() -> None:
    dice = random.Random(20261124)
    response = response_of(Recipe(TSA, certificates=(TSA.der, CA.der)))
    items = _items()
    cases = [Case(name, response, (item, ABOVE)) for name, item in items.items()]
    cases += [Case(f"{n}, and a good one", response, (i, crl(CA), ABOVE)) for n, i in items.items()]
    readable = [n for n, i in items.items() if n not in ("not DER", "with bytes behind it")]
    for number in range(LISTS):
        name = dice.choice(readable)
        item = items[name]
        value = changed(item.value, dice)
        if item.kind == CRL and number % 2 and item.value[:1] == b"\x30" and "answer" not in name:
            value = _signed(changed(der.only(item.value).raw(), dice), CA)
        odd = RevocationData(item.kind, value)
        cases.append(Case(f"{number} {name}", response, (odd, ABOVE)))
    assert not _disagreements(cases)


def test_of_constraints_on_names() -> None:
    names = {
        "host": x509.DNSName("a.example.com"),
        "pattern": x509.DNSName("*.example.com"),
        "mail": x509.RFC822Name("u@example.com"),
        "locator": x509.UniformResourceIdentifier("http://a.example.com/"),
    }
    bases = [
        x509.DNSName("example.com"), x509.DNSName("x.example.com"), x509.DNSName("a.example.com"),
        x509.DNSName("bad..name"), x509.RFC822Name("example.com"), x509.RFC822Name(".example.com"),
        x509.UniformResourceIdentifier("example.com"),
        x509.DirectoryName(root().certificate.subject),
    ]  # fmt: skip
    cases = []
    for base in bases:
        for permitted, excluded in (([base], None), (None, [base])):
            constraints = x509.NameConstraints(permitted, excluded)
            sub = extended(certify("test sub", root(), ca=True), root(), constraints)
            for name, value in names.items():
                signer = certify("test TSA", sub, usages=(STAMPING,))
                signer = extended(signer, sub, x509.SubjectAlternativeName([value]))
                recipe = Recipe(signer, certificates=(signer.der, sub.der))
                cases.append(Case(f"{name} under {constraints}", response_of(recipe)))
    assert not _disagreements(cases)
