"""The command line. `verify` and `trust` are dispatched before anything of a server is imported."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from proofmail import COMPILED, __version__
from proofmail.errors import ProofmailError

DESCRIPTION = "Evidence timestamping for mail."
EPILOG = """\
commands:
  verify PROOF [COPY…]   check a proof or a dossier offline (needs no service)
  trust build            make a trust file from lists, roots and keys (needs no service)
  redact PROOF           make a proof that shows chosen claims alone (needs no service)
  init DIR               set up a data folder: keys, database, settings, trust file
  serve DIR              run the service
  user add DIR EMAIL     add a member who may sign in
  sender add DIR SENDER  list a domain or an address whose mails are recorded
  upgrade DIR            bring the database to this version, with the service stopped
  case DIR               many records in one sealed PDF, with every proof
  archive DIR            many dossiers in one ZIP file, with an index
  strengthen DIR         give old records a token of another authority, old batches an anchor
  fsck DIR               derive again all that can be, and say what disagrees
  demo [DIR]             run the whole of it once, from a mail to a verified dossier

'proofmail COMMAND --help' explains each.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status. Every error is one line, never a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(words)
    except ProofmailError as error:
        print(f"proofmail: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"proofmail: {where}{error.strerror or type(error).__name__}", file=sys.stderr)
        return 1
    except Exception as error:
        # A fault of ours. Its words may quote a mail or a key, so only its kind is told.
        if os.environ.get("PROOFMAIL_TRACEBACK"):
            raise
        print(
            f"proofmail: internal fault ({type(error).__name__}); nothing recorded was lost. "
            "Set PROOFMAIL_TRACEBACK=1 to see where",
            file=sys.stderr,
        )
        return 70


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["verify"]:
        from proofmail.verify.command import main as verify

        return verify(words[1:])
    if words[:1] == ["trust"]:
        from proofmail.trustfile.command import main as trust

        return trust(words[1:])
    if words[:1] == ["redact"]:
        from proofmail.verify.redact_command import main as redact

        return redact(words[1:])
    parser = _parser()
    if not words:
        parser.print_help()
        return 2
    options = parser.parse_args(words)
    if options.command in ("user", "sender") and options.action is None:
        parser.parse_args([options.command, "--help"])
    try:
        import sqlalchemy  # noqa: F401 - the probe for the extra `server`
    except ModuleNotFoundError:
        print(
            f"proofmail: '{options.command}' needs the service's packages: "
            "pip install 'proofmail[server]'",
            file=sys.stderr,
        )
        return 1
    from proofmail.logs import log_to_stderr

    log_to_stderr()
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def _version() -> str:
    return f"proofmail {__version__}, scanner {'compiled' if COMPILED else 'interpreted'}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="proofmail",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="proofmail COMMAND …",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", prog="proofmail", help=argparse.SUPPRESS
    )
    commands.add_parser("verify", add_help=False)
    commands.add_parser("trust", add_help=False)
    commands.add_parser("redact", add_help=False)
    _init_parser(commands)
    _serve_parser(commands)
    _user_parser(commands)
    _sender_parser(commands)
    upgrade = commands.add_parser("upgrade", description="Brings the database to this version.")
    upgrade.add_argument("folder", metavar="DIR", type=Path)
    upgrade.set_defaults(run=_upgrade)
    _export_parsers(commands)
    _strengthen_parser(commands)
    fsck = commands.add_parser("fsck", description="Derives again all that can be derived.")
    fsck.add_argument("folder", metavar="DIR", type=Path)
    fsck.set_defaults(run=_fsck)
    demo = commands.add_parser("demo", description="From a mail to a verified dossier, once.")
    demo.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path("demo"))
    demo.set_defaults(run=_demo)
    part = commands.add_parser("part", description="One process of the service; serve runs these.")
    part.add_argument("name", choices=("gateway", "worker", "web"))
    part.add_argument("folder", metavar="DIR", type=Path)
    part.add_argument("--http", default="")
    part.add_argument("--number", type=int, default=0)
    part.add_argument("--processes", type=int, default=1)
    part.add_argument("--board", type=int)
    for door in ("smtp", "lmtp"):
        part.add_argument(f"--{door}-door", type=int, action="append", default=[])
    part.set_defaults(run=_part)
    return parser


