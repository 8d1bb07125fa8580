"""`proofmail trust build`: a trust file from files, offline. What went in is printed, so that it
can be compared with what its owners publish."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from proofmail.core.canonical import Json, base64url, encode
from proofmail.errors import CheckFailed, ProofmailError, Unreadable
from proofmail.trustfile.build import (
    Signers,
    TakenList,
    checked,
    join,
    named_root,
    signers_of,
    take_list,
)
from proofmail.trustfile.xml_tree import MAX_XML_BYTES
from proofmail.verify.plain import plain
from proofmail.verify.trust import FORMAT, MAX_TRUST_BYTES, Trust, read_trust

T = TypeVar("T")

EPILOG = """\
Options in a group follow the one that they speak of:
  --root FILE.pem    [--name NAME] [--policy OID …] [--revocation-required] [--qualified-required]
  --chain ID         [--name NAME] [--block HASH …] [--block-header FILE …]
  --service LOG      [--service-key FILE.pem …] [--sender 0xADDRESS …]

Nothing is fetched. Get each file from whom you believe, and compare the SHA-256 that is printed.
A national list has to be signed by a --list-signer, or by one whom the list of lists (--lotl,
signed by a --lotl-signer) names for that country; --unsigned-list takes one as it stands, and
every report will say so.
"""
_FILE_BYTES = 1 << 20


class _Start(argparse.Action):
    """Opens a group: the options of its kind that follow belong to it."""

    def __call__(self, parser: Any, namespace: Any, value: Any, option: Any = None) -> None:
        group = {"kind": self.dest, "value": value}
        namespace.groups = [*namespace.groups, group]


class _Of(argparse.Action):
    """An option of the last group opened, if that is of one of its `const` kinds."""

    def __call__(self, parser: Any, namespace: Any, value: Any, option: Any = None) -> None:
        kinds = self.const
        if not namespace.groups or namespace.groups[-1]["kind"] not in kinds:
            parser.error(f"{option} follows --{' or --'.join(kinds)}")
        namespace.groups[-1].setdefault(self.dest, []).append(value)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="proofmail trust build",
        description="Makes the file that says what a verifier decides to believe.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="proofmail trust build --out trust.json [OPTION …]",
    )
    made.set_defaults(groups=[])
    made.add_argument("--out", metavar="FILE", type=Path, required=True, help="written whole")
    made.add_argument("--base", metavar="FILE", type=Path, action="append", default=[],
                      help="a trust file to start from; may be given again")  # fmt: skip
    for name, what in (
        ("--list", "a national trusted list (ETSI TS 119 612)"),
        ("--list-signer", "the certificate of one who may sign any of the lists"),
        ("--lotl", "the European Union's list of lists"),
        ("--lotl-signer", "the certificate of one who may sign that"),
        ("--unsigned-list", "a list whose signature is not to be checked"),
        ("--seal-signer", "the certificate of a service's seal"),
    ):
        made.add_argument(name, metavar="FILE", type=Path, action="append", default=[], help=what)
    made.add_argument("--witnesses", metavar="N", type=int, help="how many have to pass")
    groups = made.add_argument_group("in groups")
    groups.add_argument("--root", metavar="FILE", type=Path, action=_Start)
    groups.add_argument("--chain", metavar="ID", action=_Start)
    groups.add_argument("--service", metavar="LOG", action=_Start)
    groups.add_argument("--name", action=_Of, const=("root", "chain"))
    groups.add_argument("--policy", metavar="OID", action=_Of, const=("root",))
    for flag in ("--revocation-required", "--qualified-required"):
        groups.add_argument(flag, action=_Of, const=("root",), nargs=0)
    groups.add_argument("--block", metavar="HASH", action=_Of, const=("chain",))
    groups.add_argument("--block-header", metavar="FILE", type=Path, action=_Of, const=("chain",))
    groups.add_argument("--service-key", metavar="FILE", type=Path, action=_Of, const=("service",))
    groups.add_argument("--sender", metavar="0x…", action=_Of, const=("service",))
    return made


def main(arguments: Sequence[str]) -> int:
    """`trust build …`: 0 when the file was written, 1 with one line said when nothing was."""
    if arguments[:1] != ["build"]:
        parser().parse_args(["--help"] if set(arguments) & {"-h", "--help"} else list(arguments))
        return 2
    options = parser().parse_args(arguments[1:])
    try:
        _build(options)
    except ProofmailError as error:
        print(f"proofmail trust build: {plain(str(error))}", file=sys.stderr)
        return 1
    except OSError as error:
        name = plain(Path(str(error.filename or "")).name)
        print(f"proofmail trust build: {name}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _build(options: argparse.Namespace) -> None:
    bases = [_taken(path, MAX_TRUST_BYTES, "trust file", read_trust) for path in options.base]
    base = reduce(join, bases, Trust())
    made = replace(_made(options), witnesses=options.witnesses or base.witnesses)
    trust = join(base, made)
    encoded = encode(trust.to_json()) + b"\n"
    checked(trust, encoded)
    temporary = options.out.with_name(f"{options.out.name}.new")
    temporary.write_bytes(encoded)
    os.replace(temporary, options.out)  # whole or not at all
    print(f"Wrote {plain(str(options.out))}: SHA-256 {sha256(encoded).hexdigest()}")


def _made(options: argparse.Namespace) -> Trust:
    signers = _signers(options)
    lists = [
        *(_list(path, signers) for path in options.list),
        *(_list(path, None) for path in options.unsigned_list),
    ]
    seals = [_certificate(path, "seal signer") for path in options.seal_signer]
    parts: dict[str, list[Json]] = {"root": [], "chain": [], "service": []}
    makers = {"root": _root, "chain": _chain, "service": _service}
    for group in options.groups:
        parts[group["kind"]].append(makers[group["kind"]](group))
    # Read as a trust file's, so that what is told here is judged by the same rules.
    read = read_trust(
        encode(
            {
                "authorities": parts["root"],
                "chains": parts["chain"],
                "format": FORMAT,
                "seals": [base64url(seal.public_bytes(Encoding.DER)) for seal in seals],
                "services": parts["service"],
                "witnesses": 1 if options.witnesses is None else options.witnesses,
            }
        )
    )
    return replace(read, lists=tuple(taken.trusted_list for taken in lists))


def _signers(options: argparse.Namespace) -> Signers:
    lotl_signers = [
        _certificate(path, "signer of the list of lists") for path in options.lotl_signer
    ]
    pointed: dict[str, tuple[bytes, ...]] = {}
    for path in options.lotl:
        named = _taken(
            path, MAX_XML_BYTES, "list of lists", lambda data: signers_of(data, lotl_signers)
        )
        for territory, ders in named.by_territory:
            pointed[territory] = (*pointed.get(territory, ()), *ders)
    own = [_certificate(path, "list signer") for path in options.list_signer]
    return Signers(tuple(own), tuple(pointed.items()))


def _list(path: Path, signers: Signers | None) -> TakenList:
    taken = _taken(path, MAX_XML_BYTES, "trusted list", lambda data: take_list(data, signers))
    found = taken.trusted_list
    until = f"{found.next_update:%Y-%m-%d}" if found.next_update else "closed"
    print(f"  {found.title}, next update {until}")
    if found.signer:
        print(f"  signed by SHA-256 {found.signer.hex()}")
    print(f"  {len(found.services)} time-stamping services, {taken.passed_over} passed over")
    return taken


def _root(group: dict[str, Any]) -> Json:
    authority = named_root(_certificate(group["value"], "authority"))
    return {
        "certificate": base64url(authority.certificate),
        "name": _last(group, "name") or authority.name,
        "policies": group.get("policy", []),
        "qualified_required": "qualified_required" in group,
        "revocation_required": "revocation_required" in group,
    }


def _chain(group: dict[str, Any]) -> Json:
    headers = [
        _taken(path, _FILE_BYTES, "block header", _header_bytes)
        for path in group.get("block_header", [])
    ]
    return {
        "blocks": group.get("block", []),
        "chain_id": group["value"],
        "headers": [base64url(header) for header in headers],
        "name": _last(group, "name"),
    }


def _service(group: dict[str, Any]) -> Json:
    keys = [
        _taken(path, _FILE_BYTES, "service key", _spki) for path in group.get("service_key", [])
    ]
    return {
        "keys": [base64url(key) for key in keys],
        "log": group["value"],
        "senders": group.get("sender", []),
    }


def _last(group: dict[str, Any], name: str) -> str:
    return group.get(name, [""])[-1]  # type: ignore[no-any-return]


def _header_bytes(data: bytes) -> bytes:
    """RLP as it is, or in hexadecimal with 0x before it, as nodes spell it."""
    if not data.startswith(b"0x"):
        return data
    try:
        return bytes.fromhex(data[2:].strip().decode("ascii"))
    except ValueError as error:
        raise Unreadable("not hexadecimal") from error


def _spki(data: bytes) -> bytes:
    """Of a public key in PEM, or of a certificate."""
    try:
        if b"BEGIN CERTIFICATE" in data:
            key = x509.load_pem_x509_certificate(data).public_key()
        else:
            key = load_pem_public_key(data)  # type: ignore[assignment]
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception:  # its errors have no common base
        raise Unreadable("not a public key in PEM") from None


def _certificate(path: Path, what: str) -> x509.Certificate:
    return _taken(path, _FILE_BYTES, what, _read_certificate)


def _read_certificate(data: bytes) -> x509.Certificate:
    try:
        if data.lstrip().startswith(b"-----"):
            (found,) = x509.load_pem_x509_certificates(data)
        else:
            found = x509.load_der_x509_certificate(data)
        # A trust file is refused with one that does not give these.
        _ = found.subject, found.issuer, found.extensions
    except Exception:  # its errors have no common base, as in `_spki`
        raise Unreadable("not one certificate, PEM or DER") from None
    return found


def _taken(path: Path, most: int, what: str, read: Callable[[bytes], T]) -> T:
    """What a file says, with a line on what it is; a complaint names the file."""
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    name = plain(path.name)
    if len(data) > most:
        raise Unreadable(f"{name}: larger than {most >> 20} MiB")
    try:
        found = read(data)
    except (Unreadable, CheckFailed) as error:
        raise Unreadable(f"{name}: {error}") from error
    print(f"{what}: {name}, SHA-256 {sha256(data).hexdigest()}")
    return found
