"""The script that every dossier carries: what it finds, what it refuses, and that a dossier with
another one in its place fails V15."""

import ast
import io
import json
import random
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pikepdf
import pytest

from dossier import by_hand, case, make
from dossier.by_hand import INSTRUCTIONS, SCRIPT, constant_files
from proofmail.core.batch import FIRST_PREVIOUS, Header, batch_tree
from proofmail.core.canonical import encode
from proofmail.core.loose import loose_files
from proofmail.core.merkle import Tree, leaf_hash
from proofmail.core.proof import Batch, Proof, TreePlace
from proofmail.core.redaction import choose, redact
from proofmail.errors import CheckFailed
from proofmail.verify.case import read_given, verify_case
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.pdf import CONSTANT_FILES
from proofmail.verify.report import Status
from tests.dossier import evidence
from tests.dossier.test_make import page_texts, squeezed, unsealed
from tests.parts import PROJECT
from tests.verify import test_case
from tests.verify.pdf_maker import objects_for, revision

FILE = Path(by_hand.__file__).parent / SCRIPT
CODE = compile(FILE.read_bytes(), str(FILE), "exec")


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    refusal: str


def run(*words: object, folder: Path | None = None) -> Done:
    """As an auditor does; -I and -S leave nothing but Python's own library."""
    command = [sys.executable, "-I", "-S", str(FILE), *map(str, words)]
    made = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    return Done(made.returncode, made.stdout, made.stderr)


def run_here(monkeypatch: pytest.MonkeyPatch, *words: object) -> Done:
    """The same in this process, for many at a time."""
    out = io.StringIO()
    hook = sys.excepthook
    monkeypatch.setattr(sys, "argv", [SCRIPT, *map(str, words)])
    try:
        with redirect_stdout(out):
            exec(CODE, {"__name__": "__main__", "__doc__": "usage"})
    except SystemExit as end:
        return Done(1, out.getvalue(), f"{end.code}\n")
    except Exception as error:
        return Done(1, out.getvalue(), f"REFUSED: unreadable: {type(error).__name__}\n")
    finally:
        sys.excepthook = hook
    return Done(0, out.getvalue(), "")


def saved(folder: Path, proof: Proof) -> Path:
    """The files as pdfdetach leaves them; the path of the proof."""
    for name, data in {"proof.json": proof.to_bytes(), **loose_files(proof)}.items():
        (folder / name).write_bytes(data)
    return folder / "proof.json"


def one_line(refusal: str) -> bool:
    return refusal.startswith("REFUSED: ") and refusal.count("\n") == 1 and refusal.isascii()


def in_batch(proof: Proof, count: int, index: int) -> Proof:
    """The proof as number `index` of a batch of `count` records."""
    others = [b'{"record":%d}' % number for number in range(1, count)]
    records = [*others[: index - 1], proof.record.to_bytes(), *others[index - 1 :]]
    header = Header(evidence.LOG, 1, FIRST_PREVIOUS, count, evidence.RECEIVED)
    tree = batch_tree(header, records)
    batch = Batch(header, tuple(tree.path(0)), index, tuple(tree.path(index)), ())
    return replace(proof, batches=(batch,))


def test_an_auditor_can_read_it_in_five_minutes():
    text = FILE.read_text("ascii")
    lines = text.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100
    tree = ast.parse(text, feature_version=(3, 8))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [node.names[0].name])
    }
    assert imported == {"base64", "hashlib", "json", "pathlib", "re", "sys"}
    assert "NOT CHECKED" in lines[-1]


def test_it_recomputes_a_dossier_and_finds_its_files(tmp_path):
    names = ["offre-42.pdf", "plan été.png"]
    mail = b"Subject: x\r\n\r\nHello\r\n"
    claims = evidence.mail_claims("Offre", names)
    claims["message.fingerprints"] = [evidence.print_of(mail, "raw/1")]
    proof = evidence.anchored(evidence.stamped(evidence.signed("message", claims)))
    saved(tmp_path, proof)
    (tmp_path / "mail.eml").write_bytes(mail)
    (tmp_path / "plan été.png").write_bytes(names[1].encode() * 999)
    given = ("proof.json", "record.json", "disclosures.json", "mail.eml", "plan été.png")
    done = run(*given, folder=tmp_path)
    assert (done.status, done.refusal) == (0, "")
    record = sha256(proof.record.to_bytes()).hexdigest()
    assert f"record  {record} imprint for openssl" in done.out
    batch = proof.batches[0]
    assert isinstance(batch, Batch)
    root = batch_tree(batch.header, [proof.record.to_bytes()]).root
    assert f"root    {root.hex()} behind 504d5630" in done.out
    assert b"PMv0" + root in batch.anchors[0].transaction
    assert done.out.count("'the dossier's own'") + done.out.count('"the dossier\'s own"') == 2
    assert f"file    {sha256(mail).hexdigest()} 'mail.eml': ['message.fingerprints']" in done.out
    assert "'plan \\xe9t\\xe9.png': ['part.3']" in done.out
    assert done.out.splitlines()[-1].startswith("NOT CHECKED: ")


