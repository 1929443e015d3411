"""The manager's forms: every command has one, refusals come back in place, nobody overwrites what they did not see."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from starlette.testclient import TestClient

from domain.ids import CommandId, MilestoneId
from domain.plan.calendar import Calendar
from domain.plan.project import PlainCommand, SetCalendar
from domain.plan.schedule import MoveForecast
from tests.web.doors import VIEWER, House, running, wait_until
from tests.world import HARBOUR, SHARE
from web.forms.form import Form
from web.manager import projects
from web.manager.forms import regions
from web.manager.forms.catalogue import ELSEWHERE, FORMS
from web.write.permission import OPERATOR

TODAY = datetime.now(UTC).date()
LATER = (TODAY + timedelta(days=30)).isoformat()
HERE = f"/p/{HARBOUR}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", projects.routes(), max_upload_mb=1) as made:
        yield made


def hidden(markup: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', markup))


def send(browser: TestClient, path: str, htmx: bool = True, **values: object):
    """Open a form and send it, as a browser with or without scripts does."""
    headers = {"hx-request": "true"} if htmx else {}
    opened = browser.get(path, headers=headers)
    assert opened.status_code == 200, opened.text
    return browser.post(path, data=hidden(opened.text) | values, headers=headers)


def recorded(house: House) -> list[str]:
    found = house.process.services.logs.events.stream(f"project-{HARBOUR}")
    return [type(r.event).__name__ for r in found]


@pytest.mark.once
def test_no_command_of_a_project_is_without_a_form() -> None:
    tags = {str(command.__struct_config__.tag) for command in get_args(PlainCommand)}
    assert tags == set(FORMS) | ELSEWHERE


DETAILS = {
    "details.title": "Gate",
    "details.client_title": "Gate 2",
    "details.kind": "delivery",
    "details.owner_side": "ours",
}
RISK = {
    "details.ref": "R-09", "details.title": "Frost", "details.proximity": "imminent", "details.response": "reduce",
}  # fmt: skip
M, R = "?milestone=m1", "?risk=r1"
TOLERANCES = {
    "tolerances.slip_at_risk": "4", "tolerances.slip_off_track": "9", "tolerances.slip_margin": "1",
    "tolerances.cost_at_risk": "5", "tolerances.cost_off_track": "10", "tolerances.cost_margin": "1",
    "tolerances.spi_at_risk": "0.95", "tolerances.spi_off_track": "0.85", "tolerances.spi_margin": "0.01",
}  # fmt: skip
BUDGET = [("approve-budget", {"measure": "cost", "amount": "1,000,000", "reason": ""}, "BudgetApproved")]
EVERY: list[tuple[list[tuple[str, dict[str, object], str]], str]] = [
    ([("describe-project", {"title": "A", "client_title": "B", "owner": "marta"}, "ProjectDescribed")], ""),
    ([("set-calendar", {"calendar.weekdays": ["0", "1"], "calendar.holidays": "2027-12-25"}, "CalendarSet")], ""),
    ([("correct-project", {"currency": "USD", "time_zone": "Europe/London"}, "ProjectCorrected")], ""),
    ([("set-tolerances", TOLERANCES | {"reason": "Agreed"}, "TolerancesSet")], ""),
    ([("hold-project", {"reason": "Strike"}, "ProjectHeld"), ("resume-project", {"reason": ""}, "ProjectResumed")], ""),
    ([("close-project", {"reason": "Done"}, "ProjectClosed")], ""),
    (
        [
            ("override-health", {"status": "at_risk", "reason": "Talks", "until": LATER}, "HealthOverridden"),
            ("withdraw-override", {}, "HealthOverrideEnded"),
        ],
        "?dimension=schedule",
    ),
    ([("add-milestone", DETAILS | {"forecast": "2027-11-01"}, "MilestoneAdded")], ""),
    ([("describe-milestone", DETAILS | {"details.value": "5 000.50"}, "MilestoneDescribed")], M),
    ([("move-forecast", {"forecast": "2027-06-01", "reason": "Frost", "latest": "2027-06-09"}, "ForecastMoved")], M),
    ([("report-progress", {"percent": "40"}, "ProgressReported")], M),
    (
        [
            ("describe-milestone", DETAILS | {"details.needs_acceptance": "yes"}, "MilestoneDescribed"),
            ("meet-milestone", {"actual": TODAY.isoformat()}, "MilestoneMet"),
            ("accept-milestone", {"on": TODAY.isoformat(), "by": "Anna"}, "MilestoneAccepted"),
            ("reopen-milestone", {"reason": "Failed the test"}, "MilestoneReopened"),
            ("remove-milestone", {"reason": "Dropped"}, "MilestoneRemoved"),
        ],
        M,
    ),
    (
        [("confirm-plan", {"data_date": TODAY.isoformat(), "note": ""}, "PlanConfirmed")],
        "",
    ),
    (
        [
            *BUDGET,
            ("approve-budget-change", {"measure": "cost", "amount": "-5 000", "reason": "Less", "approver": "B"}, "BudgetChangeApproved"),
            ("plan-spend", {"measure": "cost", "points": "2027-03-31 100 000\n2027-06-30 995000\n"}, "SpendPlanned"),
            ("measure-cost", {"measure": "cost", "status_date": TODAY.isoformat(), "ac": "10", "ev": "9"}, "CostMeasured"),
            ("forecast-completion", {"measure": "cost", "status_date": TODAY.isoformat(), "eac": "990000"}, "CompletionForecast"),
        ],
        "",
    ),
    (
        [
            (
                "raise-risk",
                RISK | {f"{s}.{p}": "3" for s in ("inherent", "residual") for p in ("probability", "impact")},
                "RiskRaised",
            )
        ],
        "",
    ),
    (
        [
            ("describe-risk", RISK | {"details.ref": "R-19"}, "RiskDescribed"),
            ("score-risk", {"residual.probability": "2", "residual.impact": "2", "reason": "Better"}, "RiskScored"),
            ("ask-client-view", {"client": "acme"}, "ClientViewAsked"),
            ("score-as-client", {"client": "acme", "by": VIEWER, "points.probability": "2", "points.impact": "4"}, "ClientScored"),
            ("take-risk-note", {"note": "Between us"}, "RiskNoteTaken"),
            ("close-risk", {"reason": "Gone"}, "RiskClosed"),
            ("reopen-risk", {"reason": "Back"}, "RiskReopened"),
        ],
        R,
    ),
]  # fmt: skip


@pytest.mark.parametrize("htmx", [True, False], ids=["in place", "without scripts"])
def test_every_form_records_its_command(house: House, htmx: bool) -> None:
    browser, sent = house.client("manager"), set()
    for steps, query in sorted(EVERY, key=lambda pair: pair[0][0][0] == "close-project"):
        for tag, values, event in steps:
            answer = send(browser, f"{HERE}/do/{tag}{query}", htmx, **values)
            assert answer.status_code == (200 if htmx else 303), (tag, answer.text)
            assert recorded(house)[-1] == event
            sent.add(tag)
    assert sent == set(FORMS) - {"approve-baseline"}  # needs a day that is not before the last plan; see below


def test_agreeing_a_plan_before_the_last_one_is_refused_at_its_date(house: House) -> None:
    values = {"reason": "Again", "approver": "Board", "on": "2020-01-01"}
    answer = send(house.client("manager"), f"{HERE}/do/approve-baseline", **values)
    assert answer.status_code == 422
    assert "cannot be older" in answer.text
    assert 'id="do-milestones-f-on-wrong"' in answer.text


def test_a_change_in_place_says_who_will_see_which_update(house: House) -> None:
    before = house.process.services.logs.disclosure.head(SHARE)
    values = {"forecast": "2027-06-01", "reason": "Frost"}
    answer = send(house.client("manager"), f"{HERE}/do/move-forecast{M}", **values)
    assert answer.headers["hx-retarget"] == "#work"
    assert f"Acme Rail will see update {before + 1}" in answer.text or f"will see update {before + 1}" in answer.text
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == before + 1)


def test_a_change_that_nobody_shares_says_so_and_takes_no_number(house: House) -> None:
    values = {"forecast": "2027-09-03", "reason": "Internal"}
    answer = send(house.client("manager"), f"{HERE}/do/move-forecast?milestone=hidden", **values)
    assert "No client sees a difference." in answer.text
    wait_until(lambda: house.process.services.logs.disclosure.position() >= house.process.services.logs.events.head())
    assert house.process.services.logs.disclosure.head(SHARE) == 1


@pytest.mark.parametrize(
    ("tag", "values", "field", "told"),
    [
        ("move-forecast", {"forecast": "2027-06-01", "reason": ""}, "do-m-m1-f-reason", "Reason is missing"),
        ("move-forecast", {"forecast": "soon", "reason": "x"}, "do-m-m1-f-forecast", "is no date"),
        ("move-forecast", {"forecast": "", "reason": "x"}, "do-m-m1-f-forecast", "Choose a date"),
        ("report-progress", {"percent": "lots"}, "do-m-m1-f-percent", "no whole number"),
        ("report-progress", {"percent": "140"}, "do-m-m1-f-percent", "from 0 to 100"),
        ("describe-milestone", DETAILS | {"details.value": "much"}, "do-m-m1-f-details-value", "no amount"),
        (
            "describe-milestone",
            DETAILS | {"details.client_title": "", "details.client_facing": "yes"},
            "do-m-m1-f-details-client_title",
            "missing",
        ),
    ],
)
def test_a_refusal_comes_back_at_its_field_with_what_was_typed(
    house: House, tag: str, values: dict[str, object], field: str, told: str
) -> None:
    before = recorded(house)
    answer = send(house.client("manager"), f"{HERE}/do/{tag}{M}", **values)
    assert answer.status_code == 422
    wrong = re.search(rf'<p class="problem" id="{field}-wrong">([^<]+)</p>', answer.text)
    assert wrong is not None
    assert told in wrong[1]
    assert all(f'value="{typed}"' in answer.text for typed in values.values() if typed and len(str(typed)) > 4)
    assert recorded(house) == before


def test_two_values_that_cannot_be_read_are_told_at_once(house: House) -> None:
    answer = send(house.client("manager"), f"{HERE}/do/move-forecast{M}", forecast="soon", latest="never", reason="x")
    assert answer.text.count('class="problem"') == 2


def test_a_form_sent_twice_is_recorded_once(house: House) -> None:
    browser = house.client("manager")
    form = hidden(browser.get(f"{HERE}/do/move-forecast{M}", headers={"hx-request": "true"}).text)
    values = form | {"forecast": "2027-06-01", "reason": "Frost"}
    answers = [browser.post(f"{HERE}/do/move-forecast{M}", data=values, headers={"hx-request": "1"}) for _ in "ab"]
    assert [a.status_code for a in answers] == [200, 200]
    assert "Recorded already." in answers[1].text
    assert recorded(house).count("ForecastMoved") == 1


def test_nobody_overwrites_what_they_did_not_see(house: House) -> None:
    mine, other = house.client("manager"), house.client("admin")
    form = hidden(mine.get(f"{HERE}/do/move-forecast{M}").text)
    send(other, f"{HERE}/do/move-forecast{M}", forecast="2027-06-06", reason="Theirs")
    refused = mine.post(f"{HERE}/do/move-forecast{M}", data=form | {"forecast": "2027-06-01", "reason": "Mine"})
    assert refused.status_code == 412
    assert "new forecast 2027-06-06" in refused.text
    assert 'value="2027-06-01"' in refused.text
    again = mine.post(
        f"{HERE}/do/move-forecast{M}", data=hidden(refused.text) | {"forecast": "2027-06-01", "reason": "Mine"}
    )
    assert again.status_code == 303
    assert recorded(house).count("ForecastMoved") == 2


def test_a_change_elsewhere_in_the_project_disturbs_no_form(house: House) -> None:
    mine, other = house.client("manager"), house.client("admin")
    form = hidden(mine.get(f"{HERE}/do/move-forecast{M}").text)
    send(other, f"{HERE}/do/move-forecast?milestone=m2", forecast="2027-09-09", reason="Theirs")
    sent = mine.post(f"{HERE}/do/move-forecast{M}", data=form | {"forecast": "2027-06-01", "reason": "Mine"})
    assert sent.status_code == 303


def test_without_scripts_the_page_says_what_was_recorded(house: House) -> None:
    browser = house.client("manager")
    answer = send(browser, f"{HERE}/do/report-progress{M}", htmx=False, percent="55")
    assert "Recorded: progress reported." in browser.get(answer.headers["location"]).text


def test_what_does_not_exist_says_what_to_do(house: House) -> None:
    browser = house.client("manager")
    assert "no such milestone" in browser.get(f"{HERE}/do/move-forecast?milestone=none").text
    assert browser.get(f"{HERE}/do/fly-away").status_code == 404
    assert browser.get("/p/none/do/move-forecast").status_code == 404


def test_who_is_no_manager_finds_nothing_here(house: House) -> None:
    for person in ("auditor", VIEWER):
        browser = house.client(person)
        assert browser.get(HERE).status_code == 404
        assert browser.get(f"{HERE}/do/move-forecast{M}").status_code == 404


def test_a_form_from_elsewhere_changes_nothing(house: House) -> None:
    answer = house.client("manager").post(f"{HERE}/do/report-progress{M}", data={"percent": "5", "command_id": "x"})
    assert answer.status_code == 403
    assert "ProgressReported" not in recorded(house)


def test_a_project_is_started_with_the_public_holidays_of_its_region(house: House) -> None:
    browser = house.client("manager")
    values = {"title": "In", "client_title": "Out", "currency": "EUR", "time_zone": "Europe/Berlin"}
    wrong = send(browser, "/p/new", htmx=False, **values, **{"calendar.region": "ATLANTIS"})
    assert "No public holidays are known" in wrong.text
    done = send(browser, "/p/new", htmx=False, **values, **{"calendar.region": "DE-BY"})
    started = house.process.services.present.world.projects[done.headers["location"].removeprefix("/p/")]  # type: ignore[index]
    assert (started.currency, started.owner, len(started.calendar.holidays) > 30) == ("EUR", "manager", True)
    assert "Nothing" not in browser.get(done.headers["location"]).text


def test_a_project_starts_with_one_title_and_its_plan_which_is_only_looked_at(house: House) -> None:
    browser = house.client("manager")
    form = hidden(browser.get("/p/new").text) | {"client_title": "Outer", "title": "", "calendar.region": ""}
    form |= {"currency": "EUR", "time_zone": "Europe/Berlin"}
    huge = b"x" * (house.process.services.settings.max_upload_mb * 2**20 + 1)
    too_large = browser.post("/p/new", data=form, files={"plan": ("plan.csv", huge)})
    assert (too_large.status_code, "larger than" in too_large.text) == (422, True)
    plan = b"UID,Milestone,Finish\n1,Gate,2027-06-01\n"
    done = browser.post("/p/new", data=form, files={"plan": ("plan.csv", plan)})
    here, _, _ = done.headers["location"].partition("/import/")
    assert "1 change proposed" in browser.get(done.headers["location"]).text
    started = house.process.services.present.refresh().projects[here.removeprefix("/p/")]  # type: ignore[index]
    assert (started.title, started.client_title, len(started.schedule.milestones)) == ("Outer", "Outer", 0)
    page = browser.get(here).text
    assert "Four steps" in page
    assert "Four steps" not in browser.get(HERE).text  # of a project that somebody of a client can see


def test_the_calendar_fills_in_the_holidays_of_a_region(house: House) -> None:
    page = house.client("manager").get(f"{HERE}/do/set-calendar?fill=GB-ENG").text
    assert f"{TODAY.year}-12-25" in page
    assert "holidays of England (GB-ENG)" in page


def calendar_of(house: House) -> Calendar:
    return house.process.services.present.refresh().projects[HARBOUR].calendar  # type: ignore[index]


def shown_calendar(page: str) -> dict[str, object]:
    """The calendar's form as a browser would send it."""
    days = re.search(r"<textarea[^>]*name=\"calendar.holidays\"[^>]*>([^<]*)<", page)
    region = re.search(r'name="calendar.region" value="([^"]*)"', page)
    assert days
    assert region
    weekdays = re.findall(r'name="calendar.weekdays" value="(\d)" checked', page)
    return {"calendar.weekdays": weekdays, "calendar.holidays": days[1], "calendar.region": region[1]}


