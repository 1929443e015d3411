"""The signing key is made once, however many processes start together, and never again for a record that knows one."""

import multiprocessing
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.proof.notes import BadNote, Signer
from tests.programs import fanlight
from tests.world import KEY, SHARE, World
from web import clock
from web.process import signing
from web.settings import BadSetting, Settings

PROCESSES, ROUNDS = 5, 20


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[World]:
    """A record with checkpoints, and its key in its place."""
    made = World(tmp_path / "data")
    made.harbour()
    signing.write(tmp_path / "data" / "signing.key", KEY)
    made.notary.sign([SHARE])
    yield made
    made.close()


def _start(path: Path, begin: Any, told: Any) -> None:
    for _round in range(ROUNDS):
        begin.wait(60)
        key = signing.signing_key(path / str(_round) / "signing.key")
        told.put((_round, key.name, key.seed))


@pytest.mark.once
def test_processes_that_start_together_have_one_key_and_it_is_the_one_on_disk(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    begin, told = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=_start, args=(tmp_path, begin, told)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    keys = [told.get(timeout=60) for _ in range(PROCESSES * ROUNDS)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    for number in range(ROUNDS):
        there = tmp_path / str(number)
        on_disk = signing.signing_key(there / "signing.key")
        assert {(name, seed) for n, name, seed in keys if n == number} == {(on_disk.name, on_disk.seed)}
        assert [path.name for path in there.iterdir()] == ["signing.key"]
        assert stat.S_IMODE((there / "signing.key").stat().st_mode) == 0o600


def key_of(world: World) -> Signer:
    return signing.notary(world.folder, Settings(data=world.path), clock.now).key


def test_a_key_that_is_missing_is_not_replaced_where_the_record_knows_one(signed: World) -> None:
    assert key_of(signed).seed == KEY.seed
    path = signed.path / "signing.key"
    path.unlink()
    with pytest.raises(BadSetting, match=r"Put signing\.key back from where you keep it") as refused:
        key_of(signed)
    assert KEY.name in str(refused.value)
    assert not path.exists()


def test_the_key_of_another_installation_is_refused(signed: World) -> None:
    path = signed.path / "signing.key"
    path.unlink()
    other = signing.signing_key(path)
    with pytest.raises(BadSetting, match=f"holds the key of {other.name}"):
        key_of(signed)


def test_another_key_of_the_same_name_is_refused_as_before(signed: World) -> None:
    signing.write(signed.path / "signing.key", signing.renewed(KEY))
    with pytest.raises(BadNote, match=r"Put the right signing\.key in place"):
        key_of(signed)


@pytest.mark.folder
def test_a_server_says_in_one_line_that_the_key_is_missing(signed: World) -> None:
    signed.close()
    (signed.path / "signing.key").unlink()
    done = fanlight("serve", "--data", signed.path, "--port", "0")
    assert done.returncode == 2
    assert "fanlight key lost" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    signed.open()


@pytest.mark.folder
def test_a_key_that_is_lost_for_ever_is_followed_by_one_of_another_name(signed: World) -> None:
    signed.close()
    kept = fanlight("key", "lost", "--data", signed.path)
    assert (kept.returncode, "Nothing is lost" in kept.stderr) == (2, True)
    (signed.path / "signing.key").unlink()
    lost = fanlight("key", "lost", "--data", signed.path)
    assert lost.returncode == 0, lost.stderr
    assert fanlight("key", "show", "--data", signed.path).stdout.strip() == lost.stdout.splitlines()[0]
    signed.open()
    names = [name for name, _public in signing.names_of(signed.folder)]
    assert names == [KEY.name, key_of(signed).name]
    assert names[0] != names[1]


@pytest.mark.once
def test_a_key_that_may_not_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    path.mkdir()  # which nobody can read, as root neither
    with pytest.raises(BadSetting, match="cannot be read"):
        signing.signing_key(path)
