"""The whole service on a real node: from a mail to a dossier that verifies with the node gone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.anchoring.anvil import CHAIN_ID, anvil
from tests.making import MAIL
from tests.system.service import set_up


def test_a_dossier_made_on_a_real_node_verifies_without_it(tmp_path: Path) -> None:
    service = set_up(tmp_path / "data")
    dossier, trust, copy = tmp_path / "d.pdf", tmp_path / "trust.json", tmp_path / "sent.eml"
    copy.write_bytes(MAIL)
    sender = json.loads((service.folder / "trust.json").read_bytes())["services"][0]["senders"][0]
    with anvil("--block-time", "1", "--slots-in-an-epoch", "1") as node:
        node.rpc("anvil_setBalance", sender, hex(10**20))
        with (service.folder / "settings.toml").open("a") as settings:
            settings.write(
                f'\n[ledger]\nrpc_url = "{node.url}"\nchain_id = {CHAIN_ID}\n'
                'chain_name = "test node"\npoll_seconds = 0.5\n'
            )
        service.start()
        try:
            record = service.send(MAIL)
            service.wait_final(record)
            dossier.write_bytes(service.get(f"/api/v1/records/{record}/dossier.pdf"))
            trust.write_bytes(service.get("/api/v1/trust.json"))
        finally:
            service.stop()
    done = subprocess.run(
        [sys.executable, "-m", "proofmail", "verify", str(dossier), str(copy), "--trust",
         str(trust), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    (chain,) = (w for w in report["witnesses"] if w["kind"] == "evm")
    assert (chain["status"], chain["caution"]) == ("passed", "")
    assert chain["details"]["chain_id"] == str(CHAIN_ID)
