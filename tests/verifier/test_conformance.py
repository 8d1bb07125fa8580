"""Every vector, and changes of the good ones, by both verifiers: the second one is the page, in a
real Chromium, opened from the disk with the network off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from playwright.sync_api import Page

from proofmail.core.canonical import encode
from proofmail.core.mapping import mail_claims
from proofmail.core.proof import Rfc3161Token
from proofmail.core.scan import scan
from proofmail.verify.trust import Authority, make_trust
from tests.making import MAIL, World, claims_of
from tests.vectors.expected import FOLDERS, HERE, case_of, expected, finding
from tests.vectors.rfc3161.make import VECTORS as RESPONSES
from tests.vectors.rfc3161.make import root
from tests.verifier import test_scan_alike
from tests.verifier.alike import UNREADABLE, difference
from tests.verifier.browser import Case, chromium, opened
from tests.verifier.mutants import mutant, recorded
from tests.verifier.mutate import both, tally
from tests.verify.token_maker import IMPRINT, NOW, POLICY, Recipe, response_of

MUTATIONS = {"": 300, "all": 5_000}.get(os.environ.get("PROOFMAIL_FULL", ""), 1_500)
BEGUN_BY_OTHERS = {"wrong", "file", "trust", "copies", "digests", "number", "failed"}
"""Members of a case that are no finding."""
NOT_CASES = {
    "expected.json", "trust.json", "trust-without-list.json", "tsa-root.pem", "signer.pem",
    "list.xml", "good.tsr",
}  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser, opened(browser) as (page, complaints):
        yield page
        assert complaints == []


def found_in(report: dict[str, Any]) -> dict[str, Any]:
    """What a report that is read as JSON says of what is in `expected.json`."""
    if report == UNREADABLE:
        return report
    rows = [f"{row['number']} {row['status']}" for row in report["rows"]]
    made = {
        "exit_status": report["exit_status"], "existed_by": report["existed_by"], "rows": rows,
    }  # fmt: skip
    if report.get("copies"):
        made["found"] = [
            {
                "status": copy["status"],
                "what": copy["what"],
                "matches": [[match["part"], match["rung"]] for match in copy["matches"]],
            }
            for copy in report["copies"]
        ]
    return made


def bare(due: dict[str, Any]) -> dict[str, Any]:
    """The findings without the names that a report has only as sentences."""
    made = {key: value for key, value in due.items() if key not in BEGUN_BY_OTHERS}
    if "found" in made:
        made["found"] = [
            {key: copy[key] for key in ("status", "what", "matches")} for copy in made["found"]
        ]
    return made


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_in_a_case(folder: str) -> None:
    used = {
        name
        for key, case in expected(folder).items()
        for name in (case.get("file", key), *case.get("copies", ()))
    }
    kept = {
        path.name
        for path in (HERE / folder).iterdir()
        if path.is_file() and path.suffix not in (".py", ".md")
    }
    others = {"mail.eml", "offre.pdf"} if folder == "proof" else set()
    assert kept - NOT_CASES - others == used - others


@pytest.mark.parametrize("folder", FOLDERS)
def test_both_find_what_is_expected(page: Page, folder: str) -> None:
    due = expected(folder)
    for name, case in due.items():
        made = finding(case_of(folder, name, case))
        kept = {key: value for key, value in case.items() if key not in BEGUN_BY_OTHERS}
        assert made == kept, name
        failed = {row.partition(" ")[0] for row in made.get("rows", ()) if row.endswith(" failed")}
        assert set(case.get("failed", ())) <= failed, name
    cases = {f"{folder}/{name}": case for name, case in due.items()}
    given = [case_of(folder, name, case) for name, case in due.items()]
    for case, mine, other in both(page, given):
        assert difference(mine, other) == "", case.name
        assert found_in(mine) == found_in(other) == bare(cases[case.name]), case.name


def test_no_vector_is_verified_without_trust(page: Page) -> None:
    given = [
        replace(case_of(folder, name, case), trust=None)
        for folder in ("proof", "tree", "dossiers")
        for name, case in expected(folder).items()
    ]
    for case, mine, other in both(page, given):
        assert difference(mine, other) == "", case.name
        assert other["exit_status"] > 0, case.name


def mails() -> dict[str, dict[str, Any]]:
    """Claims by file."""
    return {
        f"{folder}/{name}": case["claims"]
        for folder in ("mails", "names")
        for name, case in json.loads((HERE / folder / "expected.json").read_bytes()).items()
    }


def test_every_mail_has_its_claims() -> None:
    assert {f"mails/{path.name}" for path in (HERE / "mails").glob("*.eml")} == {
        name for name in mails() if name.startswith("mails/")
    }
    for name, claims in mails().items():
        assert mail_claims(scan((HERE / name).read_bytes())) == claims, name


def test_the_other_scan_makes_the_same_claims() -> None:
    test_scan_alike.need_node()
    made = test_scan_alike.second([(HERE / name).read_bytes() for name in mails()])
    for (name, claims), other in zip(mails().items(), made, strict=True):
        assert encode(claims) == other, name


def test_every_mail_as_a_copy_of_itself(page: Page) -> None:
    """Once as a server hands it on: each value and part that the page reads is compared."""
    given = [recorded(name, (HERE / name).read_bytes()) for name in mails()]
    for case, mine, other in both(page, given):
        assert difference(mine, other) == "", case.name
        assert other["copies"][1]["matches"][0]["rung"] == "raw/1", case.name


def token_cases() -> Iterator[tuple[Case, str]]:
    """Each kept response made anew over a record, in its proof; and where T1 to T13 stop."""
    world = World(now=NOW)
    bare_proof = world.record(claims_of(MAIL))
    imprint = sha256(bare_proof.record.to_bytes()).digest()
    own = world.trust()
    trust = make_trust(own.services, [Authority("vectors", root().der, (POLICY,))], [], [])
    for name, vector in RESPONSES.items():
        recipe = vector.make()
        if not isinstance(recipe, Recipe):
            continue
        if recipe.imprint == IMPRINT:
            recipe = replace(recipe, imprint=imprint)
        proof = replace(bare_proof, tokens=(Rfc3161Token(response_of(recipe)),))
        yield Case(name, proof.to_bytes(), encode(trust.to_json())), vector.verification


def test_tokens_inside_proofs_stop_where_they_should(page: Page) -> None:
    stops = {case.name: (case, stop) for case, stop in token_cases()}
    assert len(stops) > 20
    for case, mine, other in both(page, [case for case, _ in stops.values()]):
        assert difference(mine, other) == "", case.name
        rows = [row for row in other["rows"] if row["number"].startswith("V5.T")]
        first = next((row["number"] for row in rows if row["status"] != "passed"), "")
        assert first == (f"V5.{stops[case.name][1]}" if stops[case.name][1] else ""), case.name


@pytest.mark.timeout(900)
def test_changes_of_good_ones_are_judged_alike(page: Page) -> None:
    made = tally(page, map(mutant, range(MUTATIONS)))
    assert made.disagreements == []
    assert made.count == MUTATIONS
    ends = {status for _, status in made.ends}
    assert ends == {0, 1, 2, 3}
    assert {kind for kind, _ in made.ends} == {
        "proof", "trust", "token", "dossier", "copy", "mail",
    }  # fmt: skip


def test_a_disagreement_would_be_seen(page: Page) -> None:
    """The reports of two cases that end otherwise are not alike: the comparison can fail."""
    good = case_of("copies", "", {"file": "letter.json", "copies": ["letter-to-base64.eml"]})
    bad = case_of("copies", "", {"file": "letter.json", "copies": ["letter-banner.eml"]})
    none = replace(good, proof=b"{}")
    (_, one, _), (_, _, other), (_, _, nothing) = both(page, [good, bad, none])
    assert difference(one, other).startswith("copies: ")
    unreadable = "unreadable to the second verifier alone; the other: verified"
    assert difference(one, nothing) == unreadable