def test_a_token_over_a_tree_and_batches_of_every_shape(tmp_path, monkeypatch):
    """Against our own tree, which is checked against another library elsewhere."""
    signed = evidence.signed("message", evidence.mail_claims("x", []))
    record = signed.record.to_bytes()
    for count in range(1, 10):
        for index in {1, (count + 1) // 2, count}:
            leaves = [b"%d" % number for number in range(1, count + 1)]
            leaves[index - 1] = record
            tree = Tree([leaf_hash(leaf) for leaf in leaves])
            place = TreePlace(index - 1, count, tuple(tree.path(index - 1)))
            proof = in_batch(evidence.stamped(signed, place, tree.root), count, index)
            done = run_here(monkeypatch, saved(tmp_path, proof))
            assert done.status == 0, (count, index, done.refusal)
            assert f"tree    {tree.root.hex()} imprint for openssl" in done.out
            assert len(re.findall("^root ", done.out, re.MULTILINE)) == 1


def test_a_redacted_proof_is_recomputed_too(tmp_path):
    full = evidence.full().proof
    less = redact(full, choose(full, ["part.3"]))
    done = run(saved(tmp_path, less), tmp_path / "record.json", tmp_path / "disclosures.json")
    assert done.status == 0
    (tmp_path / "shown").write_bytes("devis-été.pdf".encode() * 999)
    assert "['part.3']" in run(tmp_path / "proof.json", tmp_path / "shown").out
    (tmp_path / "hidden").write_bytes(evidence.HOSTILE_NAME.encode() * 999)
    assert one_line(run(tmp_path / "proof.json", tmp_path / "hidden").refusal)


def changed(value):
    """Every way to change one leaf of a JSON value, or to take one out of it or out of its order;
    as pairs of a path and a new whole."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"-{key}", {k: v for k, v in value.items() if k != key}
            yield from ((f"{key}.{w}", {**value, key: new}) for w, new in changed(item))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield f"-{at}", value[:at] + value[at + 1 :]
            yield f"+{at}", [*value[:at], item, *value[at:]]
            yield from (
                (f"{at}.{w}", [*value[:at], new, *value[at + 1 :]]) for w, new in changed(item)
            )
    elif isinstance(value, str):
        yield "text", ("B" if value[:1] == "A" else "A") + value[1:]
    elif isinstance(value, int):
        yield "more", value + 1
        yield "negative", -value - 1


def test_any_change_of_record_entries_or_paths_is_refused(tmp_path, monkeypatch):
    """Of hidden entries a sample; what is not committed to by the record, its header's path or its
    own (the header's anchors, tokens) is for others to check."""
    claims = evidence.mail_claims("Objet", ["a.pdf"])
    proof = in_batch(evidence.signed("message", claims), 5, 3)
    good = json.loads(proof.to_bytes())
    path = tmp_path / "proof.json"
    path.write_bytes(encode(good))
    expected = run_here(monkeypatch, path).out
    draw = random.Random(7)
    tried = 0
    for member in ("record", "entries", "batches"):
        mutations = list(changed(good[member]))
        for where, new in draw.sample(mutations, min(len(mutations), 150)):
            path.write_text(json.dumps({**good, member: new}))
            done = run_here(monkeypatch, path)
            if member == "record":  # another record: then its digests, root or imprint differ
                assert done.status == 1 or done.out != expected, (member, where)
                assert done.status == 1, (member, where)
            elif member == "batches" and where in ("-0", "+0", "0.kind.text"):
                assert done.out != expected  # no batch, the same one twice, one of another kind
            elif done.status == 0:
                assert "anchors" in where, (member, where)
            else:
                assert one_line(done.refusal), (member, where)
            tried += 1
    assert tried > 200


@pytest.mark.parametrize("size", [0, -1, -6, 6, 5.5, "5", None, 10**30])
def test_a_tree_of_another_size_is_refused(size, tmp_path, monkeypatch):
    proof = in_batch(evidence.signed("message", evidence.mail_claims("x", [])), 4, 2)
    value = json.loads(proof.to_bytes())
    tree = {"index": 1, "path": value["batches"][0]["path"], "size": size}
    value["tokens"] = [{"kind": "rfc3161", "tree": tree}]
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(value))
    done = run_here(monkeypatch, path)
    if size == 6:  # the path of leaf 1 of 6 is as long as that of leaf 1 of 5: another root
        assert done.status == 0
    else:
        assert one_line(done.refusal)


def test_a_digest_in_a_mails_own_words_is_no_fingerprint(tmp_path, monkeypatch):
    """A sender may write what looks like a fingerprint into the subject or a file's name."""
    forged = b"I owe you 1200"
    mark = encode(evidence.print_of(forged, "decoded/1")).decode()
    assert '"sha256":' in mark
    raw = encode(evidence.print_of(forged, "raw/1")).decode()
    claims = evidence.mail_claims(f"{mark} \\{mark}", [mark, raw, f'x","fingerprints":[{mark}]'])
    path = saved(tmp_path, evidence.signed("message", claims))
    (tmp_path / "forged").write_bytes(forged)
    assert run_here(monkeypatch, path).status == 0
    assert "digest of" in run_here(monkeypatch, path, tmp_path / "forged").refusal


def test_a_file_that_is_none_of_it_is_refused(tmp_path):
    path = saved(tmp_path, evidence.full().proof)
    for name in ("record.json", "disclosures.json"):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data.replace(b"2026", b"2025", 1) + b" ")
        done = run(path, tmp_path / name)
        assert done.status == 1
        assert one_line(done.refusal)


