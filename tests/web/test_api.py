"""The API: who may ask, what is answered, and in which shape a refusal comes."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.testclient import TestClient

from anchoring.tsa_client import build_request
from proofmail.accounts.keys import create_key, list_keys, revoke_key
from proofmail.accounts.trail import check_trail, list_trail
from proofmail.core.canonical import decode
from proofmail.core.extracts import ListExtract
from proofmail.core.proof import Rfc3161Token, read_proof
from proofmail.errors import CheckFailed, TryLater
from proofmail.store.erasing import erase
from proofmail.verify.checks import verify_proof
from proofmail.verify.lists import ListedService, Period, TrustedList
from proofmail.verify.trust import read_trust
from tests.making import ATTACHMENT, MAIL, NOW
from tests.store.house import fill, read_receipt
from tests.web.house import Guest, Site

GUARDED = (
    "/api/v1/records",
    "/api/v1/records/{id}",
    "/api/v1/records/{id}/proof.json",
    "/api/v1/records/{id}/dossier.pdf",
    "/api/v1/records/{id}/redacted/proof.json",
    "/api/v1/records/{id}/redacted/dossier.pdf",
    "/api/v1/counts",
    "/api/v1/ledger",
    "/api/v1/witnesses",
    "/api/v1/exports",
)


def problem(response: Any, status: int) -> dict[str, Any]:
    """The problem details of a response that must be one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"].endswith(".")
    assert set(body) <= {"type", "title", "status", "detail", "errors"}
    return body


@pytest.mark.parametrize("path", GUARDED)
def test_every_call_needs_a_key(site: Site, guest: Guest, path: str) -> None:
    path = path.format(id=site.record(guest))
    client = site.app_client()
    answer = client.get(path)
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for wrong in ("Bearer pm_wrong", f"Bearer {guest.key}x", f"Basic {guest.key}", "Bearer "):
        problem(client.get(path, headers={"Authorization": wrong}), 401)
    assert client.get(path, headers={"Authorization": f"Bearer {guest.key}"}).status_code == 200


def test_a_session_is_not_a_key_nor_a_key_a_session(site: Site, guest: Guest) -> None:
    problem(site.browser(guest).get("/api/v1/records"), 401)
    assert site.api(guest).get("/records").headers["location"].startswith("/sign-in")


def test_a_revoked_key_is_refused(site: Site, guest: Guest) -> None:
    client = site.api(guest)
    assert client.get("/api/v1/counts").status_code == 200
    with site.store.write() as connection:
        revoke_key(connection, guest.id, list_keys(site.store, guest.id)[0].id, NOW)
    problem(client.get("/api/v1/counts"), 401)


def test_an_admin_key_reads_too(site: Site, guest: Guest) -> None:
    with site.store.write() as connection:
        key = create_key(connection, guest.id, "other", "admin", NOW).key
    answer = site.app_client().get("/api/v1/counts", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", GUARDED[1:4])
def test_another_organisations_record_does_not_exist(site: Site, guest: Guest, path: str) -> None:
    record = site.record(guest)
    other = site.api(site.guest("voisin"))
    foreign = problem(other.get(path.format(id=record)), 404)
    unknown = problem(other.get(path.format(id="a" * 26)), 404)
    assert foreign == unknown
    assert other.get("/api/v1/records").json() == {"records": []}
    assert other.get("/api/v1/counts").json()["messages"] == 0
    assert not list_trail(site.store, guest.id, limit=10)


@pytest.mark.parametrize("bad", ["A", "..%2f..", "%00", "x" * 500, "é"])
def test_ids_of_no_record_are_not_found(site: Site, guest: Guest, bad: str) -> None:
    problem(site.api(guest).get(f"/api/v1/records/{bad}"), 404)


def test_a_record_in_a_list(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    (row,) = site.api(guest).get("/api/v1/records").json()["records"]
    assert row == {
        "id": record,
        "kind": "message",
        "state": "recorded",
        "stamped": False,
        "received_at": "2026-11-21T10:00:00.123Z",
        "subject": "Offre signée n 42",
        "sender": "claire@atelier.example",
        "recipients": ["jean@client.example", "notaire@etude.example", "luc@atelier.example"],
        "recipients_count": 3,
        "attachments": 1,
    }


def test_pages_follow_one_another_without_gap_or_overlap(site: Site, guest: Guest) -> None:
    made = fill(site.store, guest.id, 25)
    client = site.api(guest)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(10):
        page = client.get("/api/v1/records", params={"limit": 10, **cursor}).json()
        seen += [row["id"] for row in page["records"]]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert seen == made[::-1]


def test_filters(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    site.clock.moment += timedelta(hours=1)
    receipt = site.record(guest, read_receipt("offre-42@atelier.example"), sender="")
    client = site.api(guest)

    def found(**asked: str) -> list[str]:
        return [r["id"] for r in client.get("/api/v1/records", params=asked).json()["records"]]

    assert found() == [receipt, record]
    assert found(kind="receipt") == [receipt]
    assert found(text="OFFRE signee") == [record]
    assert found(text="nothing of the kind\x00") == []
    assert found(since="2026-11-21T10:30:00Z") == [receipt]
    assert found(until="2026-11-21T11:30:00+01:00") == [record]
    assert found(state="recorded") == [receipt, record]
    assert found(state="final") == []
    row = client.get("/api/v1/records", params={"kind": "receipt"}).json()["records"][0]
    assert row["receipt_of"] == record


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"state": "gone"}, "state"),
        ({"kind": "mail"}, "kind"),
        ({"text": "x" * 201}, "text"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-21T10:00:00"}, "since"),  # without a zone
        ({"cursor": "x" * 41}, "cursor"),
    ],
)
def test_parameters_out_of_bounds(
    site: Site, guest: Guest, asked: dict[str, str], parameter: str
) -> None:
    body = problem(site.api(guest).get("/api/v1/records", params=asked), 422)
    assert [error["parameter"] for error in body["errors"]] == [parameter]
    assert "yesterday" not in str(body)
    assert "pydantic" not in str(body)


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1--1", "9" * 19 + "-" + "9" * 20])
def test_a_cursor_that_is_none_of_ours(site: Site, guest: Guest, cursor: str) -> None:
    problem(site.api(guest).get("/api/v1/records", params={"cursor": cursor}), 422)


