"""Makes the vectors of this folder anew: python -m tests.vectors.lists.make"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.core import der
from proofmail.core.extracts import ListExtract
from proofmail.core.proof import Proof, Rfc3161Token
from proofmail.trustfile.build import Signers, take_list
from proofmail.verify.trust import Authority, Trust, make_trust
from tests.making import MAIL, World, claims_of
from tests.trustfile.list_maker import Listed, ListRecipe, signed
from tests.vectors.expected import Expected, write
from tests.verify.token_maker import DAY, NOW, STAMPING, Credential, Recipe, certify, response_of

HERE = Path(__file__).parent
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 7, 1, tzinfo=UTC)


CASES: dict[str, Expected] = {
    f"{name} under {trust}": {
        "file": f"{name}.json", "trust": f"{trust}.json", "exit_status": 0, "failed": [],
    }
    for name in ("granted", "withdrawn")
    for trust in ("trust", "trust-without-list")
}  # fmt: skip


def proof_at(world: World, tsa: Credential, moment: datetime, extract: ListExtract) -> Proof:
    bare = world.record(claims_of(MAIL), received_at=moment)
    recipe = Recipe(
        tsa,
        imprint=sha256(bare.record.to_bytes()).digest(),
        gen_time=der.generalized_time(moment),
        nonce=None,
    )
    return replace(bare, tokens=(Rfc3161Token(response_of(recipe), extracts=(extract,)),))


def main() -> None:
    world = World()
    around = {"start": NOW - 2500 * DAY, "end": NOW + 900 * DAY}
    root = certify("vector root", None, ca=True, **around)
    tsa = certify("vector TSA", root, usages=(STAMPING,), **around)
    signer = certify("vector list signer", None, **around)
    withdrawn = datetime(2026, 6, 1, tzinfo=UTC)
    listed = Listed((root.der,), "withdrawn", withdrawn, history=((SINCE, "granted"),))
    issued = datetime(2026, 8, 1, tzinfo=UTC)
    xml = signed(
        ListRecipe((listed,), sequence=7, issued=issued, next_update=issued + 100 * DAY), signer
    )
    found = take_list(xml, Signers((signer.certificate,))).trusted_list
    extract = ListExtract(
        "FR", 6, datetime(2026, 2, 1, tzinfo=UTC), bytes(32), listed.provider, listed.name,
        "QTST", "granted", SINCE,
    )  # fmt: skip
    own = world.trust()
    bare = make_trust(own.services, [Authority("vector", root.der)], [], [])
    (HERE / "list.xml").write_bytes(xml)
    (HERE / "signer.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    _write("trust-without-list.json", bare)
    _write("trust.json", replace(bare, lists=(found,)))
    for name, moment in (("granted", NOW), ("withdrawn", LATER)):
        (HERE / f"{name}.json").write_bytes(proof_at(world, tsa, moment, extract).to_bytes())
    write("lists", CASES)


def _write(name: str, trust: Trust) -> None:
    text = json.dumps(trust.to_json(), indent=1, sort_keys=True)
    (HERE / name).write_text(text + "\n")


if __name__ == "__main__":
    main()
