"""Milestones and risks edited as a table: one command for all, or every error at its cell and nothing lost."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.ids import MilestoneId, RiskId
from domain.plan.project import Project
from domain.plan.schedule import AddMilestone, MoveForecast, RemoveMilestone
from tests.web.doors import House, every_route, running
from tests.world import HARBOUR, START
from web.forms.days import typed_day
from web.ids import new_id
from web.write.permission import OPERATOR

HERE = f"/p/{HARBOUR}/table/milestones"
RISKS = f"/p/{HARBOUR}/table/risks"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", every_route(), now=lambda: START + timedelta(days=2)) as made:
        yield made


def desk(house: House) -> TestClient:
    """The browser of the manager, one for a house, since forms belong to a session."""
    if not hasattr(house, "desk"):
        house.desk = house.client("manager")  # type: ignore[attr-defined]
    return house.desk  # type: ignore[attr-defined, no-any-return]


def fields(markup: str) -> dict[str, str]:
    """Every field of the table's form as a browser would send it."""
    form = re.search(r'<form class="cells".*?</form>', markup, re.DOTALL)
    assert form is not None, markup
    found = {}
    for tag in re.findall(r"<input[^>]*>", form.group()):
        attrs = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if attrs.get("type") != "checkbox" or (" checked" in tag and attrs["name"] != "meant"):
            found[attrs["name"]] = html.unescape(attrs.get("value", ""))
    return found


def save(house: House, path: str, opened: dict[str, str], **typed: str) -> Any:
    sent = opened | {name.replace("__", "."): text for name, text in typed.items()}
    return desk(house).post(path, data={name: text for name, text in sent.items() if text != "(no)"})


def opened(house: House, path: str = HERE) -> dict[str, str]:
    page = desk(house).get(path)
    assert page.status_code == 200
    return fields(page.text)


def project(house: House) -> Project:
    return house.process.services.present.refresh().projects[HARBOUR]


def tell(house: House, command: Any) -> None:
    house.process.services.service.execute(OPERATOR, command, command_id=new_id())  # type: ignore[arg-type]


def commands_of(house: House) -> list[tuple[str, ...]]:
    """The tags of what each command on the project recorded."""
    found: dict[str, list[str]] = {}
    for one in house.process.services.logs.events.stream(f"project-{HARBOUR}"):
        found.setdefault(one.command, []).append(type(one.event).__name__)
    return [tuple(tags) for tags in found.values()]


def at_cell(markup: str, name: str) -> str:
    key, column = name.split(".")
    told = re.search(rf'id="c-{key}-{column}-told">(.*?)</p>', markup, re.DOTALL)
    return html.unescape(told.group(1)) if told else ""


def test_everything_typed_is_one_command_and_one_update(house: House) -> None:
    shown = opened(house)
    before = len(commands_of(house))
    done = save(
        house, HERE, shown, m1__forecast="2027-05-10", m2__forecast="9 Aug 2027", m1__percent="40 %",
        m1__location="Dock 4", hidden__client_title="Yard", hidden__client_facing="yes", reason="Frost",
    )  # fmt: skip
    assert done.status_code == 303, fields(done.text)
    made = project(house).schedule.milestones
    m1, m2, hid = (made[MilestoneId(key)] for key in ("m1", "m2", "hidden"))
    assert (m1.forecast.isoformat(), m1.percent, m1.details.location) == ("2027-05-10", 40, "Dock 4")
    assert (m2.forecast.isoformat(), m2.moves[-1].reason) == ("2027-08-09", "Frost")
    assert hid.details.client_facing
    assert len(commands_of(house)) == before + 1
    plan = desk(house).get(done.headers["location"]).text
    assert "forecast moved (2)" in plan
    assert "Put back" in plan


def test_sent_twice_it_is_recorded_once(house: House) -> None:
    shown = opened(house)
    for _ in range(2):
        assert save(house, HERE, shown, m1__forecast="2027-05-10", reason="Frost").status_code == 303
    assert sum("ForecastMoved" in tags for tags in commands_of(house)) == 1


def test_what_is_wrong_is_said_at_every_cell_and_nothing_is_saved_or_lost(house: House) -> None:
    shown, before = opened(house), commands_of(house)
    typed = {
        "m1__forecast": "03/04/2027", "m1__percent": "140", "m1__title": "", "m2__forecast": "soon",
        "hidden__client_facing": "yes", "m2__location": "Quay 9",
    }  # fmt: skip
    refused = save(house, HERE, shown, **typed, reason="Frost")
    assert refused.status_code == 422
    assert "3 April 2027" in at_cell(refused.text, "m1.forecast")
    assert "4 March 2027" in at_cell(refused.text, "m1.forecast")
    assert at_cell(refused.text, "m1.title")
    assert "no date" in at_cell(refused.text, "m2.forecast")
    assert at_cell(refused.text, "hidden.client_title")
    again = fields(refused.text)
    assert {name.replace("__", "."): text for name, text in typed.items()}.items() <= again.items()
    assert again["reason"] == "Frost"
    assert commands_of(house) == before
    fixed = save(
        house, HERE, again, m1__forecast="2027-05-09", m1__percent="14", m1__title="Gate", m2__forecast="2027-08-03",
        hidden__client_title="Yard",
    )  # fmt: skip
    assert fixed.status_code == 303, fixed.text