def test_a_country_whose_parts_differ_is_asked_for_the_part(house: House) -> None:
    """GB alone has neither Easter Monday nor the bank holiday of August."""
    browser = house.client("manager")
    values = {"title": "In", "client_title": "Out", "currency": "GBP", "time_zone": "Europe/London"}
    assert 'value="GB-ENG"' in browser.get("/p/new").text
    assert send(browser, "/p/new", htmx=False, **values, **{"calendar.region": "GB-"}).status_code == 422
    asked = send(browser, "/p/new", htmx=False, **values, **{"calendar.region": "gb"})
    assert asked.status_code == 422
    assert "Type the part: GB-ENG" not in asked.text
    assert "Type the part: England (GB-ENG), Northern Ireland (GB-NIR), Scotland (GB-SCT), Wales (GB-WLS)" in asked.text
    for more, days, region in (
        ({"calendar.region": "gb-eng"}, 2, "GB-ENG"),
        ({"calendar.region": "GB", "meant": "GB"}, 0, "GB"),
    ):
        done = send(browser, "/p/new", htmx=False, **values, **more)
        started = house.process.services.present.refresh().projects[done.headers["location"].removeprefix("/p/")]  # type: ignore[index]
        bank = {date(2027, 3, 29), date(2027, 8, 30)}
        assert len(bank.intersection(started.calendar.holidays)) == days
        assert started.calendar.region == region
    for whole in ("SE", "NL", ""):  # one calendar for the whole country, or none
        assert send(browser, "/p/new", htmx=False, **values, **{"calendar.region": whole}).status_code == 303