def _init_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = commands.add_parser(
        "init",
        description="Makes keys, database, settings and trust file, and prints the owner's "
        "sign-in and an API key: once, so keep them.",
    )
    init.add_argument("folder", metavar="DIR", type=Path, help="a new or empty folder")
    init.add_argument("--address", default="proof@localhost", help="the address to put in copy")
    init.add_argument("--sender-domain", action="append", default=[], metavar="D",
                      help="whose mails are recorded; may be given again")  # fmt: skip
    init.add_argument("--organisation", default="My organisation", metavar="NAME")
    init.add_argument("--owner", default="owner@localhost", metavar="EMAIL", help="who signs in")
    init.add_argument("--zone", default="Europe/Paris", help="the organisation's time zone")
    init.add_argument("--language", choices=("fr", "en"), default="en")
    init.add_argument("--authority-key", choices=("p256", "rsa3072"), default="p256",
                      help="the built-in authority's key: rsa3072 for old verifiers")  # fmt: skip
    init.set_defaults(run=_init)


def _serve_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", description="Runs the service until SIGTERM.")
    serve.add_argument("folder", metavar="DIR", type=Path)
    serve.add_argument("--smtp", default="", metavar="HOST:PORT", help="instead of the settings'")
    serve.add_argument("--lmtp", default="", metavar="HOST:PORT|PATH", help="an LMTP door as well")
    serve.add_argument("--http", default="", metavar="HOST:PORT", help="instead of the settings'")
    serve.set_defaults(run=_serve)


def _user_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    user = commands.add_parser("user", description="Members who may sign in.")
    actions = user.add_subparsers(dest="action", metavar="ACTION", help="add")
    add = actions.add_parser("add", description="Adds a member and prints the password, once.")
    add.add_argument("folder", metavar="DIR", type=Path)
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--role", choices=("auditor", "admin"), default="auditor")
    add.add_argument("--name", default="")
    add.set_defaults(run=_user_add)


def _strengthen_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    strengthen = commands.add_parser(
        "strengthen",
        description="Gives records that are kept already more witnesses. May be stopped and run "
        "again at any time; the service may run meanwhile.",
    )
    strengthen.add_argument("folder", metavar="DIR", type=Path)
    strengthen.add_argument("--tokens", action="store_true", help="a token of another authority")
    strengthen.add_argument("--anchors", action="store_true",
                            help="an anchor on the settings' chain for every batch")  # fmt: skip
    strengthen.add_argument("--authority", default="", metavar="NAME",
                            help="of this one; without it, the first outside one")  # fmt: skip
    strengthen.add_argument("--tree", action="store_true",
                            help="one token for up to 1024 records at a time")  # fmt: skip
    strengthen.add_argument("--since", default="", metavar="YYYY-MM-DD", help="received from then")
    strengthen.add_argument("--until", default="", metavar="YYYY-MM-DD", help="to then, inclusive")
    strengthen.set_defaults(run=_strengthen)


def _export_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = {
        "case": "Makes one sealed PDF of at most 1,000 records, with a table of them and every "
        "proof inside.",
        "archive": "Makes one ZIP file with a sealed dossier for each record, an index, the trust "
        "file and instructions.",
    }
    for name, description in about.items():
        made = commands.add_parser(
            name,
            description=f"{description} The service may run meanwhile. Progress is told on stderr; "
            "interrupted, it leaves no file.",
        )
        made.add_argument("folder", metavar="DIR", type=Path)
        made.add_argument("--out", metavar="FILE", type=Path, required=True, help="a new file")
        made.add_argument("--text", default="", help="words in subject, addresses, file names")
        made.add_argument("--since", default="", metavar="YYYY-MM-DD", help="received from then")
        made.add_argument("--until", default="", metavar="YYYY-MM-DD", help="to then, inclusive")
        states = ("recorded", "stamped", "batched", "anchored", "final")
        made.add_argument("--state", default="", choices=states)
        kinds = ("message", "receipt", "addendum", "digests", "audit")
        which = "default: message for a case, all for an archive"
        made.add_argument("--kind", default="", choices=kinds, help=f"of records ({which})")
        alone = "this record, and no others than those given so"
        made.add_argument("--label", default="", metavar="NAME", help="records with this label")
        whole = "all recorded mails of the thread that this record is of"
        made.add_argument("--thread", default="", metavar="ID", help=whole)
        made.add_argument("--id", action="append", default=[], metavar="ID", help=alone)
        made.add_argument("--organisation", default="", metavar="ID|NAME")
        made.add_argument("--language", choices=("fr", "en"))
        if name == "case":
            made.add_argument("--title", default="", help="what the case is called")
        else:
            verifier = "a file of the verifier to put into it"
            made.add_argument("--verifier", metavar="FILE", type=Path, help=verifier)
        made.set_defaults(run=_export)


