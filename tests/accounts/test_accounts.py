from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from proofmail.accounts import keys, members, organisations, sessions, trail, usage
from proofmail.accounts.directory import Directory
from proofmail.errors import CheckFailed, Refused
from proofmail.store.engine import Store
from proofmail.store.tables import api_keys, audit_trail
from proofmail.store.tables import members as member_rows
from proofmail.store.tables import sessions as session_rows
from proofmail.store.tables import usage as usage_rows
from tests.store.house import NOW, fill, organisation

PASSWORD = "correct horse battery"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$bm90IGEgcmVhbCBzYWx0$bm90IGEgcmVhbCBoYXNo"


@pytest.fixture(scope="module")
def password_hash() -> str:
    return members.hash_password(PASSWORD)


def add(store: Store, owner: str, email: str, role: str, hashed: str = HASH) -> str:
    with store.write() as connection:
        return members.add_member(connection, owner, email, role, hashed, name="A", now=NOW)


def test_organisations(store: Store) -> None:
    owner = organisation(store)
    with store.write() as connection:
        organisations.change_organisation(
            connection, owner, name="Acme SA", zone="Europe/Brussels", language="en"
        )
    found = organisations.get_organisation(store, owner)
    assert found is not None
    assert (found.name, found.zone, found.language) == ("Acme SA", "Europe/Brussels", "en")
    assert found.created_at == NOW
    assert organisations.get_organisation(store, "other") is None


@pytest.mark.parametrize(
    ("name", "zone", "language"),
    [
        ("", "Europe/Paris", "fr"),
        ("x" * 201, "Europe/Paris", "fr"),
        ("Acme\n", "Europe/Paris", "fr"),
        ("Acme", "Europe/Nowhere", "fr"),
        ("Acme", "../etc/passwd", "fr"),
        ("Acme", "", "fr"),
        ("Acme", "Europe/Paris", "de"),
    ],
)
def test_refuses_odd_organisations(
    sqlite_store: Store, name: str, zone: str, language: str
) -> None:
    with pytest.raises(Refused), sqlite_store.write() as connection:
        organisations.create_organisation(connection, name, NOW, zone=zone, language=language)