def test_a_reason_is_asked_for_where_one_is_needed_and_only_there(house: House) -> None:
    refused = save(house, HERE, opened(house), m1__forecast="2027-05-10")
    assert refused.status_code == 422
    assert 'id="why-wrong"' in refused.text
    assert save(house, HERE, opened(house), m1__location="Dock 5").status_code == 303


def test_what_somebody_else_changed_meanwhile_is_said_at_the_cell_and_a_second_save_is_deliberate(house: House) -> None:
    shown = opened(house)
    move = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=typed_day("2027-05-20"), reason="Storm")
    tell(house, move)
    tell(
        house, MoveForecast(project=HARBOUR, milestone=MilestoneId("m2"), forecast=typed_day("2027-08-20"), reason="x")
    )
    refused = save(house, HERE, shown, m1__forecast="2027-05-11", m1__location="Dock", reason="Frost")
    assert refused.status_code == 422
    assert "now says 20 May 2027" in at_cell(refused.text, "m1.forecast")
    assert "Changed meanwhile" in at_cell(refused.text, "m2.forecast")
    again = fields(refused.text)
    assert (again["m1.forecast"], again["m2.forecast"]) == ("2027-05-11", "20 Aug 2027")
    assert save(house, HERE, again).status_code == 303
    assert project(house).schedule.milestones[MilestoneId("m1")].forecast == typed_day("2027-05-11")


def test_a_row_that_was_removed_meanwhile_loses_nothing_that_was_typed(house: House) -> None:
    shown = opened(house)
    tell(house, RemoveMilestone(project=HARBOUR, milestone=MilestoneId("m2"), reason="Dropped"))
    refused = save(house, HERE, shown, m2__forecast="2027-08-11", m1__forecast="2027-05-11", reason="Frost")
    assert "“2027-08-11”" in refused.text
    assert save(house, HERE, fields(refused.text)).status_code == 303
    assert project(house).schedule.milestones[MilestoneId("m1")].forecast == typed_day("2027-05-11")


@pytest.mark.parametrize(
    ("typed", "words"), [
        ({"m1__forecast": "2019-05-03"}, "every other date"),
        ({"m1__forecast": "2027-12-30"}, "days later"),
        ({"m2__forecast": "2027-09-15"}, "after “internal hidden”"),
    ],
)  # fmt: skip
def test_what_is_not_likely_is_asked_about_once(house: House, typed: dict[str, str], words: str) -> None:
    asked = save(house, HERE, opened(house), **typed, reason="Frost")
    assert asked.status_code == 422
    (name,) = (name.replace("__", ".") for name in typed)
    assert words in at_cell(asked.text, name)
    meant = re.search(r'name="meant" value="([^"]*)"', asked.text)
    assert meant is not None
    done = save(house, HERE, fields(asked.text), meant=html.unescape(meant.group(1)))
    assert done.status_code == 303, at_cell(done.text, name)


def test_met_and_open_again_in_the_table(house: House) -> None:
    today = project(house).civil(house.process.services.now())
    assert save(house, HERE, opened(house), m1__actual=today.isoformat()).status_code == 303
    shown = opened(house)
    moved = save(house, HERE, shown, m1__forecast="2027-05-10", reason="Frost")
    assert "Reopen it first" in at_cell(moved.text, "m1.forecast")
    both = save(house, HERE, shown, m1__actual="", m1__forecast="2027-05-10", reason="Not met")
    assert both.status_code == 303
    assert project(house).schedule.milestones[MilestoneId("m1")].actual is None


def test_risks_are_edited_in_the_same_way(house: House) -> None:
    shown, before = opened(house, RISKS), len(commands_of(house))
    done = save(
        house, RISKS, shown, r1__probability="4", r1__owner="Ann", r2__closed="yes", r2__title="Other", reason="Review"
    )
    assert done.status_code == 303, done.text
    risks = project(house).risks.risks
    assert (risks[RiskId("r1")].residual.score, risks[RiskId("r1")].details.owner) == (12, "Ann")
    assert risks[RiskId("r2")].closed
    assert len(commands_of(house)) == before + 1
    wrong = save(house, RISKS, opened(house, RISKS), r1__impact="9", r2__ref="R-01", reason="x")
    assert at_cell(wrong.text, "r1.impact")
    assert "names another risk" in at_cell(wrong.text, "r2.ref")


def test_a_long_plan_is_edited_page_by_page(house: House) -> None:
    from web.manager.table import page

    details = project(house).schedule.milestones[MilestoneId("m1")].details
    for i in range(3):
        key = MilestoneId(f"x{i}")
        tell(house, AddMilestone(project=HARBOUR, milestone=key, details=details, forecast=typed_day("2028-01-01")))
    few, page.AT_ONCE = page.AT_ONCE, 4
    try:
        shown = opened(house, f"{HERE}?from=4")
        assert {name.partition(".")[0] for name in shown if "." in name} == {"x1", "x2"}
        done = save(house, f"{HERE}?from=4", shown, x2__location="Quay")
        assert done.status_code == 303
    finally:
        page.AT_ONCE = few


def test_a_table_that_was_never_ours_is_refused_and_not_an_error(house: House) -> None:
    shown = opened(house)
    for seen in ("", "[]", '{"m1": 3}', '{"nobody": {"title": "x"}}', "\ud800"[:0] + "{" * 2000):
        answer = save(house, HERE, shown, seen=seen, m1__forecast="2027-05-10", reason="x")
        assert answer.status_code in (200, 303, 422)
    assert desk(house).get(f"/p/{HARBOUR}/table/nothing").status_code == 404
    assert house.client("auditor").get(HERE).status_code in (403, 404)