def _sender_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sender = commands.add_parser("sender", description="Senders whose mails are recorded.")
    actions = sender.add_subparsers(dest="action", metavar="ACTION", help="add")
    add = actions.add_parser("add", description="Lists a domain, or one address.")
    add.add_argument("folder", metavar="DIR", type=Path)
    add.add_argument("sender", metavar="DOMAIN|ADDRESS")
    add.set_defaults(run=_sender_add)


def _init(options: argparse.Namespace) -> int:
    from proofmail.setup import InitOptions
    from proofmail.wiring import initialise

    made = initialise(
        options.folder,
        InitOptions(
            address=options.address,
            sender_domains=tuple(options.sender_domain),
            organisation=options.organisation,
            owner=options.owner,
            zone=options.zone,
            language=options.language,
            authority_key=options.authority_key,
        ),
    )
    print(f"Made {options.folder}. Keep these, they are shown once:")
    print(f"  sign-in   {options.owner}")
    print(f"  password  {made.password}")
    print(f"  API key   {made.api_key}")
    cure = f"none yet: run 'proofmail sender add {options.folder} DOMAIN'"
    listed = ", ".join(made.sender_domains) or cure
    print(f"Senders put {options.address} in copy. Listed sender domains: {listed}.")
    print(f"Give auditors {options.folder / 'trust.json'}. Next: proofmail serve {options.folder}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    from proofmail.config import read_settings, with_places
    from proofmail.serve import supervise

    lmtp: str = options.lmtp
    if "/" in lmtp:
        lmtp = str(Path(lmtp).absolute())
    # Read here so that a mistake is told at once, in one line.
    settings = with_places(read_settings(options.folder), options.smtp, lmtp, options.http)

    def announce(places: str) -> None:
        print(f"proofmail is ready: {places}", flush=True)

    return supervise(settings, announce)


def _user_add(options: argparse.Namespace) -> int:
    from proofmail.setup import add_member

    password = add_member(options.folder, options.email, options.role, options.name)
    print(f"Added {options.email} as {options.role}. Password, shown once: {password}")
    return 0


def _upgrade(options: argparse.Namespace) -> int:
    from proofmail.setup import upgrade_database

    upgrade_database(options.folder)
    print("The database has the schema of this version.")
    return 0


def _sender_add(options: argparse.Namespace) -> int:
    from proofmail.setup import add_sender

    add_sender(options.folder, options.sender)
    print(f"Mails from {options.sender} are recorded; a running service knows within seconds.")
    return 0


def _fsck(options: argparse.Namespace) -> int:
    from proofmail.wiring import run_fsck

    return run_fsck(options.folder, sys.stdout)


def _strengthen(options: argparse.Namespace) -> int:
    from proofmail.strengthen import StrengthenOptions, run_strengthen

    asked = StrengthenOptions(
        tokens=options.tokens,
        anchors=options.anchors,
        authority=options.authority,
        tree=options.tree,
        since=options.since,
        until=options.until,
    )
    return run_strengthen(options.folder, asked, sys.stdout)


def _export(options: argparse.Namespace) -> int:
    from proofmail.export_command import run_export_command

    return run_export_command(options)


def _demo(options: argparse.Namespace) -> int:
    from proofmail.demo import run_demo

    return run_demo(options.folder, sys.stdout)


def _part(options: argparse.Namespace) -> int:
    if options.name != "gateway":
        from proofmail.wiring import run_part

        return run_part(options.name, options.folder, options.http)
    from proofmail.gateway_process import Seat, run_gateway

    seat = Seat(
        options.number, options.processes, options.board, options.smtp_door, options.lmtp_door
    )
    return run_gateway(options.folder, seat)
