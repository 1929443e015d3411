"""A watched folder: of the project's own alone, whatever is typed, linked or put in its place."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.ids import SourceId
from tests.web.sources.house import Sourced, sourced
from tests.world import HARBOUR
from web.sources.folder import FileThen, FolderTool
from web.sources.tools.tool import Attached, Trouble

pytestmark = pytest.mark.stories
CSV = b"id,name,finish,milestone\n7,Depot opens,2027-06-01,yes\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path, source_folder=tmp_path / "plans") as made:
        (tmp_path / "plans" / HARBOUR / "depot").mkdir(parents=True)
        yield made


def test_a_folder_of_another_project_and_what_leads_out_of_ones_own_are_no_folders(
    house: Sourced, tmp_path: Path
) -> None:
    plans, engine = tmp_path / "plans", house.services.sources.engine
    mine, theirs = plans / HARBOUR, plans / "depot"
    theirs.mkdir()
    for folder in (theirs, plans, tmp_path):
        (folder / "plan.csv").write_bytes(CSV)
    (mine / "link").symlink_to(theirs)
    (mine / "depot" / "link").symlink_to("..")
    typed = ["..", "../", "/../", "../depot", f"../{HARBOUR}/../depot", "depot/../..", "depot/..", "link", "link/.",
             "depot/link", str(theirs), f"/{theirs}", "plan.csv", "depot/plan.csv", "\0", "a" * 300]  # fmt: skip
    (mine / "depot" / "plan.csv").write_bytes(CSV)
    tool = FolderTool(plans, house.services.sources.files, still=0.01)
    for place in typed:
        for project in (str(HARBOUR), "", "..", "."):
            given = Attached(address="", values={"folder": place}, project=project)
            with pytest.raises(Trouble, match=r"There is no folder .* below") as found:
                tool._newest(given)
            assert found.value.for_good, place
    assert tool._newest(Attached(address="", values={"folder": "/depot/./"}, project=HARBOUR)).name == "plan.csv"
    with pytest.raises(Trouble, match="There is no plan in the folder"):
        tool._newest(Attached(address="", values={"folder": ""}, project=HARBOUR))  # nothing of the folder above it
    house.services.sources.tools["folder"] = tool  # type: ignore[index]
    house.attach(key=SourceId("folder1"), tool="folder", address="", values={"folder": "../depot"})
    asked = engine.turn_of(HARBOUR, SourceId("folder1"))
    assert asked.trouble is not None
    assert asked.trouble.for_good


def test_a_link_that_takes_the_place_of_a_folder_while_it_is_read_leads_nowhere(
    house: Sourced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, outside = tmp_path / "plans" / HARBOUR / "depot", tmp_path / "outside"
    outside.mkdir()
    for place, title in ((folder, "Depot opens"), (outside, "Elsewhere")):
        (place / "plan.csv").write_bytes(CSV.replace(b"Depot opens", title.encode()))
    tool = FolderTool(tmp_path / "plans", house.services.sources.files, still=0.0)
    given = Attached(address="", values={"folder": "depot"}, project=HARBOUR)
    newest, opened, swapped = tool._newest(given), os.open, []

    def swap(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if path == "plan.csv" and not swapped:
            swapped.append(folder.rename(tmp_path / "away"))
            folder.symlink_to(outside)
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", swap)
    read = tool._read(given, newest, house.services.sources.files)
    assert swapped
    assert read is not None
    assert read.plan is not None
    assert [one.title for one in read.plan.milestones] == ["Depot opens"]
    with pytest.raises(Trouble, match="There is no folder"):
        tool._newest(given)


def test_a_file_that_is_a_link_a_pipe_or_still_being_written_is_not_taken(house: Sourced, tmp_path: Path) -> None:
    folder, files = tmp_path / "plans" / HARBOUR / "depot", house.services.sources.files
    tool = FolderTool(tmp_path / "plans", files, still=0.0)
    given = Attached(address="", values={"folder": "depot"}, project=HARBOUR)
    os.mkfifo(folder / "pipe.csv")
    (tmp_path / "secret.csv").write_bytes(CSV)
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(Trouble, match="There is no plan in the folder"):
        tool._newest(given)
    (folder / "plan.csv").write_bytes(CSV)
    newest = tool._newest(given)
    (folder / "plan.csv").unlink()
    (folder / "plan.csv").symlink_to(tmp_path / "secret.csv")  # in place of what was looked at
    with pytest.raises(Trouble, match="still being written") as found:
        tool._read(given, newest, files)
    assert found.value.retry_after
    with pytest.raises(Trouble, match="cannot be opened"):
        tool._read(given, msgspec.structs.replace(_as_it_is(folder / "plan.csv"), name="plan.csv"), files)


def _as_it_is(path: Path) -> FileThen:
    found = path.lstat()
    return FileThen(path.name, found.st_size, found.st_mtime_ns)
