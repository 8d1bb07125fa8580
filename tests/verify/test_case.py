"""Case dossiers: exactly the proofs that the list names, each judged; anything else is refused."""

import io
import json
import zlib
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from hashlib import sha256

import pytest

from dossier.case import CaseOptions, Judged, make_case, make_unsealed_case
from dossier.make import make_dossier
from proofmail.core import case as core_case
from proofmail.core.canonical import base64url, decode, encode
from proofmail.core.case import CaseList, Listed, make_case_list, read_case_list
from proofmail.core.proof import Proof
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify import command
from proofmail.verify.case import CaseEvidence, read_given, verify_case, verify_one
from proofmail.verify.checks import verify_proof
from proofmail.verify.dossier import read_evidence
from proofmail.verify.report import Status
from proofmail.verify.show_case import write_case_report
from proofmail.verify.trust import Trust
from tests.dossier import evidence
from tests.verify.pdf_maker import objects_for, revision


@cache
def proofs(count: int = 3) -> tuple[Proof, ...]:
    made = []
    for number in range(count):
        claims = evidence.mail_claims(f"Lot {number}", [f"plan-{number}.pdf"])
        received = evidence.RECEIVED - timedelta(minutes=number)
        made.append(
            evidence.anchored(evidence.stamped(evidence.signed("message", claims, received)))
        )
    return tuple(made)


@cache
def trust() -> Trust:
    """With the blocks of all."""
    first, *others = (evidence.trust_for(proof) for proof in proofs())
    blocks = first.chains[0].blocks.union(*(other.chains[0].blocks for other in others))
    return replace(first, chains=(replace(first.chains[0], blocks=blocks),))


def judged():
    return [Judged(proof, verify_proof(proof, trust()), final=True) for proof in proofs()]


def options(language="en", title="Lot 7") -> CaseOptions:
    made = evidence.options(language)
    return CaseOptions(made.language, made.zone, made.organisation_name, title)


@cache
def sealed() -> bytes:
    return make_case(judged(), options(), evidence.sealer())


def listing(of=None, title="Lot 7") -> bytes:
    of = proofs() if of is None else of
    return CaseList(
        title,
        tuple(
            Listed(sha256(p.record.to_bytes()).digest(), sha256(p.to_bytes()).digest()) for p in of
        ),
    ).to_bytes()


def names() -> list[bytes]:
    return [b"proof-%04d.json" % number for number in (1, 2, 3)]


def bare(files) -> CaseEvidence:
    """An unsealed case with these files, in a container written by hand."""
    given = read_given(revision(b"", objects_for(list(files))))
    assert isinstance(given, CaseEvidence)
    return given


def files(case: bytes | None = None) -> list[tuple[bytes, bytes]]:
    data = listing() if case is None else case
    return [(b"case.json", data), *zip(names(), (p.to_bytes() for p in proofs()), strict=True)]


def v15(case: CaseEvidence):
    return verify_case(case, trust()).rows[0]


def test_a_case_verifies():
    given = read_given(sealed())
    report = verify_case(given, trust())
    assert report.exit_status == 0
    assert [row.number for row in report.rows] == ["V15", "V16"]
    assert [member.status for member in report.members] == [Status.PASSED] * 3
    assert [member.subject for member in report.members] == ["Lot 0", "Lot 1", "Lot 2"]
    assert report.existed_by == max(r.report.existed_by for r in judged())
    assert verify_case(given).exit_status == 3
    assert report.title == "Lot 7"


def test_the_same_case_gives_the_same_bytes():
    first, second = (make_unsealed_case(judged(), options())[0] for _ in range(2))
    assert first == second
    assert sealed().startswith(first)
    assert make_unsealed_case(judged(), options("fr"))[0] != first


def test_a_case_is_no_dossier_of_one_record():
    with pytest.raises(Unreadable, match="case"):
        read_evidence(sealed())
    both = [(b"proof.json", proofs()[0].to_bytes()), *files()]
    with pytest.raises(Unreadable, match=r"case\.json and a file named proof\.json"):
        bare(both)


def test_only_what_is_there_and_listed_passes():
    assert v15(bare(files())).status is Status.PASSED
    missing = v15(bare(files()[:-1]))
    assert (missing.status, missing.reason) == (
        Status.FAILED,
        "proof-0003.json is listed, but not in the dossier",
    )
    extra = v15(bare([*files(), (b"proof-0004.json", b"{}")]))
    assert "proof-0004.json is in the dossier, but not listed" in extra.reason
    odd = v15(bare([*files(), (b"record.json", b"{}")]))
    assert odd.status is Status.FAILED


def test_swapped_proofs_fail():
    swapped = files()
    swapped[1], swapped[2] = (swapped[1][0], swapped[2][1]), (swapped[2][0], swapped[1][1])
    report = verify_case(bare(swapped), trust())
    assert report.exit_status == 1
    assert [m.status for m in report.members] == [Status.FAILED] * 2 + [Status.PASSED]
    assert report.rows[0].status is Status.FAILED