def test_filling_in_keeps_past_years_and_days_typed_by_hand(house: House) -> None:
    browser, shutdown = house.client("manager"), date(TODAY.year + 1, 12, 29)
    past = tuple(date(TODAY.year - 1, 1, n) for n in (1, 2))
    old = regions.public_holidays("GB-SCT", regions.ahead(TODAY))
    before = Calendar(region="GB-SCT", holidays=(*past, *old, shutdown))
    set_ = SetCalendar(project=HARBOUR, calendar=before)
    house.process.services.service.execute(OPERATOR, set_, command_id=CommandId("calendar"))
    typed = shown_calendar(browser.get(f"{HERE}/do/set-calendar?fill=GB-ENG").text)
    assert send(browser, f"{HERE}/do/set-calendar", **typed).status_code == 200
    now = calendar_of(house)
    assert now.region == "GB-ENG"
    assert {*past, shutdown} <= set(now.holidays)
    assert set(now.holidays) - {*past, shutdown} == set(regions.public_holidays("GB-ENG", regions.ahead(TODAY)))
    assert "holidays of England (GB-ENG)" in browser.get(HERE).text


def test_a_calendar_is_asked_about_before_it_loses_past_days_or_says_what_it_does_not_hold(house: House) -> None:
    browser, past = house.client("manager"), date(TODAY.year - 1, 5, 4)
    days = (past, *regions.public_holidays("GB-ENG", regions.ahead(TODAY)))
    set_ = SetCalendar(project=HARBOUR, calendar=Calendar(region="GB-ENG", holidays=days))
    house.process.services.service.execute(OPERATOR, set_, command_id=CommandId("calendar"))
    typed = shown_calendar(browser.get(f"{HERE}/do/set-calendar").text)
    here = f"{HERE}/do/set-calendar"
    without = typed | {"calendar.holidays": str(typed["calendar.holidays"]).replace(past.isoformat(), "")}
    lost = send(browser, here, **without)
    assert (lost.status_code, "Days of past years are no longer listed: 4 May" in lost.text) == (422, True)
    assert calendar_of(house).holidays == days
    other = send(browser, here, **typed | {"calendar.region": "GB-SCT"})
    assert (other.status_code, "Public holidays of Scotland (GB-SCT) are not listed: 2 Jan" in other.text) == (
        422,
        True,
    )
    (meant,) = re.findall(r'name="meant" value="([^"]*)"', lost.text)
    assert send(browser, here, **without, meant=meant).status_code == 200
    assert past not in calendar_of(house).holidays