NO_PROOFS = {
    "nothing": b"",
    "text": b"hello",
    "a list": b"[]",
    "a number": b"1",
    "an empty object": b"{}",
    "half": b'{"record": {"claims": {"count": 1}}, "entries": 7}',
    "deep": b"[" * 100_000,
    "a lone surrogate": b'{"record":{"claims":"\\ud800"},"entries":[]}',
    "other bytes": bytes(range(256)),
}


@pytest.mark.parametrize("name", NO_PROOFS)
def test_what_is_no_proof_is_refused_in_one_line(name, tmp_path):
    (tmp_path / "proof.json").write_bytes(NO_PROOFS[name])
    done = run(tmp_path / "proof.json")
    assert (done.status, done.out) == (1, "")
    assert one_line(done.refusal)


def test_names_of_a_forger_do_not_reach_the_terminal(tmp_path):
    proof = evidence.signed("message", evidence.mail_claims("x", ["a.pdf"]))
    name = "\x1b[2Jgood.pdf"
    (tmp_path / name).write_bytes(b"a.pdf" * 999)
    done = run(saved(tmp_path, proof), tmp_path / name)
    assert done.status == 0
    assert "\x1b" not in done.out
    missing = run(tmp_path / "proof.json", tmp_path / "\x1b[2Jmissing")
    assert one_line(missing.refusal)


# --- in dossiers -------------------------------------------------------------------------------


def test_the_specification_lists_what_is_shipped():
    section = (PROJECT / "SPEC.md").read_text("utf-8").split("### 11.1 ")[1].split("### 11.2 ")[0]
    rows = re.findall(r"^\| `([a-z.]+)` \|[^|]*\| `([0-9a-f]{64})` \|$", section, re.MULTILINE)
    listed = {name: {digest for n, digest in rows if n == name} for name, _ in rows}
    assert listed == CONSTANT_FILES
    second = (PROJECT / "verifier" / "src" / "pdf" / "constant.ts").read_text("utf-8")
    assert set(re.findall(r"[0-9a-f]{64}", second)) == set().union(*CONSTANT_FILES.values())
    assert set(constant_files()) == set(CONSTANT_FILES) == {SCRIPT, INSTRUCTIONS}
    for name, data in constant_files().items():
        assert sha256(data).hexdigest() in CONSTANT_FILES[name]
    page = (PROJECT / "docs" / "verify-by-hand.md").read_text("utf-8")
    assert sha256(constant_files()[SCRIPT]).hexdigest() in page


