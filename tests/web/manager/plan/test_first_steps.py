"""The third of four steps takes the name of a client where it stands, whether there are clients already or not."""

from pathlib import Path

from domain.ids import CommandId, MilestoneId, PersonId, ProjectId
from domain.plan.project import StartProject
from domain.plan.schedule import AddMilestone, MilestoneDetails
from tests.web.doors import running
from tests.web.manager.plan.test_change import hidden
from tests.world import START
from web.manager import projects
from web.manager.agreement import shares
from web.write.permission import OPERATOR

NEW = ProjectId("quay")


def test_a_new_client_is_named_at_the_step_beside_a_way_to_those_there_are(tmp_path: Path) -> None:
    with running(tmp_path / "data", [*projects.routes(), *shares.routes()]) as house:
        start = StartProject(
            project=NEW, title="Quay", client_title="Quay", owner=PersonId("manager"), currency="GBP", time_zone="UTC"
        )
        details = MilestoneDetails(title="Wall", client_title="Wall", client_facing=True)
        add = AddMilestone(project=NEW, milestone=MilestoneId("wall"), details=details, forecast=START.date())
        for command in (start, add):
            house.process.services.service.execute(OPERATOR, command, command_id=CommandId(type(command).__name__))
        browser = house.client("manager")
        page = browser.get(f"/p/{NEW}").text
        assert "Name of a new client" in page
        assert f'href="/p/{NEW}/shares/new">Choose a client' in page
        answer = browser.post(f"/p/{NEW}/shares/new", data=hidden(page) | {"client_name": "Quay Trust"})
        assert answer.status_code == 303, answer.text
        assert "Quay Trust" in [c.name for c in house.process.services.present.refresh().clients.values()]