def test_currency_and_zone_are_refused_with_a_sentence_once_something_depends_on_them(house: House) -> None:
    browser = house.client("manager")
    refused = send(browser, f"{HERE}/do/correct-project", currency="GBP", time_zone="Asia/Tokyo")
    assert (refused.status_code, "has dates already" in refused.text) == (409, True)
    send(browser, f"{HERE}/do/approve-budget", measure="cost", amount="5", reason="")
    refused = send(browser, f"{HERE}/do/correct-project", currency="EUR", time_zone="Europe/London")
    assert (refused.status_code, "keeps amounts in GBP already" in refused.text) == (409, True)


def test_every_form_is_typed_against_its_command(house: House) -> None:
    """A field whose name the command does not have would be lost silently."""
    import msgspec

    from domain.message import Command
    from web.manager.forms.asked import Ask

    world = house.process.services.present.world
    for tag, make in FORMS.items():
        params = {"milestone": "m1", "risk": "r1", "dimension": "risk"}
        form: Form = make(
            Ask(
                project=world.projects[HARBOUR],
                directory=world,
                now=house.process.services.now(),
                params=params,
                new_id="new",
            )
        )
        assert form.tag == tag
        assert issubclass(form.command, Command)
        names = {field.name for field in msgspec.structs.fields(form.command)}
        assert {field.name.split(".")[0] for field in form.fields} | set(form.fixed) <= names, tag


