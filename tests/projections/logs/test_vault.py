"""Keys: what is sealed opens with its key alone, and what was destroyed is in no file any more."""

import threading
from pathlib import Path

import pytest

from projections.logs.keys import FileKeys
from projections.logs.vault import SLOTS, Damaged, Gone, Vault

pytestmark = pytest.mark.once


def test_what_was_sealed_opens_again_also_in_a_fresh_process(tmp_path: Path) -> None:
    vault = Vault(FileKeys(tmp_path / "keys.db"))
    sealed, slotted = vault.seal("person-1", b"Anna", b"kind"), vault.seal_slot("entries-s", 300, b"text", b"head")
    assert b"Anna" not in sealed
    vault.close()
    again = Vault(FileKeys(tmp_path / "keys.db"))
    assert again.open("person-1", sealed, b"kind") == b"Anna"
    assert again.open_slot("entries-s", 300, slotted, b"head") == b"text"


def test_what_was_altered_or_put_elsewhere_does_not_open(tmp_path: Path) -> None:
    vault = Vault(FileKeys(tmp_path / "keys.db"))
    sealed = vault.seal_slot("entries-s", 1, b"text", b"head")
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:5], b""):
        with pytest.raises(Damaged):
            vault.open_slot("entries-s", 1, wrong, b"head")
    with pytest.raises(Damaged):
        vault.open_slot("entries-s", 1, sealed, b"another head")
    with pytest.raises(Damaged):
        vault.open_slot("entries-s", 2, sealed, b"head")


def test_a_destroyed_key_is_gone_and_its_neighbours_are_not(tmp_path: Path) -> None:
    vault = Vault(FileKeys(tmp_path / "keys.db"))
    sealed = {n: vault.seal_slot("entries-s", n, str(n).encode(), b"") for n in (1, 2, 3, SLOTS, SLOTS + 1)}
    person = vault.seal("person-1", b"Anna", b"")
    vault.destroy_slots("entries-s", [2, SLOTS])
    assert vault.destroy("person-1")
    assert not vault.destroy("person-1")
    for n, one in sealed.items():
        if n in (2, SLOTS):
            with pytest.raises(Gone):
                vault.open_slot("entries-s", n, one, b"")
            with pytest.raises(Gone):
                vault.seal_slot("entries-s", n, b"again", b"")
        else:
            assert vault.open_slot("entries-s", n, one, b"") == str(n).encode()
    with pytest.raises(Gone):
        vault.open("person-1", person, b"")


def test_the_bytes_of_a_destroyed_key_are_in_no_file(tmp_path: Path) -> None:
    vault = Vault(FileKeys(tmp_path / "keys.db"))
    secret = vault.secret("person-1")
    held = lambda: any(secret in path.read_bytes() for path in tmp_path.iterdir())  # noqa: E731
    assert held()
    vault.destroy("person-1")
    assert not held()


def test_another_process_that_knew_a_key_cannot_use_it_after_it_was_destroyed(tmp_path: Path) -> None:
    one, two = Vault(FileKeys(tmp_path / "keys.db")), Vault(FileKeys(tmp_path / "keys.db"))
    sealed = one.seal("person-1", b"Anna", b"")
    assert two.open("person-1", sealed, b"") == b"Anna"
    one.destroy("person-1")
    with pytest.raises(Gone):
        two.open("person-1", sealed, b"")


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    Vault(FileKeys(tmp_path / "keys.db"))
    assert (tmp_path / "keys.db").stat().st_mode & 0o077 == 0


def test_two_processes_that_need_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    vaults = [Vault(FileKeys(tmp_path / "keys.db")) for _ in range(4)]
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda v=v: keys.append(v.secret("person-1"))) for v in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys) == 4
