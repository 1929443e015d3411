"""The share's tree against a second, naive implementation of RFC 6962 and its published values."""

import hashlib
import random

import pytest

from projections import tree


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
