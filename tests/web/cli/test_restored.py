"""After a folder was restored: nobody is signed in by what was ended after the backup, and a device ahead of it ends."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.ids import PersonId
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.recorded import recorded
from tests.web.doors import VIEWER, every_route, running
from tests.web.sign_in.test_devices import Time, comes_in, credential, devices, enter, holding, person, restarted
from web.cli import main
from web.write.permission import OPERATOR


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(autouse=True)
def started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a house start on a folder that one ran on before."""

    def once(folder: Path, make: Callable[[Path], None]) -> None:
        if not any(folder.glob("*.db")):
            recorded(folder, make)

    monkeypatch.setattr("tests.web.doors.recorded", once)


def kept(folder: Path, time: Time) -> str:
    with running(folder, every_route(), now=time) as house:
        return credential(house, enter(house))


@pytest.mark.folder  # it copies one
def test_a_device_that_was_ended_after_the_backup_is_not_good_again(tmp_path: Path, time: Time) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    value = kept(data, time)
    shutil.copytree(data, backup)
    with running(data, every_route(), now=time) as house:
        (device,) = devices(house)
        house.process.services.devices.end(OPERATOR, PersonId(VIEWER), device.id)
    assert main.main(["restored", "--data", str(backup), "--reason", "Disk failed"]) == 0
    logs = Folder(backup)
    after = CurrentWorld(logs.events).world.people[PersonId(VIEWER)]
    assert after.devices.kept == {}
    assert [session for session in after.sessions.values() if session.kept] == []
    assert [gone.cause for gone in after.devices.gone] == ["restored"]
    last = logs.ledger.last()
    assert last is not None
    assert last.statement.kind == "restored"
    assert "signed out: 1" in last.statement.text
    logs.close()
    with running(backup, every_route(), now=time) as house:
        assert not comes_in(holding(house, value))


@pytest.mark.folder  # it copies one
def test_a_device_ahead_of_a_record_that_went_back_ends_and_its_person_reads_why(tmp_path: Path, time: Time) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    value = kept(data, time)
    shutil.copytree(data, backup)
    with running(data, every_route(), now=time) as house:
        browser = holding(house, value)
        for _day in range(2):
            time.forward(days=1)
            browser = restarted(house, browser)
            assert comes_in(browser)
        ahead = credential(house, browser)
    with running(backup, every_route(), now=time) as house:
        assert not comes_in(holding(house, ahead))
        assert [gone.cause for gone in person(house).devices.gone] == ["restored"]
        assert "the record was restored from a backup" in enter(house, keep=False).get("/me").text


def test_a_folder_without_a_record_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["restored", "--data", str(tmp_path / "none"), "--reason", "x"]) != 0
    assert "There is no record in" in capsys.readouterr().err
