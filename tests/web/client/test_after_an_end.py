"""After a share has ended nothing that is recorded later reaches its viewers, by whatever page, file or interface."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.share import RevokeShare
from domain.agreement.terms import Terms
from domain.ids import MilestoneId
from domain.people.brand import NameOrganisation
from domain.plan.project import DescribeProject
from domain.plan.schedule import ConfirmPlan, MoveForecast
from tests.properties.test_noninterference_doors import KEYS, doors, paths
from tests.world import HARBOUR, OTHER, SHARE, World, everything
from web.render.page import Renderer
from web.write.permission import OPERATOR

LATER = (
    NameOrganisation(name="Another Name"),
    DescribeProject(project=HARBOUR, title="Inside", client_title="Renamed", owner="marta"),
    MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2028, 1, 1), reason="Late"),
    ConfirmPlan(project=HARBOUR),
)


def told(process: Any, *commands: Any) -> None:
    """Carry out commands and wait for what they make."""
    for i, command in enumerate(commands):
        process.services.service.execute(OPERATOR, command, command_id=f"{type(command).__name__}-{i}")
    follower = process.services.follower
    follower.wake()
    while follower._position < process.services.present.refresh().position:
        follower.wake()


def recorded(folder: Path, *, ended: bool) -> None:
    world = World(folder, Renderer())
    world.harbour()
    world.share(everything(), OTHER)
    world.move("m1", date(2027, 6, 1))
    if ended:
        for share in (SHARE, OTHER):
            world.tell(RevokeShare(share=share, reason="Over"))
    world.close()


def read(process: Any, client: Any) -> dict[str, bytes]:
    found = {}
    for path in paths(process):
        answer = client.get(path)
        found[path] = f"{answer.status_code} {sorted(answer.headers.items())}".encode() + KEYS.sub(b"", answer.content)
    return found


def test_nothing_that_is_recorded_later_reaches_a_viewer(tmp_path: Path) -> None:
    recorded(tmp_path, ended=True)
    with doors(tmp_path) as (process, client):
        before = read(process, client)
        assert before[f"/s/{SHARE}/evidence.zip"].startswith(b"200")
        told(process, *LATER)
        after = read(process, client)
    assert [path for path in before if before[path] != after[path]] == []


def test_it_would_be_noticed(tmp_path: Path) -> None:
    recorded(tmp_path, ended=False)
    with doors(tmp_path) as (process, client):
        before = read(process, client)
        told(process, *LATER)
        after = read(process, client)
    changed = {path for path in before if before[path] != after[path]}
    assert {f"/s/{SHARE}", f"/s/{SHARE}/evidence.zip", f"/s/{SHARE}/record", "/home", "/home/mail"} <= changed


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_bundle_is_named_as_the_newest_update_in_it_names_the_project(tmp_path: Path, n: int) -> None:
    world = World(tmp_path)
    world.harbour(Terms(milestones="all", milestone_fields=("forecast",)))
    for title in ("Second", "Third"):
        world.tell(DescribeProject(project=HARBOUR, title="Inside", client_title=title, owner="marta"))
    bundle = world.bundle("period", 1, n, receipts=False)
    title = ("Harbour Line", "Second", "Third")[n - 1]
    assert f'"project": "{title}"'.encode() in member(bundle, "bundle.json")
    world.close()


def member(bundle: bytes, path: str) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return archive.read(path)
