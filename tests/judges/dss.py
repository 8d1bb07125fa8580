"""EU DSS as a judge: one Java process for a whole set (Judge.java beside this)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.parts import PROJECT, give_up, need

HARNESS = Path(__file__).with_name("Judge.java")
JARS = PROJECT / ".tools" / "dss" / "lib"


@dataclass(frozen=True)
class Verdict:
    accepted: bool
    indication: str
    reasons: tuple[str, ...]
    formats: tuple[str, ...] = ()
    """Of the signatures in a PDF, as in PAdES-BASELINE-T."""


@dataclass(frozen=True)
class Known:
    """What the judge is told: files of DER."""

    anchors: Sequence[Path] = ()
    certificates: Sequence[Path] = ()
    crls: Sequence[Path] = ()
    ocsps: Sequence[Path] = ()

    def words(self) -> list[str]:
        named = {
            "--anchor": self.anchors,
            "--certificate": self.certificates,
            "--crl": self.crls,
            "--ocsp": self.ocsps,
        }
        return [
            word for option, files in named.items() for file in files for word in (option, file)
        ]


@dataclass(frozen=True)
class TokenJob:
    name: str
    file: Path
    imprint: bytes
    nonce: int | None
    policy: str
    at_seconds: int

    def line(self) -> str:
        nonce = "-" if self.nonce is None else str(self.nonce)
        fields = (self.name, self.file, self.imprint.hex(), nonce, self.policy or "-")
        return "\t".join(map(str, (*fields, self.at_seconds)))


@dataclass(frozen=True)
class PdfJob:
    name: str
    file: Path
    at_seconds: int

    def line(self) -> str:
        return f"{self.name}\t{self.file}\t{self.at_seconds}"


def judge_tokens(jobs: Sequence[TokenJob], known: Known) -> dict[str, Verdict]:
    """Skips the test without Java or without the JARs; see tests/parts.py."""
    return _judge("token", [job.line() for job in jobs], known)


def judge_pdfs(jobs: Sequence[PdfJob], known: Known) -> dict[str, Verdict]:
    return _judge("pdf", [job.line() for job in jobs], known)


def _judge(kind: str, lines: Sequence[str], known: Known) -> dict[str, Verdict]:
    java = need("java")
    if not any(JARS.glob("dss-validation-*.jar")):
        give_up("needs EU DSS: .ci/run has the command that brings its JARs into .tools/dss/lib")
    command = [java, "-cp", f"{JARS}/*", HARNESS, kind, *known.words()]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=110,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    verdicts = {
        line["name"]: Verdict(
            line["accepted"], line["indication"], tuple(line["reasons"]), tuple(line["formats"])
        )
        for line in found
    }
    assert len(verdicts) == len(lines)
    return verdicts


@dataclass(frozen=True)
class ListJob:
    """A trusted list with who may sign it, and a token (CMS) with the SHA-256 of its data."""

    name: str
    trusted_list: Path
    signer: Path
    token: Path
    sha256: bytes
    at_seconds: int

    def line(self) -> str:
        files = f"{self.trusted_list}\t{self.signer}\t{self.token}"
        return f"{self.name}\t{files}\t{self.sha256.hex()}\t{self.at_seconds}"


def judge_lists(jobs: Sequence[ListJob]) -> dict[str, tuple[bool, str]]:
    """By the job's name, whether the list's signature holds, and QTSA, TSA or NA."""
    java = need("java")
    if not any(JARS.glob("dss-tsl-validation-*.jar")):
        give_up("needs EU DSS: .ci/run has the command that brings its JARs into .tools/dss/lib")
    done = subprocess.run(
        [java, "-cp", f"{JARS}/*", HARNESS.with_name("Qualify.java")],
        input="".join(f"{job.line()}\n" for job in jobs), capture_output=True, text=True,
        timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(jobs)
    return {name: (signed == "true", answer) for name, signed, answer in rows}
