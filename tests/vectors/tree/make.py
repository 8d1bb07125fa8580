"""Makes the vectors of this folder anew: python -m tests.vectors.tree.make"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from proofmail.core.canonical import base64url, decode, encode
from proofmail.core.merkle import Tree, leaf_hash, node_hash
from proofmail.core.proof import Proof, Rfc3161Token, TreePlace
from tests.making import MAIL, World, claims_of
from tests.vectors.expected import Expected, write

HERE = Path(__file__).parent
SIZE, INDEX = 5, 2


def others(record: bytes) -> list[bytes]:
    """Four more records' bytes, the record at its place among them."""
    leaves = [encode({"other": number}) for number in range(SIZE - 1)]
    leaves.insert(INDEX, record)
    return [leaf_hash(leaf) for leaf in leaves]


def make(world: World) -> dict[str, tuple[bytes, int, list[str]]]:
    """File, exit status, steps that fail; each bad one is wrong in the one way of its name."""
    bare = world.record(claims_of(MAIL))
    data = bare.record.to_bytes()
    tree = Tree(others(data))
    stamped = world.stamp(tree.root)
    path = tuple(tree.path(INDEX))
    good = replace(bare, tokens=(replace(stamped, tree=TreePlace(INDEX, SIZE, path)),))

    def placed(index: int, size: int, nodes: tuple[bytes, ...]) -> Proof:
        return replace(bare, tokens=(replace(stamped, tree=TreePlace(index, size, nodes)),))

    def stamping(root: bytes, place: TreePlace | None) -> Proof:
        return replace(bare, tokens=(replace(world.stamp(root), tree=place),))

    alone = leaf_hash(data)
    other_root = Tree([*others(data), bytes(32)]).root
    # The upper half of the tree alone, the record's leaf hash shown where an inner node was.
    upper = node_hash(path[1], node_hash(alone, path[0]))
    bad: dict[str, tuple[Proof, list[str]]] = {
        "path-with-a-node-changed": (
            placed(INDEX, SIZE, (bytes(32), *path[1:])), ["V5.T3"]),
        "path-in-another-order": (
            placed(INDEX, SIZE, tuple(reversed(path))), ["V5.T3"]),
        "path-too-short": (placed(INDEX, SIZE, path[:-1]), ["V5.T0"]),
        "path-too-long": (placed(INDEX, SIZE, (*path, bytes(32))), ["V5.T0"]),
        "place-of-another-record": (placed(INDEX + 1, SIZE, path), ["V5.T3"]),
        "root-of-another-tree": (
            stamping(other_root, TreePlace(INDEX, SIZE, path)), ["V5.T3"]),
        "leaf-that-is-an-inner-node": (
            stamping(upper, TreePlace(1, 2, (path[1],))), ["V5.T3"]),
        "leaf-hashed-without-its-label": (
            stamping(sha256(data).digest(), TreePlace(0, 1, ())), ["V5.T3"]),
        "root-shown-as-the-record-alone": (stamping(tree.root, None), ["V5.T3"]),
        "tree-of-one-shown-as-the-record-alone": (stamping(alone, None), ["V5.T3"]),
    }  # fmt: skip
    found: dict[str, tuple[bytes, int, list[str]]] = {
        "good": (good.to_bytes(), 0, []),
        "good-tree-of-one": (stamping(alone, TreePlace(0, 1, ())).to_bytes(), 0, []),
        "index-out-of-range": (_edited(good, lambda tree: {**tree, "index": SIZE}), 2, []),
        "size-of-nought": (_edited(good, lambda tree: {**tree, "size": 0, "index": 0}), 2, []),
        "size-too-large": (_edited(good, lambda tree: {**tree, "size": 2**32 + 1}), 2, []),
        "member-unknown": (_edited(good, lambda tree: {**tree, "root": ""}), 2, []),
    }
    for name, (proof, failed) in bad.items():
        found[name] = (proof.to_bytes(), 1, failed)
    return found


def _edited(proof: Proof, change: Callable[[dict[str, object]], dict[str, object]]) -> bytes:
    """The proof file with its tree changed, and its SHA-256 of itself made anew."""
    value = decode(proof.to_bytes())
    value["tokens"][0]["tree"] = change(value["tokens"][0]["tree"])
    body = {name: member for name, member in value.items() if name != "sha256"}
    return encode({**body, "sha256": base64url(sha256(encode(body)).digest())})


def main() -> None:
    world = World()
    expected: dict[str, Expected] = {}
    for name, (data, status, failed) in make(world).items():
        (HERE / f"{name}.json").write_bytes(data)
        expected[f"{name}.json"] = {"exit_status": status, "failed": failed}
    token = next(iter(_tokens(HERE / "good.json")))
    (HERE / "good.tsr").write_bytes(token.response)
    (HERE / "tsa-root.pem").write_bytes(world.authority.root_pem)
    trust = json.dumps(world.trust().to_json(), indent=1, sort_keys=True)
    (HERE / "trust.json").write_text(trust + "\n")
    write("tree", expected)


def _tokens(path: Path) -> list[Rfc3161Token]:
    from proofmail.core.proof import read_proof

    found = read_proof(path.read_bytes()).tokens
    return [token for token in found if isinstance(token, Rfc3161Token)]


if __name__ == "__main__":
    main()
