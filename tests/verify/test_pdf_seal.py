"""The seal of a real dossier, and what a forger would do to it."""

import os
import random
import re
import subprocess
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from dossier.make import make_dossier
from dossier.seal import Sealer, Stamping, create_seal_identity
from proofmail.core.proof import read_proof
from proofmail.errors import CheckFailed, NotChecked, ProofmailError, Unreadable
from proofmail.verify.pdf import SealFacts, check_loose, check_seal, read_dossier
from tests.dossier import evidence
from tests.parts import need
from tests.verify.pdf_maker import file_object, revision, specification


@cache
def sealed() -> bytes:
    full = evidence.full()
    return make_dossier(full.proof, full.report, evidence.options(), evidence.sealer())


def judge(data: bytes) -> SealFacts:
    """All that a verifier does with a dossier, the proof's own checks left out."""
    found = read_dossier(data)
    if found.seal is None:
        raise CheckFailed("not sealed")
    check_loose(found, read_proof(found.proofs[0]))
    return check_seal(data, found.seal, [evidence.sealer().certificate])


def test_good():
    facts = judge(sealed())
    assert facts.certificate == evidence.sealer().certificate
    assert "O=Example SA" in facts.signer
    assert facts.algorithm == "ECDSA P-256 with SHA-256"
    assert facts.stated_time is not None
    found = read_dossier(sealed())
    assert found.proofs == (evidence.full().proof.to_bytes(),)
    assert found.seal is not None
    assert found.seal.later_revisions == 0
    before, after, length = found.seal.byte_range[1:]
    assert after + length == len(sealed())
    assert sealed()[before] == ord("<")


def test_the_signer_is_pinned():
    seal = read_dossier(sealed()).seal
    assert seal is not None
    with pytest.raises(NotChecked, match="not in the trust"):
        check_seal(sealed(), seal, [])
    # the same names over another key
    _, certificate = create_seal_identity("Example SA", evidence.RECEIVED)
    other = Sealer(_, certificate).certificate
    with pytest.raises(NotChecked):
        check_seal(sealed(), seal, [other])


@pytest.mark.timeout(600)
def test_flipped_bytes_are_refused_or_change_nothing():
    """Every 211th byte, and 300 drawn by a fixed seed; of these some unless all are asked for. What
    may pass lies inside the signature's own bytes (the case of a digit, fields that nobody judges),
    and changes no fact."""
    data, facts = sealed(), judge(sealed())
    found = read_dossier(data)
    assert found.seal is not None
    gap = range(found.seal.byte_range[1], found.seal.byte_range[2])
    drawn = random.Random(7)
    places = [*range(0, len(data), 211), *(drawn.randrange(len(data)) for _ in range(300))]
    step = {"": 7, "all": 1}.get(os.environ.get("PROOFMAIL_FULL", ""), 4)
    for place in places[::step]:
        for bit in (1, 0x20):
            mutated = bytearray(data)
            mutated[place] ^= bit
            try:
                same = judge(bytes(mutated)) == facts
            except (Unreadable, CheckFailed, NotChecked):
                continue
            assert place in gap
            assert same
            assert read_dossier(bytes(mutated)).proofs == found.proofs


def test_page_text_changed_after_sealing():
    data = sealed()
    for found in re.finditer(rb"/Creator|/Title", data):
        mutated = data[: found.start() + 1] + b"x" + data[found.start() + 2 :]
        with pytest.raises(ProofmailError):
            judge(mutated)


@pytest.mark.parametrize(
    "objects",
    [
        {900: b"null"},
        {900: b"<</Type/DSS>>"},
        {},
    ],
)
def test_a_revision_after_the_seal_fails(objects):
    added = revision(sealed(), objects, root=_root(sealed()))
    found = read_dossier(added)
    assert found.seal is not None
    assert found.seal.later_revisions == 1
    with pytest.raises(CheckFailed, match="added to after"):
        judge(added)


def _root(data: bytes) -> int:
    return int(re.findall(rb"/Root (\d+) 0 R", data)[-1])


def test_a_second_proof_in_a_later_revision():
    hidden = {900: file_object(b"{}"), 901: specification(b"proof.json", 900)}
    with pytest.raises(Unreadable, match="hidden"):
        judge(revision(sealed(), hidden, root=_root(sealed())))


def test_javascript_in_a_later_revision():
    script = {900: b"<</S/JavaScript/JS(x)>>"}
    with pytest.raises(Unreadable, match=r"JavaScript|JS"):
        judge(revision(sealed(), script, root=_root(sealed())))