TYPED = [("1250,50", "1250.50"), ("99,50", "99.50"), ("1.200,50", "1200.50"), ("1 250,00", "1250.00"), ("1.250.000", "1250000")]  # fmt: skip


@pytest.mark.parametrize(("text", "amount"), TYPED)
def test_an_amount_is_recorded_as_it_was_meant(house: House, text: str, amount: str) -> None:
    browser = house.client("manager")
    path = f"{HERE}/do/approve-budget"
    assert send(browser, path, measure="price", amount=text, reason="").status_code == 200
    events = house.process.services.logs.events.stream(f"project-{HARBOUR}")
    approved = [r.event for r in events if type(r.event).__name__ == "BudgetApproved"]
    assert str(approved[-1].amount.amount) == amount  # type: ignore[attr-defined]


def test_an_amount_that_can_be_read_in_two_ways_comes_back_with_both(house: House) -> None:
    browser = house.client("manager")
    before = recorded(house)
    for path, values in (
        ("approve-budget", {"measure": "price", "amount": "1.250", "reason": ""}),
        ("plan-spend", {"measure": "cost", "points": "2027-03-31 1,250"}),
        ("describe-milestone" + M, DETAILS | {"details.value": "1,250"}),
    ):
        answer = send(browser, f"{HERE}/do/{path}", **values)
        assert answer.status_code == 422
        assert "can mean 1250 or 1.25. Type 1250 or 1,250.00 for the first, 1.25 for the second." in answer.text
    assert recorded(house) == before