def test_the_instructions_are_short_and_in_both_languages():
    text = constant_files()[INSTRUCTIONS].decode("utf-8")
    assert max(map(len, text.splitlines())) <= 100
    english, french = text.split("VÉRIFIER CE DOSSIER À LA MAIN")
    commands = [
        [line.strip() for line in part.splitlines() if line.startswith("       ")]
        for part in (english, french)
    ]
    assert commands[0] == commands[1]
    assert {line.split()[0] for line in commands[0]} >= {"pdfdetach", "sha256sum", "python3"}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_dossier_has_them_and_prints_the_script(language, tmp_path):
    data = unsealed(evidence.full(), language)
    found = read_evidence(data).dossier
    assert found is not None
    assert {name: found.loose[name] for name in constant_files()} == constant_files()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        kinds = {str(f.F): (str(f.AFRelationship), str(f.EF.F.Subtype)) for f in pdf.Root.AF}
        assert kinds[SCRIPT] == ("/Supplement", "/text/x-python")
        assert kinds[INSTRUCTIONS] == ("/Supplement", "/text/plain")
    last = page_texts(data, tmp_path)[-1]
    assert squeezed(FILE.read_text()) in squeezed(last)
    assert sha256(FILE.read_bytes()).hexdigest() in last


SHIPPED = dict(constant_files())
CHANGED = {**SHIPPED, SCRIPT: SHIPPED[SCRIPT].replace(b"REFUSED", b"accepted")}


def v15(*files: tuple[str, bytes]) -> Status:
    """Of a dossier with the proof, its loose files, and these."""
    proof = evidence.full().proof
    held = {"proof.json": proof.to_bytes(), **loose_files(proof), **dict(files)}
    data = revision(b"", objects_for([(name.encode(), data) for name, data in held.items()]))
    return row(verify(read_evidence(data)).rows, "V15").status


def row(rows, number):
    return next(found for found in rows if found.number == number)


@pytest.mark.parametrize("names", [(), (SCRIPT,), (INSTRUCTIONS,), (SCRIPT, INSTRUCTIONS)])
def test_each_may_be_missing(names):
    """As in dossiers made before there were any."""
    assert v15(*((name, SHIPPED[name]) for name in names)) is Status.PASSED


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (SCRIPT, CHANGED[SCRIPT]),
        (SCRIPT, SHIPPED[SCRIPT] + b"\n"),
        (SCRIPT, SHIPPED[INSTRUCTIONS]),
        (SCRIPT, b""),
        (INSTRUCTIONS, SHIPPED[INSTRUCTIONS].replace(b"\n", b"\r\n")),
        ("check2.py", SHIPPED[SCRIPT]),
        ("readme.txt", SHIPPED[INSTRUCTIONS]),
    ],
)
def test_a_changed_one_and_a_stranger_fail(name, data):
    assert v15((name, data)) is Status.FAILED


def test_a_changed_script_under_a_good_seal_fails(monkeypatch):
    full = evidence.full()
    monkeypatch.setattr(make, "constant_files", lambda: CHANGED)
    sealed = evidence.sealer().seal(unsealed(full), "x")
    report = verify(read_evidence(sealed), evidence.trust_for(full.proof))
    assert row(report.rows, "V15").status is Status.FAILED
    assert "check.py" in row(report.rows, "V15").reason
    assert row(report.rows, "V16").status is Status.PASSED
    assert report.exit_status == 1
    with pytest.raises(CheckFailed, match="known version"):
        make.make_dossier(full.proof, full.report, evidence.options(), evidence.sealer())


def test_a_case_has_them_once_and_fails_with_a_changed_one(monkeypatch):
    given = read_given(test_case.sealed())
    assert {name: given.dossier.loose[name] for name in SHIPPED} == SHIPPED
    assert len(given.dossier.loose) == len(test_case.proofs()) + len(SHIPPED)
    assert row(verify_case(given, test_case.trust()).rows, "V15").status is Status.PASSED
    for files, expected in (({}, Status.PASSED), (CHANGED, Status.FAILED)):
        monkeypatch.setattr(case, "constant_files", lambda files=files: files)
        data, _ = case.make_unsealed_case(test_case.judged(), test_case.options())
        sealed = evidence.sealer().seal(data, "x")
        report = verify_case(read_given(sealed), test_case.trust())
        assert row(report.rows, "V15").status is expected
        assert row(report.rows, "V16").status is Status.PASSED
    with pytest.raises(CheckFailed, match="known version"):
        case.make_case(test_case.judged(), test_case.options(), evidence.sealer())


def test_the_script_takes_a_proof_of_a_case(tmp_path):
    """By the command on the pages of a case."""
    path = tmp_path / "proof-0001.json"
    path.write_bytes(test_case.proofs()[0].to_bytes())
    (tmp_path / "attachment.pdf").write_bytes(b"plan-0.pdf" * 999)
    done = run("proof-0001.json", "attachment.pdf", folder=tmp_path)
    assert (done.status, done.refusal) == (0, "")
    assert "['part.2']" in done.out
