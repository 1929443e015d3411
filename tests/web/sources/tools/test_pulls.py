"""What a pull brings: the milestones as the tool has them, and nothing where the tool says that nothing changed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.web.sources.tools.fake_github import FakeGitHub
from tests.web.sources.tools.fake_gitlab import FakeGitLab
from tests.web.sources.tools.fake_jira import FakeJira
from tests.web.sources.tools.fake_openproject import FakeOpenProject
from tests.web.sources.tools.fake_smartsheet import FakeSmartsheet
from tests.web.sources.tools.kinds import (
    KINDS,
    JiraCloudIssues,
    JiraServerEpics,
    attached,
    by_title,
    look,
    pull,
    pull_as,
)
from tests.web.sources.tools.served import NOW, Fake, Row, Server
from web import clock
from web.importers.plan import Plan
from web.sources.tools.jira import unordered
from web.sources.tools.registry import TOOLS
from web.sources.tools.tool import Trouble

pytestmark = pytest.mark.once

MET = {  # the day on which Foundations was met, by what each tool says of 22:30 UTC
    "github": date(2027, 2, 3),
    "jira cloud versions": date(2027, 2, 4),  # in the server's zone
    "jira cloud jql": date(2027, 2, 4),
    "jira data center versions": date(2027, 2, 4),
    "jira data center epics": date(2027, 2, 4),
    "smartsheet": date(2027, 2, 3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_is_what_the_tool_says_and_nothing_else(server: Server, kind: str) -> None:
    found = pull(server, KINDS[kind]())
    plan = found.plan
    assert plan is not None
    of = by_title(found)
    assert list(of) == ["Foundations", "Roof closed", "Handover", "Snagging"]
    assert (of["Roof closed"].forecast, of["Handover"].forecast) == (date(2027, 5, 14), date(2027, 9, 30))
    assert (of["Snagging"].forecast, of["Snagging"].actual) == (None, None)
    assert of["Foundations"].actual == MET.get(kind)
    assert len({one.source_id for one in plan.milestones}) == 4
    assert all(one.source_id.startswith(f"{plan_tool(kind)}:") for one in plan.milestones)
    assert plan.present == {one.source_id for one in plan.milestones}
    assert found.content_hash == plan.file_hash
    assert len(plan.file_hash) == 64
    assert found.data_date == plan.data_date == NOW.date()


def plan_tool(kind: str) -> str:
    return kind.partition(" ")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_plan_has_the_same_hash_and_another_has_not(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    first = pull(server, fake)
    fake.rows.reverse()
    assert pull(server, fake).content_hash == first.content_hash
    change(fake, "Handover", due=date(2027, 10, 7))
    again = pull(server, fake)
    assert again.content_hash != first.content_hash
    assert by_title(again)["Handover"].forecast == date(2027, 10, 7)
    assert by_title(again)["Handover"].source_id == by_title(first)["Handover"].source_id


def change(fake: Fake, title: str, **more: Any) -> None:
    at = next(i for i, row in enumerate(fake.rows) if row.title == title)
    fake.rows[at] = msgspec.structs.replace(fake.rows[at], changed=fake.now, **more)
    if isinstance(fake, FakeSmartsheet):
        fake.version += 1


CHEAP = [kind for kind in KINDS if "versions" not in kind]  # Jira says of no version when it changed


@pytest.mark.parametrize("kind", CHEAP)
def test_nothing_is_read_again_where_the_tool_says_that_nothing_changed(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    forward(fake, hours=-1)
    first = pull(server, fake)
    whole = len(fake.asked)
    forward(fake, hours=1)
    again = pull(server, fake, first.cursor)
    assert again.plan is None
    assert (again.content_hash, again.data_date) == (first.content_hash, NOW.date())
    assert len(fake.asked) - whole <= 5
    change(fake, "Handover", due=date(2027, 10, 7))
    third = pull(server, fake, again.cursor)
    assert by_title(third)["Handover"].forecast == date(2027, 10, 7)


def forward(fake: Fake, **delta: float) -> None:
    fake.now += timedelta(**delta)


@pytest.mark.parametrize("kind", CHEAP)
def test_what_is_gone_is_noticed_though_nothing_else_changed(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    first = pull(server, fake)
    del fake.rows[1]
    if isinstance(fake, FakeSmartsheet):
        fake.version += 1
    again = pull(server, fake, first.cursor)
    assert list(by_title(again)) == ["Foundations", "Handover", "Snagging"]
    assert again.plan is not None
    assert len(again.plan.present) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_of_another_question_is_as_none(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    first = pull(server, fake)
    moved = msgspec.structs.replace(attached(fake), address=fake.address.replace("127.0.0.1", "localhost"))
    assert pull_as(fake, moved, first.cursor).plan is not None
    for odd in ("{", "[]", "null", '{"asked": 1}', "x" * 5000):
        assert pull(server, fake, odd).plan is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_plan_is_read_page_by_page(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    fake.rows = [Row(id=100 + i, title=f"Item {i}", due=date(2027, 5, 1)) for i in range(230)]
    fake.per_page = 100
    if isinstance(fake, FakeOpenProject):
        fake.most = 100
    found = pull(server, fake)
    assert found.plan is not None
    assert [one.title for one in found.plan.milestones] == [f"Item {i}" for i in range(230)]
    if kind in CHEAP:
        assert pull(server, fake, found.cursor).plan is None
        change(fake, "Item 229", due=date(2027, 6, 1))
        assert by_title(pull(server, fake, found.cursor))["Item 229"].forecast == date(2027, 6, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_value_becomes_a_note_and_costs_nothing_else(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    odd = Row(id=15, title="\u202eTower\x07 " + "x" * 250, due=date(2027, 5, 1))
    fake.rows += [odd, Row(id=16, title="  "), Row(id=14, title="Snagging again")]
    found = pull(server, fake)
    assert found.plan is not None
    assert len(found.plan.milestones) == 5
    tower = found.plan.milestones[4]
    assert tower.title.startswith("Tower x")
    assert len(tower.title) == 200
    assert found.plan.notes


def notes(found: Any) -> str:
    assert isinstance(found.plan, Plan)
    return "\n".join(found.plan.notes)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("github", {"due_on": "soon"}),
        ("gitlab", {"due_date": "0999-01-01"}),
        ("jira cloud versions", {"releaseDate": ["2027"]}),
        ("jira cloud versions", {"releaseDate": "2027-13-45"}),
        ("jira cloud jql", {"duedate": "31/12/2027"}),
        ("openproject", {"date": "9999-12-31"}),
    ],
)
def test_an_odd_day_is_left_out(server: Server, kind: str, more: dict[str, Any]) -> None:
    fake = KINDS[kind]()
    change(fake, "Handover", more=more)
    found = pull(server, fake)
    assert by_title(found)["Handover"].forecast is None
    assert by_title(found)["Roof closed"].forecast == date(2027, 5, 14)
    assert "Handover" in notes(found) or more == {"releaseDate": ["2027"]}


@pytest.mark.parametrize("kind", MET)
def test_what_is_said_to_be_met_in_the_future_is_a_note_and_no_actual(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    change(fake, "Roof closed", done=datetime(2027, 5, 14, tzinfo=UTC))
    found = pull(server, fake)
    assert by_title(found)["Roof closed"].actual is None
    assert "lie after today" in notes(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clock_that_is_ahead_confirms_no_day(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    forward(fake, days=400)
    change(fake, "Roof closed", done=datetime(2027, 5, 14, tzinfo=UTC))
    found = pull(server, fake)
    assert found.data_date is None
    assert by_title(found)["Roof closed"].actual is None
    assert "The clock of" in notes(found)


@pytest.mark.parametrize("kind", KINDS)
def test_looking_says_what_was_found(server: Server, kind: str) -> None:
    assert "4" in look(server, KINDS[kind]())


@pytest.mark.parametrize("kind", KINDS)
def test_each_tool_says_what_its_form_asks(kind: str) -> None:
    tool = TOOLS[KINDS[kind]().name]  # type: ignore[attr-defined]
    assert set(KINDS[kind]().values()) <= {field.name for field in tool.fields}
    assert all((tool.label, tool.scope, tool.secret_label))
    assert tool.usual_address == "" or tool.usual_address.startswith("https://")


# what is particular to one tool


def test_github_reads_pages_again_only_where_one_of_them_changed(server: Server) -> None:
    fake = FakeGitHub()
    fake.rows = [Row(id=100 + i, title=f"Item {i}") for i in range(150)]
    first = pull(server, fake)
    left = fake.left
    assert pull(server, fake, first.cursor).plan is None
    assert fake.left == left  # what is as before is not counted by its limit
    fake.rows += [Row(id=300 + i, title=f"New {i}") for i in range(60)]
    again = pull(server, fake, first.cursor)
    assert again.plan is not None
    assert len(again.plan.milestones) == 210
    fake.rows = fake.rows[:200]  # two full pages: a third could come unseen
    full = pull(server, fake)
    fake.rows.append(Row(id=900, title="One more"))
    assert "One more" in by_title(pull(server, fake, full.cursor))


def test_gitlab_says_not_always_how_many_there_are_nor_by_link_what_is_next(server: Server) -> None:
    fake = FakeGitLab()
    fake.rows = [Row(id=100 + i, title=f"Item {i}") for i in range(150)]
    fake.big, fake.linked = True, False
    found = pull(server, fake)
    assert found.plan is not None
    assert len(found.plan.milestones) == 150


@pytest.mark.parametrize("kind", ["gitlab", "openproject"])
def test_a_tool_that_does_not_say_when_something_was_met_is_believed_as_the_person_chose(
    server: Server, kind: str
) -> None:
    found = pull(server, KINDS[kind]())
    assert by_title(found)["Foundations"].actual is None
    assert "Closed without a day" in notes(found)
    assert by_title(pull(server, KINDS[kind](), closed="date"))["Foundations"].actual == date(2027, 2, 1)


def test_jira_versions_are_met_where_they_are_released_and_left_out_where_they_are_archived(server: Server) -> None:
    fake = FakeJira()
    change(fake, "Roof closed", more={"archived": True})
    change(fake, "Handover", more={"released": True, "releaseDate": None})
    found = pull(server, fake)
    assert list(by_title(found)) == ["Foundations", "Handover", "Snagging"]
    assert by_title(found)["Handover"].actual is None
    assert found.plan is not None
    assert len(found.plan.present) == 4  # what is archived is not gone
    assert "Released without a day" in notes(found)


def test_a_jira_issue_is_met_only_where_its_status_says_so(server: Server) -> None:
    fake = JiraCloudIssues()
    open_again = {"status": {"name": "Reopened", "statusCategory": {"key": "indeterminate"}}}
    change(fake, "Foundations", more=open_again)
    change(fake, "Handover", done=datetime(2027, 3, 1, tzinfo=UTC), more={"resolutiondate": None})
    found = pull(server, fake)
    assert (by_title(found)["Foundations"].actual, by_title(found)["Handover"].actual) == (None, None)
    assert "so not taken as met" in notes(found)
    assert "Closed without a day" in notes(found)


def test_jira_is_read_anew_once_a_day_whatever_it_says_of_changes(server: Server) -> None:
    fake = JiraServerEpics()
    first = pull(server, fake)
    forward(fake, hours=23)
    second = pull(server, fake, first.cursor)
    assert second.plan is None
    forward(fake, hours=2)
    assert pull(server, fake, second.cursor).plan is not None


def test_a_jql_keeps_what_is_quoted_and_loses_its_order() -> None:
    assert unordered("project = A ORDER BY due") == "project = A"
    assert unordered('summary ~ "to order by hand" order  by x') == 'summary ~ "to order by hand"'
    assert unordered("labels = 'order by'") == "labels = 'order by'"


def test_jira_that_answers_a_wrong_secret_as_anybody_is_not_believed(server: Server) -> None:
    fake = FakeJira()
    fake.anonymous = True
    with pytest.raises(Trouble, match="does not accept"):
        pull(server, fake)


def test_openproject_states_a_percentage_and_its_account_a_zone(server: Server) -> None:
    fake = FakeOpenProject()
    fake.zone, fake.now = "Pacific/Auckland", NOW
    found = pull(server, fake)
    assert by_title(found)["Handover"].percent_complete == 20
    assert found.data_date == date(2027, 3, 11)
    for unknown in ("Nowhere/Atall", "", "forbidden"):
        fake.zone = unknown
        assert pull(server, fake).data_date == NOW.date()


def test_openproject_gives_versions_too(server: Server) -> None:
    fake = FakeOpenProject()
    found = pull(server, fake, items="both")
    assert by_title(found)["Release 1"].forecast == date(2027, 8, 1)
    assert len(by_title(found)) == 5
    assert list(by_title(pull(server, fake, items="versions"))) == ["Release 1"]
    fake.versions[0]["endDate"] = "2027-08-09"
    again = pull(server, fake, found.cursor, items="both")
    assert by_title(again)["Release 1"].forecast == date(2027, 8, 9)


def test_smartsheet_is_read_by_its_headings_as_a_file_with_them_would_be(server: Server) -> None:
    fake = FakeSmartsheet()
    fake.users = False  # a token of the least scope
    of = by_title(pull(server, fake))
    assert of["Handover"].baseline == date(2027, 9, 30)
    assert of["Handover"].percent_complete == 20
    assert of["Handover"].source_id == "smartsheet:13"
    chosen = '{"title": "Task Name", "forecast": "Baseline Finish", "milestone": "Milestone"}'
    assert by_title(pull(server, fake, columns=chosen))["Handover"].baseline is None
    with pytest.raises(Trouble, match="Nothing here"):
        pull(server, fake, columns='{"title": "Nothing here"}')


@pytest.mark.parametrize("kind", ["github", "gitlab", "jira data center epics", "openproject"])
def test_what_is_met_on_a_day_to_come_is_asked_for_again_though_nothing_changes_there(
    server: Server, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = KINDS[kind]()
    row = next(one for one in fake.rows if one.title == "Roof closed")
    row.done, row.changed = fake.now + timedelta(days=1), fake.now
    row.due = row.done.date()
    first = pull(server, fake, closed="date")
    assert by_title(first)["Roof closed"].actual is None
    fake.now += timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: fake.now)
    again = pull(server, fake, first.cursor, closed="date")
    assert again.plan is not None
    assert by_title(again)["Roof closed"].actual == row.due
