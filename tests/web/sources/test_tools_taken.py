"""A date that is moved in each tool is on the project and in what a client sees, without anybody's hands."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.ids import SourceId
from domain.plan.schedule import DescribeMilestone
from projections.replay.pages import Views
from tests.web.doors import wait_until
from tests.web.sources.house import HARBOUR, TAKE, Sourced, reaching
from tests.web.sources.tools.kinds import KINDS
from tests.web.sources.tools.served import Server
from tests.world import SHARE

pytestmark = pytest.mark.stories
KEY = SourceId("tool1")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with reaching(tmp_path) as made:
        yield made


@pytest.mark.parametrize("kind", ["github", "gitlab", "jira cloud jql", "openproject", "smartsheet"])
def test_a_date_moved_there_is_shown_here(house: Sourced, tool_server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    tool_server.put(fake)
    engine, taking = house.services.sources.engine, house.services.sources.taking
    sealed = taking.seal(HARBOUR, KEY, 1, fake.secret, (fake.name, fake.address))
    house.attach(key=KEY, tool=fake.name, address=fake.address, values=fake.values(), rules=TAKE, secret=sealed)
    first = engine.turn_of(HARBOUR, KEY)
    assert first.trouble is None, first.trouble
    roof = house.titled("Roof closed")
    assert roof.forecast == date(2027, 5, 14)
    details = msgspec.structs.replace(roof.details, client_title="Roof", client_facing=True)
    house.tell(DescribeMilestone(project=HARBOUR, milestone=roof.id, details=details))
    fake.now += timedelta(hours=2)
    row = next(one for one in fake.rows if one.title == "Roof closed")
    row.due, row.changed = date(2027, 5, 17), fake.now
    assert engine.turn_of(HARBOUR, KEY).news == "recorded"
    log = house.services.logs.disclosure

    def shown() -> date | None:
        view = Views(log, SHARE).at(log.head(SHARE))
        assert view is not None
        return next((one.forecast for one in view.milestones if one.title == "Roof"), None)

    wait_until(lambda: shown() == date(2027, 5, 17))
    origin = house.project.origins.origin(roof.id, "forecast")
    last = house.source(KEY).last
    assert origin is not None
    assert last is not None
    assert origin.pull == last.id
    assert engine.turn_of(HARBOUR, KEY).news == "nothing"