def test_a_second_signature():
    second = {900: b"<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>"}
    with pytest.raises(Unreadable, match="exactly one signature"):
        judge(revision(sealed(), second, root=_root(sealed())))


def test_truncated():
    data = sealed()
    end_of_first = data.index(b"%%EOF\n") + 6
    for length in (0, 100, len(data) // 2, end_of_first - 2, len(data) - 1, len(data) - 7):
        with pytest.raises(Unreadable):
            judge(data[:length])
    # exactly the unsealed revision: readable, and not sealed
    with pytest.raises(CheckFailed, match="not sealed"):
        judge(data[:end_of_first])


def test_the_byte_range_is_all_but_the_seal():
    data = sealed()
    found = re.search(rb"/ByteRange\s*\[0 (\d+) (\d+) (\d+)", data)
    assert found
    for group in (1, 2, 3):
        number = int(found[group])
        for other in (number - 1, number + 1):
            spelt = str(other).encode()
            if len(spelt) != len(found[group]):
                continue
            mutated = data[: found.start(group)] + spelt + data[found.end(group) :]
            with pytest.raises(Unreadable, match="does not cover"):
                judge(mutated)


def test_nothing_hides_behind_the_signature_in_its_gap():
    data = sealed()
    found = read_dossier(data).seal
    assert found is not None
    at = found.byte_range[2] - 3
    assert data[at : at + 2] == b"00"
    with pytest.raises(Unreadable, match="gap"):
        judge(data[:at] + b"01" + data[at + 2 :])


def test_a_doctored_loose_file_fails_even_under_a_good_seal():
    """Sealed by the trusted sealer itself: the loose files are compared, not believed."""
    from dossier import make

    full, original = evidence.full(), make.loose_files
    for name in original(full.proof):
        for doctored in (
            {**original(full.proof), name: b"doctored"},
            {key: value for key, value in original(full.proof).items() if key != name},
        ):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(make, "loose_files", lambda _, files=doctored: files)
                with pytest.raises(CheckFailed, match="in the dossier"):
                    make_dossier(full.proof, full.report, evidence.options(), evidence.sealer())


def test_another_dossiers_proof_under_this_seal():
    """Both dossiers are genuine; the seal of one does not fit the pages of the other."""
    fresh = evidence.fresh()
    other = make_dossier(fresh.proof, fresh.report, evidence.options(), evidence.sealer())
    seal = read_dossier(other).seal
    assert seal is not None
    with pytest.raises(CheckFailed):
        check_seal(sealed(), seal, [evidence.sealer().certificate])


def test_a_seal_with_a_time_stamp():
    key, certificate = create_seal_identity("Example SA", evidence.RECEIVED)
    stamping = Sealer(key, certificate, Stamping(evidence.authority()))
    fresh = evidence.fresh()
    data = make_dossier(fresh.proof, fresh.report, evidence.options("en"), stamping)
    seal = read_dossier(data).seal
    assert seal is not None
    check_seal(data, seal, [stamping.certificate])
    oid = bytes.fromhex("060b2a864886f70d010910020e")  # id-aa-timeStampToken
    assert oid in seal.cms


class Forger:
    """An authority that answers with a good token over something else."""

    name = "forger"

    def respond(self, request_der: bytes) -> bytes:
        assert request_der
        return evidence.authority().respond(evidence.request_for(bytes(32)))


def test_a_time_stamp_over_something_else_is_not_sealed_in():
    key, certificate = create_seal_identity("Example SA", evidence.RECEIVED)
    fresh = evidence.fresh()
    with pytest.raises(CheckFailed, match="imprint"):
        make_dossier(
            fresh.proof,
            fresh.report,
            evidence.options(),
            Sealer(key, certificate, Stamping(Forger())),
        )


def test_pdfsig_agrees(tmp_path):
    pdfsig = need("pdfsig")
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(sealed())
    place = sealed().index(b"/Creator") + 12
    bad.write_bytes(sealed()[:place] + b"X" + sealed()[place + 1 :])
    said = [
        subprocess.run([pdfsig, "-nocert", path], capture_output=True, text=True).stdout
        for path in (good, bad)
    ]
    assert "Signature is Valid." in said[0]
    assert "Total document signed" in said[0]
    assert "ETSI.CAdES.detached" in said[0]
    assert "Signature is Valid." not in said[1]
    assert (
        evidence.sealer().certificate.public_bytes(Encoding.DER) in read_dossier(sealed()).seal.cms
    )