def test_a_list_that_names_another_record_fails():
    value = decode(listing())
    value["proofs"][1]["record"] = base64url(sha256(b"other").digest())
    report = verify_case(bare(files(encode(value))), trust())
    assert report.members[1].status is Status.FAILED
    assert "another record" in report.members[1].reason


def test_a_proof_that_is_none_fails_alone():
    other = b'{"format":"proofmail/proof/0"}'
    value = decode(listing())
    value["proofs"][2]["sha256"] = base64url(sha256(other).digest())
    changed = [*files(encode(value))[:-1], (names()[2], other)]
    report = verify_case(bare(changed), trust())
    assert report.rows[0].status is Status.PASSED
    assert [m.status for m in report.members] == [Status.PASSED, Status.PASSED, Status.FAILED]
    assert report.exit_status == 1


def test_a_forged_proof_in_the_case_fails():
    bad = replace(proofs()[0], entries=proofs()[1].entries)
    of = (bad, *proofs()[1:])
    changed = [
        (b"case.json", listing(of)), *zip(names(), (p.to_bytes() for p in of), strict=True),
    ]  # fmt: skip
    report = verify_case(bare(changed), trust())
    assert report.members[0].status is Status.FAILED
    assert report.members[0].reason.startswith("V2 ")
    assert report.members[0].subject == ""
    assert report.exit_status == 1


DOCTORED = {
    "not canonical": lambda v: json.dumps(v).encode(),
    "no proofs": lambda v: encode({**v, "proofs": []}),
    "unknown member": lambda v: encode({**v, "more": 1}),
    "other format": lambda v: encode({**v, "format": "proofmail/case/1"}),
    "name of another place": lambda v: encode(
        {**v, "proofs": [v["proofs"][0], {**v["proofs"][1], "name": "proof-0001.json"}]}
    ),
    "a path": lambda v: encode({**v, "proofs": [{**v["proofs"][0], "name": "../proof-0001.json"}]}),
    "twice": lambda v: encode(
        {**v, "proofs": [v["proofs"][0], {**v["proofs"][0], "name": "proof-0002.json"}]}
    ),
    "a record twice": lambda v: encode(
        {**v, "proofs": [v["proofs"][0], {**v["proofs"][1], "record": v["proofs"][0]["record"]}]}
    ),
    "long title": lambda v: encode({**v, "title": "x" * 201}),
    "title of another type": lambda v: encode({**v, "title": 1}),
    "order turned": lambda v: encode({**v, "proofs": v["proofs"][::-1]}),
}


@pytest.mark.parametrize("change", DOCTORED)
def test_a_doctored_list_is_unreadable(change):
    data = DOCTORED[change](decode(listing()))
    with pytest.raises(Unreadable):
        read_case_list(data)
    with pytest.raises(Unreadable):
        bare(files(data))


def test_every_byte_of_the_list_counts():
    """A list with one byte changed is unreadable, or the case does not pass."""
    good = listing()
    for at in range(0, len(good), 5):
        changed = good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :]
        try:
            case = bare(files(changed))
        except Unreadable:
            continue
        report = verify_case(case, trust())
        title = good.index(b'"title":"') + 9 <= at
        assert report.rows[0].status is Status.FAILED or report.exit_status == 1 or title, at


def test_no_seal_fails_and_another_seal_is_not_trusted():
    report = verify_case(bare(files()), trust())
    assert report.rows[1].status is Status.FAILED
    other = replace(trust(), seals=())
    assert verify_case(read_given(sealed()), other).exit_status == 3


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_a_changed_byte_under_the_seal_is_seen(at):
    place = int(len(sealed()) * at)
    data = sealed()[:place] + bytes((sealed()[place] ^ 1,)) + sealed()[place + 1 :]
    with suppress(Unreadable):
        assert verify_case(read_given(data), trust()).exit_status == 1


def test_a_fresh_proof_leaves_the_case_undecided():
    fresh = evidence.fresh()
    data = make_case(
        [*judged(), Judged(fresh.proof, fresh.report, final=False)], options(), evidence.sealer()
    )
    report = verify_case(read_given(data), trust())
    assert report.exit_status == 3
    assert report.existed_by is None
    assert report.members[3].status is Status.NOT_CHECKED


