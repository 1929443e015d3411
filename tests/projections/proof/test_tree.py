"""The share's tree against a second, naive implementation of RFC 6962 and its published values."""

import hashlib
import random

import pytest

from projections.proof import tree

pytestmark = pytest.mark.once


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as written."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def test_the_empty_tree_has_the_published_head() -> None:
    assert tree.root_of(()).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_published_tree_of_eight_leaves_has_the_published_heads() -> None:
    """Inputs and heads of the Certificate Transparency reference tests."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    heads = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    frontier: tuple[bytes, ...] = ()
    for size, (data, head) in enumerate(zip(inputs, heads, strict=True)):
        frontier = tree.append(frontier, size, tree.leaf_hash(bytes.fromhex(data), b""))
        assert tree.root_of(frontier).hex() == head


@pytest.mark.parametrize("seed", range(3))
def test_the_head_after_each_leaf_is_what_the_naive_tree_says(seed: int) -> None:
    rng = random.Random(seed)
    leaves: list[bytes] = []
    frontier: tuple[bytes, ...] = ()
    for size in range(300):
        leaf = rng.randbytes(32)
        frontier = tree.append(frontier, size, leaf)
        leaves.append(leaf)
        assert tree.root_of(frontier) == naive_root(leaves)


INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
A, B, C = (
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
D = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
PATHS = {  # leaf index, tree size: published audit path
    (0, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", A,
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (5, 8): [B, C, D],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", A, B],
}  # fmt: skip
GROWN = {  # old size, new size: published consistency proof
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", C, D],
    (2, 5): [A, B],
}


def published() -> tree.Subtrees:
    return tree.Subtrees([tree.leaf_hash(bytes.fromhex(data), b"") for data in INPUTS])


@pytest.mark.parametrize(("place", "path"), PATHS.items())
def test_published_audit_paths_are_made_and_accepted(place: tuple[int, int], path: list[str]) -> None:
    index, size = place
    found = published().inclusion(index, size)
    assert [step.hex() for step in found] == path
    leaf = tree.leaf_hash(bytes.fromhex(INPUTS[index]), b"")
    assert tree.included(leaf, index, size, found, published().root(0, size))


@pytest.mark.parametrize(("sizes", "proof"), GROWN.items())
def test_published_consistency_proofs_are_made_and_accepted(sizes: tuple[int, int], proof: list[str]) -> None:
    old, new = sizes
    found = published().consistency(old, new)
    assert [step.hex() for step in found] == proof
    assert tree.consistent(old, new, found, published().root(0, old), published().root(0, new))


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 1000, 4096])
def test_every_proof_of_a_random_tree_holds_and_no_altered_one_does(size: int) -> None:
    rng = random.Random(size)
    leaves = [rng.randbytes(32) for _ in range(size)]
    trees, head = tree.Subtrees(leaves), naive_root(leaves)
    assert trees.root(0, size) == tree.head_of(leaves) == head
    for index in {0, size - 1, *(rng.randrange(size) for _ in range(12))}:
        path = trees.inclusion(index)
        assert tree.included(leaves[index], index, size, path, head)
        assert not tree.included(rng.randbytes(32), index, size, path, head)
        assert not tree.included(leaves[index], index, size, [*path, head], head)
        if path:
            assert not tree.included(leaves[index], index, size, path[:-1], head)
            wrong = [*path[:-1], bytes(32)]
            assert not tree.included(leaves[index], index, size, wrong, head)
            assert not tree.included(leaves[index], (index + 1) % size, size, path, head)


@pytest.mark.parametrize("new", [1, 2, 3, 7, 8, 9, 31, 64, 100, 1025])
def test_a_tree_is_shown_to_have_grown_and_a_rewritten_one_is_not(new: int) -> None:
    rng = random.Random(new)
    leaves = [rng.randbytes(32) for _ in range(new)]
    trees, head = tree.Subtrees(leaves), naive_root(leaves)
    for old in {0, 1, new, *(rng.randrange(new + 1) for _ in range(12))}:
        proof, before = trees.consistency(old), naive_root(leaves[:old])
        assert tree.consistent(old, new, proof, before, head)
        if 0 < old < new:
            assert not tree.consistent(old, new, proof, naive_root([*leaves[: old - 1], rng.randbytes(32)]), head)
            assert not tree.consistent(old, new, proof, before, rng.randbytes(32))
            assert not tree.consistent(old, new, [*proof, head], before, head)
            assert not tree.consistent(old, new, proof[:-1], before, head)
    assert not tree.consistent(new + 1, new, [], head, head)