def test_thresholds_are_read_with_a_decimal_comma(house: House) -> None:
    browser = house.client("manager")
    commas = {name: value.replace("0.", "0,") for name, value in TOLERANCES.items()}
    commas |= {"tolerances.cost_at_risk": "7,5 %", "tolerances.cost_off_track": "12,5", "reason": "Agreed"}
    assert send(browser, f"{HERE}/do/set-tolerances", **commas).status_code == 200
    set_ = house.process.services.present.refresh().projects[HARBOUR].tolerances  # type: ignore[index]
    assert [str(v) for v in (set_.spi_at_risk, set_.cost_at_risk, set_.cost_off_track)] == ["0.95", "7.5", "12.5"]
    # What the form shows of a figure is taken back as that figure.
    shown = browser.get(f"{HERE}/do/set-tolerances").text
    assert 'value="0.95"' in shown
    assert 'value="12.5"' in shown


def test_what_a_form_shows_can_be_sent_again(house: House) -> None:
    browser = house.client("manager")
    send(browser, f"{HERE}/do/approve-budget", measure="cost", amount="1,250.00", reason="")
    points = {"measure": "cost", "points": "2027-03-31 250 000\n2027-06-30 1,250,000"}
    send(browser, f"{HERE}/do/approve-budget-change", measure="cost", amount="1 248 750", reason="r", approver="B")
    assert send(browser, f"{HERE}/do/plan-spend", **points).status_code == 200
    shown = re.search(r"<textarea[^>]*>([^<]*)<", browser.get(f"{HERE}/do/plan-spend").text)
    assert shown
    assert "2027-03-31 250,000.00" in shown[1]
    before = recorded(house)
    assert send(browser, f"{HERE}/do/plan-spend", measure="cost", points=shown[1]).status_code == 200
    assert recorded(house) == before


def of_form(page: str) -> dict[str, str]:
    """The hidden fields of a form that came back."""
    return hidden(page[page.index('<form class="do"') :])