def test_one_record_with_its_witnesses(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    receipt = site.record(guest, read_receipt("offre-42@atelier.example"), sender="")
    client = site.api(guest)
    before = client.get(f"/api/v1/records/{record}").json()
    assert before["verdict"] == "not verified under this trust"
    assert "existed_by" not in before
    assert [step["done"] for step in before["timeline"]] == [True, False, False, False, False]
    site.stamp()
    site.anchor()
    after = client.get(f"/api/v1/records/{record}").json()
    assert (after["state"], after["stamped"], after["verdict"]) == ("final", True, "verified")
    assert [step["done"] for step in after["timeline"]] == [True] * 5
    assert {w["kind"]: w["status"] for w in after["witnesses"]} == {
        "rfc3161": "passed",
        "evm": "passed",
    }
    assert [row["id"] for row in after["receipts"]] == [receipt]
    assert after["addenda"] == []
    claims = {claim["name"]: claim for claim in after["claims"]}
    assert claims["envelope.from"]["source"] == "observed"
    assert claims["header.from"]["source"] == "stated"
    assert claims["part.2"]["source"] == "derived"
    assert claims["part.2"]["value"]["name"] == "offre.pdf"
    odd = {c["number"]: c["status"] for c in after["checks"] if c["status"] != "passed"}
    assert odd == {"V5.S": "not checked", "V5.Q": "absent"}


def test_the_proof_file_verifies_under_the_trust_file(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    site.stamp()
    site.anchor()
    client = site.api(guest)
    answer = client.get(f"/api/v1/records/{record}/proof.json")
    assert (
        answer.headers["content-disposition"] == f'attachment; filename="proofmail-{record}.json"'
    )
    assert answer.headers["cache-control"] == "no-store"
    decode(answer.content)  # canonical, or it raises
    trust = site.app_client().get("/api/v1/trust.json")  # public
    assert verify_proof(read_proof(answer.content), read_trust(trust.content)).exit_status == 0


def test_a_dossier_says_whether_it_is_final(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    client = site.api(guest)
    path = f"/api/v1/records/{record}/dossier.pdf"
    early = client.get(path)
    assert early.content.startswith(b"%PDF-")
    assert early.headers["content-type"] == "application/pdf"
    assert early.headers["content-disposition"] == (
        f'attachment; filename="proofmail-{record}-fr.pdf"'
    )
    site.anchor()
    client.get(path, params={"language": "en"})  # in a final block, but without a time-stamp
    site.stamp()
    client.get(path, params={"language": "en"})
    assert [(d.language, d.final, d.zone, d.organisation_name) for d in site.dossiers] == [
        ("fr", False, "Europe/Paris", "atelier"),
        ("en", False, "Europe/Paris", "atelier"),
        ("en", True, "Europe/Paris", "atelier"),
    ]
    problem(client.get(path, params={"language": "de"}), 422)


def test_a_dossier_that_does_not_verify_is_not_handed_out(site: Site, guest: Guest) -> None:
    async def broken(*_: object) -> bytes:
        raise CheckFailed("the seal")

    record = site.record(guest)
    client = site.api(guest, dossier=broken)
    body = problem(client.get(f"/api/v1/records/{record}/dossier.pdf"), 500)
    assert "seal" not in body["detail"]
    assert not list_trail(site.store, guest.id, limit=10)


def test_downloads_are_in_the_audit_trail(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    client = site.api(guest)
    client.get(f"/api/v1/records/{record}/proof.json")
    client.get(f"/api/v1/records/{record}/dossier.pdf")
    key = list_keys(site.store, guest.id)[0].id
    entries = list_trail(site.store, guest.id, limit=10)
    assert [(e.actor, e.action, e.subject) for e in entries] == [
        (f"key:{key}", "dossier.downloaded", f"record:{record}"),
        (f"key:{key}", "proof.downloaded", f"record:{record}"),
    ]
    assert check_trail(site.store, guest.id).entries == 2


def test_an_erased_record_is_gone_but_for_its_row(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    erase(site.store, guest.id, record, NOW)
    client = site.api(guest)
    found = client.get(f"/api/v1/records/{record}").json()
    assert found["erased_at"] == "2026-11-21T10:00:00.123Z"
    assert found["claims"] == []
    assert "Offre" not in str(found)
    assert "subject" not in found
    problem(client.get(f"/api/v1/records/{record}/proof.json"), 410)
    problem(client.get(f"/api/v1/records/{record}/dossier.pdf"), 410)


def test_counts(site: Site, guest: Guest) -> None:
    site.record(guest)
    site.stamp()
    site.anchor(final=False)
    found = site.api(guest).get("/api/v1/counts").json()
    assert (found["messages"], found["attachments"], found["receipts"]) == (1, 1, 0)
    assert found["stamped"] == 1
    assert found["states"]["anchored"] == 1


def test_refusals_of_routing_are_problems(site: Site, guest: Guest) -> None:
    client = site.api(guest)
    problem(client.get("/api/v1/nothing"), 404)
    answer = client.post("/api/v1/records")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET"
    problem(client.get("/tsa"), 405)
    problem(client.get("/static/nothing.css"), 404)


def test_no_word_of_an_unforeseen_error_goes_out_or_into_the_log(
    site: Site, guest: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    def trust() -> None:
        raise RuntimeError("Subject: secret of the client")

    record = site.record(guest)
    answer = site.api(guest, trust=trust).get(f"/api/v1/records/{record}")
    assert "secret" not in str(problem(answer, 500))
    page = site.browser(guest, trust=trust).get(f"/records/{record}")
    assert page.status_code == 500
    assert "secret" not in page.text
    assert "<h1>500</h1>" in page.text
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_database_that_cannot_be_reached(site: Site, guest: Guest) -> None:
    class Down:
        def read(self) -> object:
            raise TryLater("the database cannot take this now")

    client = site.app_client(store=Down())
    answer = client.get("/healthz")
    problem(answer, 503)
    assert answer.headers["retry-after"]
    problem(client.get("/api/v1/counts", headers={"Authorization": f"Bearer {guest.key}"}), 503)


def test_health_needs_no_key(site: Site) -> None:
    answer = site.app_client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_time_stamps_pass_through(site: Site) -> None:
    client, kind = site.app_client(), {"Content-Type": "application/timestamp-query"}
    imprint = sha256(b"x").digest()
    answer = client.post("/tsa", content=build_request(imprint, 7), headers=kind)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/timestamp-reply"
    assert imprint in answer.content
    problem(client.post("/tsa", content=b"x", headers={"Content-Type": "text/plain"}), 415)
    problem(client.post("/tsa", content=bytes((64 << 10) + 1), headers=kind), 413)
    off = site.app_client(stamp=None)
    problem(off.post("/tsa", content=build_request(imprint, 7), headers=kind), 404)


def test_the_description_of_the_api_is_complete(site: Site) -> None:
    described = site.app_client().get("/openapi.json").json()
    assert set(described["paths"]) == {
        *(path.replace("{id}", "{record_id}") for path in GUARDED),
        "/api/v1/labels",
        "/api/v1/records/{record_id}/labels/{name}",
        "/api/v1/exports/{export_id}",
        "/api/v1/exports/{export_id}/file",
        "/api/v1/verify",
        "/api/v1/trust.json",
        "/tsa",
        "/healthz",
    }
    for path, methods in described["paths"].items():
        for call in methods.values():
            assert call["summary"], path
            for status, answer in call["responses"].items():
                if status >= "400":
                    assert "application/problem+json" in answer["content"], (path, status)
            public = path in ("/tsa", "/healthz", "/api/v1/trust.json")
            assert ("security" in call) is not public, path
    for path in ("/docs", "/redoc"):
        assert site.app_client().get(path).status_code == 404


# --- verification --------------------------------------------------------------------------


def test_a_proof_carries_what_the_lists_say_of_its_token(site: Site, guest: Guest) -> None:
    root = x509.load_pem_x509_certificate(site.world.authority.root_pem)
    since = NOW - timedelta(days=900)
    listed = ListedService(
        "P", "S", (root.public_bytes(Encoding.DER),), (Period(since, "granted", "QTST"),)
    )
    one = TrustedList("FR", 7, NOW + timedelta(days=1), None, bytes(32), bytes(32), (listed,))
    record = site.record(guest)
    site.stamp()
    told = ListExtract("FR", 7, one.issued, bytes(32), "P", "S", "QTST", "granted", since)
    for lists, extracts in (((), ()), ((one,), (told,))):
        client = site.api(guest, trust=lambda lists=lists: site.world.trust(lists=lists))
        proof = read_proof(client.get(f"/api/v1/records/{record}/proof.json").content)
        (token,) = proof.tokens
        assert isinstance(token, Rfc3161Token)
        assert token.extracts == extracts
        details = client.get(f"/api/v1/records/{record}").json()["witnesses"][0]["details"]
        assert details["qualified"] == "not qualified"  # by the trust, the authority is built in
        assert ("service_saw" in details) == bool(extracts)


@pytest.fixture
def proof(site: Site, guest: Guest) -> bytes:
    record = site.record(guest)
    site.stamp()
    site.anchor()
    return site.api(guest).get(f"/api/v1/records/{record}/proof.json").content


@pytest.fixture
def client(site: Site, guest: Guest) -> TestClient:
    return site.api(guest)


def test_verify_needs_a_key(site: Site, proof: bytes) -> None:
    problem(site.app_client().post("/api/v1/verify", files={"proof": ("p.json", proof)}), 401)


def test_a_copy_passes_and_a_changed_one_differs(client: TestClient, proof: bytes) -> None:
    good = client.post(
        "/api/v1/verify",
        files=[
            ("proof", ("p.json", proof)),
            ("copies", ("mail.eml", MAIL)),
            ("copies", ("offre.pdf", ATTACHMENT)),
        ],
        data={"digests": [sha256(ATTACHMENT).hexdigest(), sha256(MAIL).hexdigest()]},
    ).json()
    assert good["verdict"] == "verified"
    assert [copy["status"] for copy in good["copies"]] == ["passed"] * 4
    changed = client.post(
        "/api/v1/verify",
        files=[
            ("proof", ("p.json", proof)),
            ("copies", ("mail.eml", MAIL.replace(b"1 200", b"1 300"))),
        ],
    ).json()
    assert changed["verdict"] == "failed"
    assert [copy["status"] for copy in changed["copies"]] == ["failed"]


def test_a_trust_file_takes_the_place_of_our_own(client: TestClient, proof: bytes) -> None:
    nothing = b'{"format":"proofmail/trust/0"}'
    answer = client.post(
        "/api/v1/verify", files={"proof": ("p.json", proof), "trust": ("t.json", nothing)}
    )
    assert answer.json()["exit_status"] == 3


@pytest.mark.parametrize(
    "files",
    [
        [("proof", ("p.json", b"{}"))],
        [("proof", ("d.pdf", b"%PDF-1.7 nothing"))],
        [("copies", ("m.eml", MAIL))],
        [("proof", ("a", b"1")), ("proof", ("b", b"2"))],
        [("proof", ("a", b"1"))] + [("copies", (f"{n}", b"x")) for n in range(33)],
    ],
)
def test_evidence_that_is_none(client: TestClient, files: list[Any]) -> None:
    problem(client.post("/api/v1/verify", files=files), 422)


def test_a_broken_trust_file(client: TestClient, proof: bytes) -> None:
    for trust in (b"{", b" " * ((4 << 20) + 1)):
        files = {"proof": ("p.json", proof), "trust": ("t.json", trust)}
        problem(client.post("/api/v1/verify", files=files), 422)
