"""`proofmail strengthen DIR --anchors`: asks, tells, and changes nothing when asked again."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofmail import setup
from proofmail.cli import main
from proofmail.config import read_settings
from proofmail.errors import Misconfigured
from proofmail.store import anchors, strengthening
from proofmail.store.engine import Store, open_store
from tests.store.house import fill, organisation
from tests.store.test_spending import save
from tests.store.test_witnesses import LATER, close, found_at

NODE = '\n[ledger]\nrpc_url = "http://127.0.0.1:9"\nchain_id = 5\ndaily_budget_wei = 1000\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    options = setup.InitOptions("a@b.example", (), "Test", "o@b.example", "Europe/Paris", "en")
    setup.initialise(tmp_path / "data", options)
    return tmp_path / "data"


def final_batches(store: Store, count: int) -> None:
    fill(store, organisation(store), count)
    for nonce in range(count):
        close(store, max_records=1)
        (batch,) = anchors.batches_to_anchor(store, 31337, 1)
        found = found_at(batch.id, save(store, batch, nonce, 10**9, chain_id=31337), 7 + nonce)
        found = type(found)(**{**vars(found), "chain_id": 31337})
        anchors.save_anchor(store, found, LATER)
        assert anchors.mark_final(store, batch.id, 31337, found.block_hash)


def test_it_asks_once_and_tells_how_far_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(read_settings(folder).database_url)
    final_batches(store, 3)
    assert main(["strengthen", str(folder), "--anchors"]) == 1  # the development chain
    assert "development chain" in capsys.readouterr().err
    with (folder / "settings.toml").open("a") as settings:
        settings.write(NODE)
    assert anchors.batches_to_anchor(store, 5) == []
    for _ in range(2):
        assert main(["strengthen", str(folder), "--anchors"]) == 0
        said = capsys.readouterr().out
        assert "0 of 3 batches have a final anchor on chain 5" in said
        assert "at most 1000 wei a day" in said
    assert len(anchors.batches_to_anchor(store, 5)) == 3
    (batch, *_) = anchors.batches_to_anchor(store, 5)
    found = found_at(batch.id, save(store, batch, 0, 10**9, chain_id=5), 9)
    found = type(found)(**{**vars(found), "chain_id": 5})
    anchors.save_anchor(store, found, LATER)
    anchors.mark_final(store, batch.id, 5, found.block_hash)
    assert main(["strengthen", str(folder), "--anchors"]) == 0
    assert "1 of 3 batches" in capsys.readouterr().out
    assert strengthening.progress(store, 5).left == 2
    assert main(["strengthen", str(folder)]) == 1
    assert "--anchors" in capsys.readouterr().err
    store.close()


WRONG = {
    "nodes without the first": '[ledger]\nrpc_urls = ["http://a"]\n',
    "a quorum beyond the nodes": '[ledger]\nrpc_url = "http://a"\nchain_id = 5\nquorum = 2\n',
    "no chain id": '[ledger]\nrpc_url = "http://a"\n',
    "a budget below nought": "[ledger]\ndaily_budget_wei = -1\n",
    "an unknown source of the key": '[anchor_key]\nsource = "paper"\n',
    "a keystore without its file": f'[anchor_key]\nsource = "keystore"\naddress = "0x{"1" * 40}"\n',
    "a signer without its place": f'[anchor_key]\nsource = "signer"\naddress = "0x{"1" * 40}"\n',
    "no address": '[anchor_key]\nsource = "environment"\n',
    "an address of another length": '[anchor_key]\nsource = "environment"\naddress = "0x11"\n',
}


@pytest.mark.parametrize("what", WRONG)
def test_settings_that_make_no_sense_are_refused(folder: Path, what: str) -> None:
    with (folder / "settings.toml").open("a") as settings:
        settings.write("\n" + WRONG[what])
    with pytest.raises(Misconfigured):
        read_settings(folder)