def test_nothing_is_made_of_none_too_many_or_bad_ones(monkeypatch):
    with pytest.raises(Unreadable):
        make_case([], options(), evidence.sealer())
    one = judged()[0]
    with pytest.raises(Unreadable, match="twice"):
        make_case([one, one], options(), evidence.sealer())
    bad = replace(one.proof, entries=one.proof.entries[1:])
    with pytest.raises(CheckFailed):
        make_case([Judged(bad, verify_proof(bad), final=True)], options(), evidence.sealer())
    monkeypatch.setattr("dossier.case.MAX_PROOFS", 2)
    with pytest.raises(Unreadable, match="at most 2"):
        make_case(judged(), options(), evidence.sealer())
    monkeypatch.setattr("dossier.case.MAX_PROOFS_BYTES", 1000)
    with pytest.raises(Unreadable, match="too large"):
        make_case(judged(), options(), evidence.sealer())
    with pytest.raises(Unreadable):
        make_case_list("x" * 201, [Listed(bytes(32), bytes(32))])


# --- bounds ----------------------------------------------------------------------------------


def test_ten_thousand_proofs_are_refused_before_any_is_unpacked(monkeypatch):
    many = [(b"case.json", listing())] + [(b"proof-%d.json" % n, b"{}") for n in range(10_000)]
    unpacked = []
    monkeypatch.setattr("proofmail.verify.pdf.inflate", lambda stream: unpacked.append(stream))
    with pytest.raises(Unreadable, match="over 1003 files"):
        read_given(revision(b"", objects_for(many)))
    assert not unpacked


def test_a_list_that_names_too_many_is_refused():
    item = decode(listing())["proofs"][0]
    value = {**decode(listing()), "proofs": [item] * (core_case.MAX_PROOFS + 1)}
    with pytest.raises(Unreadable, match="more than 1000"):
        bare(files(encode(value)))


def test_a_huge_list_is_refused():
    """33 MiB of blanks in a few KB: one file unpacks to 32 MiB at most."""
    objects = objects_for(files())
    packed = zlib.compress(b" " * (33 << 20))
    objects[11] = (
        b"<</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>\nstream\n" % len(packed)
        + packed
        + b"\nendstream"
    )
    with pytest.raises(Unreadable, match="unpacks"):
        read_given(revision(b"", objects))


def test_names_that_stand_twice_are_refused():
    with pytest.raises(Unreadable, match="same name"):
        bare([*files(), (b"proof-0001.json", b"{}")])


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def given(tmp_path):
    (tmp_path / "case.pdf").write_bytes(sealed())
    (tmp_path / "trust.json").write_bytes(encode(trust().to_json()))
    return tmp_path


def run(given, *more):
    words = [str(given / "case.pdf"), "--trust", str(given / "trust.json"), *map(str, more)]
    return command.main(words)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_command_tells_a_line_on_each(given, capsys, language):
    assert run(given, "--language", language) == 0
    out = capsys.readouterr().out
    assert "Lot 2" in out
    assert {"en": "3 of 3 proofs", "fr": "3 preuves vérifiées sur 3"}[language] in out
    assert run(given, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "proofmail/case-report/0"
    assert [p["status"] for p in told["proofs"]] == ["passed"] * 3
    assert [row["number"] for row in told["rows"]] == ["V15", "V16", "V18", "V18", "V18"]


def test_one_proof_of_a_case_with_copies(given, capsys):
    assert run(given, "--number", "2", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["facts"]["claims"]["header.subject"] == ["Lot 1"]
    numbers = [row["number"] for row in told["rows"]]
    assert numbers[-3:] == ["V15", "V16", "V17"]
    attachment = given / "plan-1.pdf"
    attachment.write_bytes(b"plan-1.pdf" * 999)
    assert run(given, "--number", "2", attachment) == 0
    assert run(given, "--number", "1", attachment) == 1


def test_what_cannot_be_asked(given, capsys):
    assert run(given, given / "case.pdf") == 2
    assert "--number" in capsys.readouterr().err
    for number in ("0", "4", "-1"):
        assert run(given, "--number", number) == 2
    full = evidence.full()
    plain = given / "plain.pdf"
    plain.write_bytes(make_dossier(full.proof, full.report, evidence.options(), evidence.sealer()))
    assert command.main([str(plain), "--number", "1"]) == 2


def test_a_swapped_proof_asked_for_by_number_fails(given, capsys):
    swapped = files()
    swapped[1] = (swapped[1][0], swapped[2][1])
    (given / "case.pdf").write_bytes(revision(b"", objects_for(swapped)))
    assert run(given, "--number", "1") == 1
    assert run(given, "--number", "3") == 1  # V15 and V16 stand for the whole file
    with pytest.raises(CheckFailed):
        verify_one(bare(swapped), 1)


def test_text_from_outside_is_made_plain():
    claims = evidence.mail_claims("\x1b[31m\u202eevil", [])
    proof = evidence.stamped(evidence.signed("message", claims))
    report = verify_proof(proof, evidence.trust_for(proof))
    made = make_case(
        [Judged(proof, report, final=True)], options(title="\x1b[2J"), evidence.sealer()
    )
    out = io.StringIO()
    write_case_report(verify_case(read_given(made)), out, trusting=True)
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