def test_directory(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    directory = Directory(store)
    assert directory.organisation_of("proof@acme.example") is None
    with store.write() as connection:
        organisations.add_proof_address(connection, owner, "Proof@Acme.example")
        organisations.add_proof_address(connection, owner, "proof@acme.example")
        organisations.add_proof_address(connection, other, "proof@other.example")
        organisations.add_listed_sender(connection, owner, "domain", "Acme.Example")
        organisations.add_listed_sender(connection, owner, "domain", "acme.example")
        organisations.add_listed_sender(connection, owner, "address", "Boss@Partner.example")
    assert directory.organisation_of("proof@acme.example") is None
    directory.refresh()
    assert directory.organisation_of("PROOF@acme.EXAMPLE") == owner
    assert directory.organisation_of("proof@other.example") == other
    assert directory.organisation_of("proof2@other.example") is None

    def listed(address: str, where: str = owner) -> bool:
        return directory.is_listed_sender(where, address)

    assert listed("alice@ACME.example")
    assert listed("boss@partner.example")
    for stranger in (
        "", "alice@acme.example.net", "alice@mail.acme.example", "eve@partner.example",
        "acme.example", "@", "x@",
    ):  # fmt: skip
        assert not listed(stranger), stranger
    assert not listed("alice@acme.example", other)
    with store.write() as connection:
        organisations.remove_listed_sender(connection, other, "domain", "acme.example")
        organisations.remove_proof_address(connection, other, "proof@acme.example")
    directory.refresh()
    assert listed("alice@acme.example")
    with store.write() as connection:
        organisations.remove_listed_sender(connection, owner, "domain", "acme.example")
        organisations.remove_proof_address(connection, owner, "proof@acme.example")
    directory.refresh()
    assert not listed("alice@acme.example")
    assert directory.organisation_of("proof@acme.example") is None
    assert organisations.list_proof_addresses(store, owner) == []
    assert [s.value for s in organisations.list_senders(store, owner)] == ["boss@partner.example"]


def test_a_proof_address_is_one_organisations(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    with store.write() as connection:
        organisations.add_proof_address(connection, owner, "proof@acme.example")
    with pytest.raises(Refused, match="taken"), store.write() as connection:
        organisations.add_proof_address(connection, other, "PROOF@acme.example")


@pytest.mark.parametrize("address", ["", "a", "@b", "a@", "a@b..c", "a b@c", "a@b/c", "a\n@b.c"])
def test_refuses_odd_addresses(sqlite_store: Store, address: str) -> None:
    owner = organisation(sqlite_store)
    with pytest.raises(Refused), sqlite_store.write() as connection:
        organisations.add_proof_address(connection, owner, address)
    with pytest.raises(Refused), sqlite_store.write() as connection:
        organisations.add_listed_sender(connection, owner, "address", address)


@pytest.mark.parametrize(
    ("kind", "value"), [("domain", "a@b.c"), ("domain", "*"), ("domain", ""), ("regex", "a")]
)
def test_refuses_odd_senders(sqlite_store: Store, kind: str, value: str) -> None:
    owner = organisation(sqlite_store)
    with pytest.raises(Refused), sqlite_store.write() as connection:
        organisations.add_listed_sender(connection, owner, kind, value)


def test_signing_in(store: Store, password_hash: str) -> None:
    owner = organisation(store)
    made = add(store, owner, "Alice@acme.example", "owner", password_hash)
    member = members.sign_in(store, "alice@ACME.example ", PASSWORD)
    assert (member.id, member.organisation, member.role) == (made, owner, "owner")
    for email, password in (
        ("alice@acme.example", "correct horse batteries"),
        ("bob@acme.example", PASSWORD),
        ("alice@acme.example", ""),
        ("alice@acme.example", PASSWORD + "x" * 100_000),
        ("", ""),
    ):
        with pytest.raises(Refused, match=members.WRONG):
            members.sign_in(store, email, password)


def test_unknown_addresses_cost_a_hash_too(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    hasher = members._hasher()

    def verify(_self: object, _password: str, known: str) -> bool:
        verified.append(known)
        return True

    monkeypatch.setattr(type(hasher), "verify", verify)
    with pytest.raises(Refused):
        members.sign_in(sqlite_store, "nobody@acme.example", PASSWORD)
    assert len(verified) == 1
    assert verified[0].startswith("$argon2id$")


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 257])
def test_refuses_short_and_endless_passwords(password: str) -> None:
    with pytest.raises(Refused):
        members.hash_password(password)


def test_only_hashes_are_kept(sqlite_store: Store, password_hash: str) -> None:
    store = sqlite_store
    owner = organisation(store)
    add(store, owner, "alice@acme.example", "owner", password_hash)
    member = members.sign_in(store, "alice@acme.example", PASSWORD)
    with store.write() as connection:
        token = sessions.open_session(connection, member, NOW)
        key = keys.create_key(connection, owner, "ci", "auditor", NOW).key
    files = Path(str(store.engine.url.database)).parent.iterdir()
    kept = b"".join(file.read_bytes() for file in files)
    for secret in (PASSWORD, token, key, key.removeprefix("pm_")):
        assert secret.encode() not in kept


def test_members(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    boss = add(store, owner, "boss@acme.example", "owner")
    clerk = add(store, owner, "clerk@acme.example", "auditor")
    with pytest.raises(Refused, match="already"):
        add(store, other, "CLERK@acme.example", "auditor")
    with pytest.raises(Refused, match="role"):
        add(store, owner, "x@acme.example", "root")
    with pytest.raises(Refused):
        add(store, "nobody", "x@acme.example", "auditor")

    def change(member: str, role: str, where: str = owner) -> None:
        with store.write() as connection:
            members.change_role(connection, where, member, role)

    with pytest.raises(Refused, match="at least one owner"):
        change(boss, "admin")
    with pytest.raises(Refused, match="at least one owner"):
        remove(store, owner, boss)
    with pytest.raises(Refused, match="no such member"):
        change(clerk, "owner", other)
    change(clerk, "owner")
    change(boss, "auditor")
    assert [(m.email, m.role) for m in members.list_members(store, owner)] == [
        ("boss@acme.example", "auditor"),
        ("clerk@acme.example", "owner"),
    ]
    remove(store, owner, boss)
    with pytest.raises(Refused, match="no such member"):
        remove(store, owner, boss)
    assert members.list_members(store, other) == []


def remove(store: Store, owner: str, member: str) -> None:
    with store.write() as connection:
        members.remove_member(connection, owner, member)


def test_sessions(store: Store) -> None:
    owner = organisation(store)
    add(store, owner, "a@acme.example", "admin")
    (member,) = members.list_members(store, owner)

    def start() -> str:
        with store.write() as connection:
            return sessions.open_session(connection, member, NOW, hours=1)

    token = start()
    found = sessions.find_session(store, token, NOW + timedelta(minutes=59))
    assert found is not None
    assert (found.member, found.expires_at) == (member, NOW + timedelta(hours=1))
    assert sessions.find_session(store, token, NOW + timedelta(hours=1)) is None
    assert sessions.find_session(store, token + "x", NOW) is None
    assert sessions.find_session(store, "", NOW) is None
    assert sessions.find_session(store, "\ud800", NOW) is None
    with store.write() as connection:
        sessions.close_session(connection, token)
    assert sessions.find_session(store, token, NOW) is None
    # Roles count as they are now, and a new password or a removal ends everything.
    token = start()
    with store.write() as connection:
        connection.execute(update(member_rows).values(role="auditor"))
    again = sessions.find_session(store, token, NOW)
    assert again is not None
    assert again.member.role == "auditor"
    with store.write() as connection:
        members.set_password(connection, owner, member.id, HASH)
    assert sessions.find_session(store, token, NOW) is None
    tokens = [start(), start()]
    with store.write() as connection:
        sessions.close_all_sessions(connection, "other", member.id)
    assert sessions.find_session(store, tokens[0], NOW) is not None
    with store.write() as connection:
        sessions.close_all_sessions(connection, owner, member.id)
    assert sessions.find_session(store, tokens[0], NOW) is None
    start()
    with store.write() as connection:
        assert sessions.remove_expired(connection, NOW) == 0
        assert sessions.remove_expired(connection, NOW + timedelta(hours=1)) == 1
        assert connection.execute(select(session_rows)).all() == []


def test_api_keys(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    with store.write() as connection:
        made = keys.create_key(connection, owner, "ci", "auditor", NOW)
    found = keys.find_key(store, made.key)
    assert found is not None
    assert (found.id, found.organisation, found.role) == (made.id, owner, "auditor")
    assert made.key.startswith("pm_")
    for wrong in ("", "pm_", made.key + "x", made.key.removeprefix("pm_"), made.key.upper()):
        assert keys.find_key(store, wrong) is None
    with pytest.raises(Refused), store.write() as connection:
        keys.revoke_key(connection, other, made.id, NOW)
    with store.write() as connection:
        keys.revoke_key(connection, owner, made.id, NOW)
    assert keys.find_key(store, made.key) is None
    assert keys.list_keys(store, owner)[0].revoked_at == NOW
    for name, role in (("ci", "owner"), ("", "admin"), ("x\n", "admin")):
        with pytest.raises(Refused), store.write() as connection:
            keys.create_key(connection, owner, name, role, NOW)
    with store.read() as connection:
        assert len(connection.execute(select(api_keys)).all()) == 1


def note_some(store: Store, owner: str, count: int = 3) -> None:
    for number in range(count):
        with store.write() as connection:
            trail.note(connection, owner, "member:abc", "sender.listed", f"s{number}", now=NOW)


def test_trail(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    assert trail.check_trail(store, owner) == trail.TrailHead(0, bytes(32))
    note_some(store, owner)
    note_some(store, other, 1)
    head = trail.check_trail(store, owner)
    assert head == trail.trail_head(store, owner)
    assert head.entries == 3
    newest = trail.list_trail(store, owner, limit=2)
    assert [e.number for e in newest] == [3, 2]
    assert [e.number for e in trail.list_trail(store, owner, limit=2, before=2)] == [1]
    assert (newest[0].actor, newest[0].subject, newest[0].at) == ("member:abc", "s2", NOW)


@pytest.mark.parametrize(
    "change",
    [
        update(audit_trail).where(audit_trail.c.number == 2).values(actor="member:x"),
        update(audit_trail).where(audit_trail.c.number == 2).values(subject="x"),
        update(audit_trail).where(audit_trail.c.number == 2).values(action="x"),
        update(audit_trail).where(audit_trail.c.number == 2).values(at=5),
        update(audit_trail).where(audit_trail.c.number == 3).values(digest=bytes(32)),
        delete(audit_trail).where(audit_trail.c.number == 1),
        delete(audit_trail).where(audit_trail.c.number == 2),
    ],
)
def test_a_changed_trail_is_noticed(sqlite_store: Store, change: object) -> None:
    owner = organisation(sqlite_store)
    note_some(sqlite_store, owner)
    with sqlite_store.write() as connection:
        connection.execute(change)  # type: ignore[call-overload]
    with pytest.raises(CheckFailed):
        trail.check_trail(sqlite_store, owner)


def test_a_shortened_trail_has_another_head(sqlite_store: Store) -> None:
    owner = organisation(sqlite_store)
    note_some(sqlite_store, owner)
    before = trail.trail_head(sqlite_store, owner)
    with sqlite_store.write() as connection:
        connection.execute(delete(audit_trail).where(audit_trail.c.number == 3))
    assert trail.check_trail(sqlite_store, owner) != before


@pytest.mark.parametrize(
    ("actor", "action", "subject"),
    [
        ("", "a.b", "x"),
        ("member:a", "A", "x"),
        ("member:a", "a.b", "a subject of a mail"),
        ("member:a", "a.b", "é"),
        ("member:a", "a.b", "x" * 401),
    ],
)
def test_the_trail_takes_identifiers_alone(
    sqlite_store: Store, actor: str, action: str, subject: str
) -> None:
    owner = organisation(sqlite_store)
    with pytest.raises(ValueError, match="identifiers"), sqlite_store.write() as connection:
        trail.note(connection, owner, actor, action, subject, now=NOW)


def test_the_trail_is_in_the_transaction(store: Store) -> None:
    owner = organisation(store)
    add(store, owner, "a@acme.example", "owner")
    (last,) = members.list_members(store, owner)

    def remove_and_note() -> None:
        with store.write() as connection:
            trail.note(connection, owner, "member:a", "member.removed", last.id, now=NOW)
            members.remove_member(connection, owner, last.id)

    with pytest.raises(Refused, match="at least one owner"):
        remove_and_note()
    assert trail.trail_head(store, owner).entries == 0


@pytest.mark.parametrize(
    ("recipients", "attachments", "requests", "units"),
    [
        (0, 0, 0, 1), (5, 3, 1, 1), (6, 0, 0, 2), (5, 4, 0, 2), (10, 3, 1, 2), (11, 3, 0, 3),
        (1, 10, 0, 4), (1, 1, 3, 3),
    ],
)  # fmt: skip
def test_standard_mails(recipients: int, attachments: int, requests: int, units: int) -> None:
    assert usage.standard_mails(recipients, attachments, requests) == units


def test_monthly_usage(store: Store) -> None:
    owner = organisation(store)
    fill(store, owner, 2)
    fill(store, owner, 1)
    with store.write() as connection:
        connection.execute(
            insert(usage_rows).values(organisation=owner, month="2026-10", mails=1, units=4)
        )
        connection.execute(text("UPDATE records SET units = 0"))
    assert usage.monthly_usage(store, owner) == [
        usage.Month("2026-11", 3, 3),
        usage.Month("2026-10", 1, 4),
    ]
    assert usage.monthly_usage(store, "other") == []


def test_looking_up_is_quick(sqlite_store: Store) -> None:
    """The gateway asks the directory in its event loop."""
    owner = organisation(sqlite_store)
    with sqlite_store.write() as connection:
        for number in range(500):
            organisations.add_listed_sender(connection, owner, "domain", f"d{number}.example")
    directory = Directory(sqlite_store)
    directory.refresh()
    start = time.perf_counter()
    for _ in range(1000):
        directory.is_listed_sender(owner, "alice@d499.example")
    assert time.perf_counter() - start < 0.5