@pytest.mark.parametrize(
    ("path", "values", "event"),
    [
        ("move-forecast" + M, {"forecast": "2019-06-01", "reason": "Frost"}, "ForecastMoved"),
        ("add-milestone", DETAILS | {"forecast": "2091-11-01"}, "MilestoneAdded"),
        ("describe-milestone" + M, DETAILS | {"details.deadline": "2037-01-01"}, "MilestoneDescribed"),
        ("meet-milestone" + M, {"actual": "2016-06-01"}, "MilestoneMet"),
        ("confirm-plan", {"data_date": "2016-11-01", "note": ""}, "PlanConfirmed"),
    ],
)  # fmt: skip
def test_a_date_far_from_all_others_is_asked_about_once(
    house: House, path: str, values: dict[str, object], event: str
) -> None:
    browser = house.client("manager")
    before = recorded(house)
    asked = send(browser, f"{HERE}/do/{path}", **values)
    assert asked.status_code == 422
    assert "from today and every other date of this project" in asked.text
    assert recorded(house) == before
    (meant,) = re.findall(r'name="meant" value="([^"]*)"', asked.text)
    # Another far date is another question; what was ticked stays ticked.
    name = next(key for key, value in values.items() if value == meant)
    headers = {"hx-request": "true"}
    other = browser.post(
        f"{HERE}/do/{path}", data=of_form(asked.text) | values | {name: "2015-01-01", "meant": meant}, headers=headers
    )
    assert (other.status_code, 'type="checkbox" name="meant" value="2015-01-01"' in other.text) == (422, True)
    told = browser.post(f"{HERE}/do/{path}", data=of_form(asked.text) | values | {"meant": meant}, headers=headers)
    assert told.status_code == 200, told.text
    assert recorded(house) == [*before, event]


def test_a_status_date_and_a_point_of_the_plan_are_asked_about_as_well(house: House) -> None:
    browser = house.client("manager")
    send(browser, f"{HERE}/do/approve-budget", measure="cost", amount="1250000", reason="")
    points = "2019-06-30 100 000\n2027-03-31 200 000\n2028-12-31 900 000\n2030-12-31 1250000"
    asked = send(browser, f"{HERE}/do/plan-spend", measure="cost", points=points)
    assert (asked.status_code, 'name="meant" value="2019-06-30"' in asked.text) == (422, True)
    asked = send(browser, f"{HERE}/do/measure-cost", measure="cost", status_date="2016-10-31", ac="10", ev="9")
    assert (asked.status_code, 'name="meant" value="2016-10-31"' in asked.text) == (422, True)


def test_a_date_the_form_already_had_is_not_asked_about(house: House) -> None:
    move = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2060, 1, 1), reason="r")
    house.process.services.service.execute(OPERATOR, move, command_id=CommandId("far"))  # JSON is not asked
    browser = house.client("manager")
    again = send(browser, f"{HERE}/do/move-forecast{M}", forecast="2060-01-01", reason="Still")
    assert again.status_code == 200


def test_an_agreed_date_is_asked_about_as_well(tmp_path: Path) -> None:
    with running(tmp_path / "data", projects.routes(), now=lambda: datetime(2027, 3, 2, 9, tzinfo=UTC)) as house:
        browser = house.client("manager")
        path, agreed = f"{HERE}/do/approve-baseline", {"reason": "r", "approver": "b", "on": "2027-03-01"}
        asked = send(browser, path, **agreed, **{"dates.m1": "2072-05-01"})
        assert (asked.status_code, 'name="meant" value="2072-05-01"' in asked.text) == (422, True)
        assert send(browser, path, **agreed, **{"dates.m1": "2027-05-08"}).status_code == 200


def test_the_status_of_the_risks_counts_those_it_follows_from(house: House) -> None:
    manager = house.client("manager")
    risk = RISK | {f"{s}.{p}": "5" for s in ("inherent", "residual") for p in ("probability", "impact")}
    assert send(manager, f"{HERE}/do/raise-risk", **risk).status_code < 400
    health = manager.get(HERE).text.partition('id="health"')[2]
    assert re.search(r"\b\d+ high\b", health)
    override = {"status": "on_track", "reason": "Talks", "until": LATER}
    assert send(manager, f"{HERE}/do/override-health?dimension=risk", **override).status_code < 400
    assert not re.search(r"\b\d+ high\b", manager.get(HERE).text.partition('id="health"')[2])
