"""`fanlight erase` where something breaks off: what is done is said to be done, and what is not, or not known, is said."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.ids import PersonId
from domain.people.person import InvitePerson
from projections.evidence import erasing, names_due
from projections.evidence.leaves import numbers_erased
from projections.installation.attendance import Attendance
from projections.installation.folder import Folder
from projections.logs.disclosure_log import DisclosureLog
from tests import postgres
from tests.recorded import recorded
from tests.world import ADMIN, SHARE, World
from web.cli import erase
from web.cli.main import main
from web.process.signing import signing_key
from web.settings import Settings
from web.write.service import Service

REASON = ("--reason", "Asked for it")
SAME = "twice@acme.test"


def _updates(folder: Path) -> None:
    """Record three updates, and two people who have one address."""
    world = World(folder)
    world.harbour()
    for day in (1, 2):
        world.move("m1", date(2027, 6, day))
    for person in ("one", "other"):
        world.tell(InvitePerson(person=PersonId(person), name=person.title(), email=SAME, role="auditor"), ADMIN)
    world.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    recorded(tmp_path / "data", _updates)
    return tmp_path / "data"


@pytest.fixture
def serves(data: Path) -> Iterator[Folder]:
    """A process that serves, and answers nothing."""
    folder = Folder(data)
    folder.processes.come(alone=True)
    yield folder
    folder.close()


class Gone:
    """The table that processes are asked by is away, from when `now` is called to `back`."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def _rename(self, old: str, new: str) -> None:
        with sqlite3.connect(self._data / "receipts.db") as db:
            db.execute(f"ALTER TABLE {old} RENAME TO {new}")
        db.close()

    def now(self, *_given: object) -> None:
        self._rename("stored_events", "away")

    def back(self) -> None:
        self._rename("away", "stored_events")


def then(call: Callable[..., Any], after: Callable[..., None]) -> Callable[..., Any]:
    """Return a call that is followed by something else."""

    def both(*given: Any, **named: Any) -> Any:
        answer = call(*given, **named)
        after()
        return answer

    return both


def broken(*_given: object, **_named: object) -> None:
    raise ZeroDivisionError


def readable(data: Path) -> set[int]:
    folder = Folder(data)
    try:
        return {one.n for one in folder.disclosure.kept(SHARE, 0, 100) if one.raw is not None}
    finally:
        folder.close()


@pytest.mark.folder
def test_updates_are_said_to_be_erased_where_the_processes_cannot_be_asked_after_it(
    data: Path, serves: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(erase, "erase_entries", then(erasing.erase_entries, Gone(data).now))
    assert main(["erase", "updates", SHARE, "2", *REASON, "--data", str(data)]) == 1
    said = capsys.readouterr()
    assert said.out == f"Erased 1 of share {SHARE}. Their places, times and hashes stay, and every proof still holds.\n"
    assert "could not be asked to drop what they have in memory. Restart each of them, or end it." in said.err
    assert "Traceback" not in said.err
    Gone(data).back()
    assert 2 not in readable(data)


@pytest.mark.folder
def test_a_process_that_does_not_confirm_is_told_of_by_the_exit_code_too(
    data: Path, serves: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Attendance.everybody_lets_go, "__defaults__", (0.1,))
    assert main(["erase", "updates", SHARE, "2", *REASON, "--data", str(data)]) == 1
    assert "A process that serves did not confirm" in capsys.readouterr().err
    assert main(["erase", "updates", SHARE, "1", *REASON, "--data", str(data)]) == 0  # nobody is waited for twice
    assert capsys.readouterr().err == ""


@pytest.mark.folder
def test_an_erasure_of_updates_that_breaks_off_is_not_said_to_be_done_nor_not_done_and_can_be_repeated(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(DisclosureLog, "erase", broken)  # once the statement is durable
        assert main(["erase", "updates", SHARE, "2", *REASON, "--data", str(data)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "so it is not known whether it is erased. Give the command again" in said.err
    assert 2 in readable(data)
    assert main(["erase", "updates", SHARE, "2", *REASON, "--data", str(data)]) == 0
    assert 2 not in readable(data)
    assert main(["verify", "--data", str(data)]) == 0


@pytest.mark.folder
def test_a_person_is_said_to_be_erased_where_the_processes_cannot_be_asked_after_it(
    data: Path, serves: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Attendance, "everybody_lets_go", broken)
    assert main(["erase", "person", "v@acme.test", *REASON, "--data", str(data)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("Erased. ")
    assert "could not be asked to drop what they have in memory" in said.err
    assert main(["erase", "person", "v@acme.test", *REASON, "--data", str(data)]) == 2, "nobody has that address"


@pytest.mark.folder
def test_a_person_is_said_to_be_erased_where_updates_that_name_them_cannot_be_yet(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(names_due, "erase_due", broken)
    assert main(["erase", "person", "v@acme.test", *REASON, "--data", str(data)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("Erased. ")
    assert "The updates that name them could not be erased yet" in said.err
    assert "named them: their content is erased" not in said.out


@pytest.mark.folder
def test_of_two_people_with_one_address_it_is_said_that_the_first_is_erased_where_the_second_is_not(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    carry_out, count = Service.execute, list[int]()

    def first_alone(self: Service, *given: Any, **named: Any) -> Any:
        count.append(1)
        return carry_out(self, *given, **named) if len(count) == 1 else broken()

    with monkeypatch.context() as patched:
        patched.setattr(Service, "execute", first_alone)
        assert main(["erase", "person", SAME, *REASON, "--data", str(data)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "1 of the 2 people with this address are erased." in said.err
    assert "not known whether it is erased" in said.err
    assert main(["erase", "person", SAME, *REASON, "--data", str(data)]) == 0
    assert capsys.readouterr().out.startswith("Erased. ")


@pytest.mark.folder
@pytest.mark.slow
def test_a_postgres_that_ends_once_it_is_erased_does_not_hide_that_it_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with postgres.running() as server:
        server.execute("CREATE ROLE app LOGIN")
        postgres.migrate(owner := postgres.create(server.url(), "erased"), "app")
        key = tmp_path / "signing.key"
        signing_key(key)
        settings = ("--signing-key", str(key))
        assert main(["copy", "--from", str(data), "--to", owner, *settings]) == 0
        database = server.url("erased", "app")
        capsys.readouterr()
        with monkeypatch.context() as patched:
            patched.setattr(erase, "erase_entries", then(erasing.erase_entries, server.stop))
            assert main(["erase", "updates", SHARE, "2", *REASON, "--database-url", database, *settings]) == 1
        said = capsys.readouterr()
        assert said.out.startswith(f"Erased 1 of share {SHARE}.")
        assert "could not be asked to drop what they have in memory" in said.err
        server.start()
        logs = erase.open_logs.logs(Settings(database_url=database, signing_key=key))
        try:
            assert numbers_erased(logs, SHARE) == {2}
            assert [one.raw for one in logs.disclosure.kept(SHARE, 1, 1)] == [None]
        finally:
            logs.close()
