"""Settings of authorities: what is refused, and what becomes of the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from proofmail.config import Settings, read_settings
from proofmail.errors import Misconfigured
from proofmail.folder import all_desks, own_trust
from proofmail.setup import InitOptions, initialise
from proofmail.verify.trust import Trust
from tests.making import World


@dataclass(frozen=True)
class Folder:
    path: Path
    original: str

    def settings(self, more: str, *, built_in: bool = True) -> Settings:
        """Those that `init` wrote, with more tables."""
        text = self.original
        if not built_in:
            text = text.replace("built_in_authority = true", "built_in_authority = false")
        (self.path / "settings.toml").write_text(text + more)
        return read_settings(self.path)

    def root(self, name: str, *worlds: World) -> None:
        pems = b"".join(world.authority.root_pem for world in worlds)
        (self.path / name).write_bytes(pems)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    path = tmp_path_factory.mktemp("house") / "data"
    initialise(path, InitOptions("p@x.example", (), "X", "o@x.example", "Europe/Paris", "en"))
    return Folder(path, (path / "settings.toml").read_text())


ONE = '[[authorities]]\nname = "one"\nurl = "https://tsa.example/"\nroot = "one.pem"\n'
TWO = ONE.replace('"one', '"two')


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (ONE + ONE, "name of its own"),
        (ONE.replace('"one"', '"built-in"'), "name of its own"),
        (ONE.replace('"one"', '""'), "printable"),
        (ONE + 'stamp_mode = "both"\n', "record or tree"),
        (ONE + "seconds_between_requests = -1\n", "from 0"),
        (ONE + "timeout_seconds = 0\n", "timeout"),
        (ONE + 'policy = "one"\n', "object identifier"),
        (ONE + 'policy = "1.2.3"\npolicies = ["1.2.4"]\n', "not among"),
        (ONE + 'basic_file = "a"\nbearer_file = "b"\n', "exclude"),
        (ONE + "[stamping]\ntokens_per_record = 3\n", "more authorities than there are"),
        (ONE + "[stamping]\ntokens_per_record = 0\n", "from 1"),
        (ONE + "[stamping]\nhedge_seconds = 0\n", "from 0.01"),
        (ONE + "[stamping]\nhedge = 1\n", "unknown setting"),
    ],
)
def test_what_cannot_be_meant_is_refused(made: Folder, more: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(why)):
        made.settings(more)


def test_without_any_authority_nothing_starts(made: Folder) -> None:
    with pytest.raises(Misconfigured, match="list one"):
        made.settings("", built_in=False)


def test_a_desk_has_its_own_roots_and_trust_all_of_them(made: Folder) -> None:
    worlds = [World(), World(), World()]
    made.root("one.pem", worlds[0], worlds[1])
    made.root("two.pem", worlds[2])
    more = (
        ONE + 'policy = "1.2.3"\nseconds_between_requests = 15\n'
        + TWO + 'stamp_mode = "tree"\npolicies = ["1.2.4"]\n'
        + "[stamping]\ntokens_per_record = 3\n"
    )  # fmt: skip
    settings = made.settings(more)
    one, two, built_in = all_desks(settings)
    assert [d.name for d in (one, two, built_in)] == ["one", "two", "built-in"]
    assert (len(one.roots), len(two.roots), len(built_in.roots)) == (2, 1, 1)
    assert (one.policy, one.gap_seconds, one.tree, one.built_in) == ("1.2.3", 15.0, False, False)
    assert (two.policy, two.gap_seconds, two.tree, two.built_in) == ("", 0.0, True, False)
    assert built_in.built_in
    assert {a.policies for a in one.trust.anchors} == {frozenset({"1.2.3"})}
    trust = own_trust(settings, {})
    assert [a.name for a in trust.authorities] == ["one", "one", "two", "built-in"]
    ders = [
        x509.load_pem_x509_certificate(w.authority.root_pem).public_bytes(Encoding.DER)
        for w in worlds
    ]
    assert [a.certificate for a in trust.authorities[:3]] == ders


def test_authorities_under_one_root_make_no_quorum(made: Folder) -> None:
    world = World()
    made.root("one.pem", world)
    made.root("two.pem", world)
    quorum = ONE + TWO + "[stamping]\ntokens_per_record = 2\n"
    with pytest.raises(Misconfigured, match="as many roots"):
        all_desks(made.settings(quorum, built_in=False))
    made.root("two.pem", World())
    assert len(all_desks(made.settings(quorum, built_in=False))) == 2
    # Nor does a root that was renewed under its old key: V17 counts the two as one.
    key = ec.generate_private_key(ec.SECP256R1())
    for name, days in (("one.pem", 10), ("two.pem", 20)):
        (made.path / name).write_bytes(_root(key, days))
    with pytest.raises(Misconfigured, match="a key of its own"):
        all_desks(made.settings(quorum, built_in=False))


def _root(key: ec.EllipticCurvePrivateKey, days: int) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "one root")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(days)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=days))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_credentials_come_from_files_that_nobody_else_may_read(made: Folder) -> None:
    made.root("one.pem", World())
    secret = made.path / "secret"
    secret.write_text("user:word\n")
    secret.chmod(0o644)
    settings = made.settings(ONE + 'basic_file = "secret"\n')
    with pytest.raises(Misconfigured, match="chmod 600"):
        all_desks(settings)
    secret.chmod(0o600)
    all_desks(settings)
    plain = made.settings(ONE.replace("https", "http") + 'basic_file = "secret"\n')
    with pytest.raises(Misconfigured, match="https"):
        all_desks(plain)
    secret.write_bytes(b"\xff")
    with pytest.raises(Misconfigured, match="not text"):
        all_desks(settings)
    with pytest.raises(Misconfigured, match="cannot be read"):
        all_desks(made.settings(ONE + 'client_certificate_file = "absent"\n'))


def test_trusted_lists_of_a_file_go_into_the_trust(made: Folder) -> None:
    vectors = Path(__file__).parent / "vectors" / "lists"
    (made.path / "lists.json").write_bytes((vectors / "trust.json").read_bytes())
    (made.path / "odd.json").write_bytes(b"odd")

    def trust(name: str) -> Trust:
        (made.path / "settings.toml").write_text(f'trusted_lists = "{name}"\n{made.original}')
        return own_trust(read_settings(made.path), {})

    found = trust("lists.json")
    assert [item.territory for item in found.lists] == ["FR"]
    assert [service.log for service in found.services] == [read_settings(made.path).log]
    assert [authority.name for authority in found.authorities] == ["built-in"]
    with pytest.raises(Misconfigured, match=r"no trust file"):
        trust("odd.json")
    with pytest.raises(Misconfigured, match="cannot be read"):
        trust("nowhere.json")
    assert own_trust(made.settings(""), {}).lists == ()
