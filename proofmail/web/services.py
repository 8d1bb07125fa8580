"""What the pages and the API are given to work with: wiring fills it in, tests with fakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from proofmail.core.proof import Proof
from proofmail.ports import Clock
from proofmail.store.engine import Store
from proofmail.verify.trust import Trust

Language = Literal["fr", "en"]


@dataclass(frozen=True)
class DossierRequest:
    """How a dossier is to be written. `zone` is an IANA name; `final` is False as long as a
    witness is missing: the dossier then says on every page that it is provisional. `redacted`
    says that the proof shows less than the service could, which every page then says too."""

    language: Language
    zone: str
    organisation_name: str
    final: bool
    redacted: bool = False


@dataclass(frozen=True)
class Services:
    """`trust` gives this installation's trust, with the hashes of the blocks of final anchors; it
    may block. `dossier` makes and verifies a sealed PDF in another process, so that it does not
    hold up pages. `stamp` answers a DER TimeStampReq, None when there is no built-in authority.
    `public_url` is the address that people type, empty when it is not known. `built_in_authority`
    and `development_chain` say what has to be cautioned against on every page."""

    store: Store
    clock: Clock
    trust: Callable[[], Trust]
    dossier: Callable[[Proof, DossierRequest], Awaitable[bytes]]
    stamp: Callable[[bytes], bytes] | None
    public_url: str
    built_in_authority: bool
    development_chain: bool
    daily_budget_wei: int | None = None
    exports: Path | None = None
    """The folder of the files that the worker makes; None where there is none."""

    @property
    def secure(self) -> bool:
        """Whether people come by https, so that cookies may be bound to it."""
        return self.public_url.lower().startswith("https://")
