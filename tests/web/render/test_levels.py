"""A page at a coarser level says nothing finer anywhere: in words, drawings, attributes for machines, changes and mails."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from domain.agreement.terms import Terms
from domain.catalogue import MilestoneField, RiskField
from domain.headline import in_units
from domain.ids import MilestoneId, RiskId
from domain.money import Money
from domain.plan.budget import ApproveBudget, MeasureCost, PlannedPoint, PlanSpend
from domain.plan.milestones import DescribeMilestone, MeetMilestone, MilestoneDetails, MoveForecast
from domain.plan.risks import AskClientView, Points, ScoreAsClient, ScoreRisk
from domain.reveal.levels import end_of
from domain.view import ClientView, DateUnit, MilestoneRow, RiskCard, RiskVital, ScheduleVital
from projections.entries import parts
from projections.wording import words
from tests.world import ACME, HARBOUR, World, everything
from web.client import answering
from web.mail import digest, letters
from web.render import charts, figures
from web.render.page import Renderer

pytestmark = pytest.mark.folder  # markup is the same from any database

UNITS: tuple[DateUnit, ...] = ("month", "quarter")
STEP = 10_000
DUE = date(2027, 4, 13)  # when the client has to act stays a day
SPENT_TO = date(2027, 2, 28)
CURVE = [date(2027, month, 27) for month in range(1, 11)]
MONTH = "|".join((*words.LONG, *words.MONTHS))
DAY = re.compile(rf"(?<![\d,.])(\d{{1,2}}) ({MONTH})\b")
ISO = re.compile(r"(?<!data-from=\")(?<!data-to=\")\b(\d{4})-(\d\d)-(\d\d)\b")
AMOUNT = re.compile(r"£([\d,]+(?:\.\d+)?)([mk]?)")
SCORE = re.compile(r"\d×\d = \d+")


def shared(**level: Any) -> Terms:
    """Terms that cover all there is, at a level of detail."""
    return everything(milestone_fields=get_args(MilestoneField), risk_fields=get_args(RiskField), **level)


def told(folder: Path, terms: Terms) -> World:
    """A project in which every date, score and amount has a value and has changed, none of them on the edge of a unit."""
    world = World(folder, renderer=Renderer())
    world.people()
    world.project()
    for key, day in (("m1", date(2027, 5, 11)), ("m2", date(2027, 8, 12)), ("m3", date(2027, 4, 14))):
        world.milestone(key, day, f"Milestone {key}")
        details = MilestoneDetails(
            title=key, client_title=f"Milestone {key}", client_facing=True, location="Platform 4", needs_acceptance=True,
            deadline=date(2027, 10, 19), value=Money(Decimal("412350.50"), "GBP"),
            client_action="Sign it", client_action_due=DUE,
        )  # fmt: skip
        world.tell(DescribeMilestone(project=HARBOUR, milestone=MilestoneId(key), details=details))
    world.baseline()
    for risk, ref in (("r1", "R-01"), ("r2", "R-02")):
        world.risk(risk, ref)
    world.tell(ApproveBudget(project=HARBOUR, measure="price", amount=_pounds("1003456"), reason="Contract"))
    points = tuple(PlannedPoint(on, Decimal(98_765 * on.month)) for on in CURVE)
    world.tell(PlanSpend(project=HARBOUR, measure="price", points=points))
    world.share(terms)
    for key, day in (("m1", date(2027, 7, 17)), ("m2", date(2027, 9, 15)), ("m2", date(2027, 11, 22))):
        move = MoveForecast(
            project=HARBOUR, milestone=MilestoneId(key), forecast=day, reason="Frost",
            earliest=day - timedelta(days=3), latest=day + timedelta(days=65),
        )  # fmt: skip
        world.clock.forward(days=1)
        world.tell(move)
    world.clock.forward(days=47)  # to the day after
    world.tell(MeetMilestone(project=HARBOUR, milestone=MilestoneId("m3"), actual=date(2027, 4, 16)))
    world.tell(ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=Points(4, 4), reason="Copper"))
    theirs = ScoreAsClient(project=HARBOUR, risk=RiskId("r1"), client=ACME, points=Points(2, 5), by="viewer-acme")
    world.tell(theirs)
    world.tell(AskClientView(project=HARBOUR, risk=RiskId("r2"), client=ACME))
    measured = MeasureCost(
        project=HARBOUR, measure="price", status_date=SPENT_TO, ev=Decimal(187654), ac=Decimal(214321)
    )
    world.tell(measured)
    return world


def _pounds(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


class Said:
    """All that a client of a world reads at one level."""

    def __init__(self, world: World) -> None:
        entries, renderer = world.entries(), Renderer()
        self.view = world.view()
        self.page = _page(renderer, self.view)
        self.pages = [_page(renderer, world.view(entry.n)) for entry in entries]
        composed = digest.compose(world.folder.disclosure, entries[0].content.share, 0, entries[-1].n)
        assert composed is not None
        self.changes = "".join(renderer.items(e.content.changes, e.n, e.content.at, "Europe/London") for e in entries)
        self.mail = _mail(replace(composed, changes=()))
        self.mail_with_changes = _mail(composed)

    @property
    def everywhere(self) -> list[str]:
        return [*self.pages, self.mail]


def _page(renderer: Renderer, view: ClientView) -> str:
    """The parts as they are recorded: the screen, its text for who cannot see it, and what is printed."""
    rendered = renderer.render(view)
    return "".join(parts.markup(rendered.parts, root) for root in rendered.roots)


def _mail(content: digest.Digest) -> str:
    """A digest as text and as HTML."""
    envelope = letters.Envelope(
        sender="f@x.test",
        sender_name="Fanlight",
        to="a@x.test",
        to_name="Anna",
        mail="m1",
        at=datetime(2027, 5, 1, tzinfo=UTC),
    )
    links = letters.Links(dashboard="https://x.test", history="https://x.test/h", settings="/me", stop="/stop")
    mail = message_from_bytes(letters.digest(envelope, content, links), policy=policy.default)
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    return "\n".join([mail["Subject"], *(body.get_content() for body in bodies if body is not None)])


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    made, folder = {}, tmp_path_factory.mktemp("levels")
    for name, level in (
        ("day", {}), ("month", {"date_unit": "month"}), ("quarter", {"date_unit": "quarter"}),
        ("band", {"score_detail": "band"}), ("money", {"money_step": STEP}),
        ("all", {"date_unit": "quarter", "score_detail": "band", "money_step": STEP}),
    ):  # fmt: skip
        world = told(folder / name, shared(**level))
        made[name] = Said(world)
        world.close()
    return made


def text(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


# dates


def days_in(markup: str) -> set[tuple[int, int]]:
    """Every day that stands in markup, as month and day: in words or as a machine reads it, in text and attributes."""
    months = {name: number % 12 + 1 for names in (words.LONG, words.MONTHS) for number, name in enumerate(names)}
    said = unescape(markup)
    in_words = {
        (months[month], int(day)) for day, month in DAY.findall(re.sub(r"<[^>]*?>", lambda m: f" {m[0]} ", said))
    }
    return in_words | {(int(month), int(day)) for _year, month, day in ISO.findall(said)}


def kept(view: ClientView) -> set[tuple[int, int]]:
    """The days that stay days: on which something was set, agreed or measured, and when the client has to act."""
    days = {DUE, SPENT_TO, *CURVE, *(b.approved_on for b in view.baselines), view.as_of}
    days |= {point.on for row in view.milestones for point in row.trend}
    days |= {score.on for card in view.risks for score in (card.score, card.client_score, card.inherent) if score}
    days |= {card.band_since for card in view.risks}
    days |= {row.confirmed_at.date() for row in view.milestones if row.confirmed_at}
    return {(day.month, day.day) for day in days if day}


def recorded() -> set[tuple[int, int]]:
    """The days on which updates of the story were recorded."""
    days = (date(2027, 3, 1) + timedelta(days=passed) for passed in (0, 1, 2, 3, 50))
    return {(day.month, day.day) for day in days}


@pytest.mark.parametrize("level", [*UNITS, "all"])
def test_no_day_of_a_coarser_date_stands_anywhere(levels: dict[str, Said], level: str) -> None:
    for markup in levels[level].everywhere:
        assert days_in(markup) <= kept(levels[level].view) | recorded()


def test_by_day_the_same_search_finds_the_days(levels: dict[str, Said]) -> None:
    said = levels["day"]
    found = days_in(said.page) - kept(said.view) - recorded()
    assert {(5, 11), (7, 17), (8, 12), (11, 22), (4, 16), (10, 19)} <= found
    assert {(5, 11), (7, 17), (11, 22)} <= days_in(said.mail)


@pytest.mark.parametrize("level", [*UNITS, "all"])
def test_no_day_of_a_coarser_date_stands_in_a_list_of_changes(levels: dict[str, Said], level: str) -> None:
    for markup in (levels[level].changes, levels[level].mail_with_changes):
        assert days_in(markup) <= kept(levels[level].view) | recorded()


def test_dates_are_said_in_their_unit(levels: dict[str, Said]) -> None:
    for level, agreed, first, slip in (
        ("month", "August 2027", "Aug 2027", "+3 months"), ("quarter", "Q3 2027", "Q3 2027", "+1 quarter")
    ):  # fmt: skip
        page, mail = text(levels[level].page), text(levels[level].mail)
        assert f"Agreed {agreed}, as in the first plan" in page
        assert f"{slip} against the agreed plan" in page
        assert f"{slip} at Milestone m2" in mail
        assert f"{first} → " in mail
        assert "working days" not in page
        assert "Location Platform 4" in page
    month, quarter = text(levels["month"].page), text(levels["quarter"].page)
    assert "Forecast November 2027" in month
    assert "Forecast range November 2027 to January 2028" in month
    assert "Sep 2027, set 3 Mar 2027" in month
    assert "Met April 2027" in month
    assert "Contract deadline October 2027" in month
    assert "In the agreed month" in month
    assert "Forecast Q4 2027" in quarter
    assert "Forecast range Q4 2027 to Q1 2028" in quarter
    assert "Waiting for you: Sign it, by 13 Apr" in month


def test_what_a_machine_reads_is_a_month_or_nothing(levels: dict[str, Said]) -> None:
    assert '<time datetime="2027-11">' in levels["month"].page
    assert '<time datetime="2027-11' in levels["day"].page
    assert "2027-11" not in levels["quarter"].page.replace('data-to="2027-11-01"', "")
    assert "<time>" not in levels["quarter"].page
    assert ">Q4 2027</td>" in re.sub(r"\s*\n\s*", "", levels["quarter"].page)


def test_the_trend_names_units_in_drawing_and_words(levels: dict[str, Said]) -> None:
    for level, at_first, now, tick in (
        ("month", "Aug 2027", "Nov 2027", "Aug ’27"), ("quarter", "Q3 2027", "Q4 2027", "Q4 ’27")
    ):  # fmt: skip
        trend = charts.trend_of(levels[level].view)
        assert trend is not None
        assert f"Milestone m2 from {at_first} to {now}" in trend.label
        assert tick in [t.label for t in trend.y_ticks]
    last = charts.trend_of(levels["quarter"].view)
    assert last is not None
    assert {t.at for t in last.y_ticks if t.label == "Q4 ’27"} <= {line.y for line in last.lines}
    assert (last.finding, last.lines[0].note) == ("Milestone m2 is 1 quarter late", "")
    month = charts.trend_of(levels["month"].view)
    assert month is not None
    assert month.finding == "Milestone m2 is 3 months late"
    assert "+3 months" in [line.note for line in month.lines]


def test_a_mark_stands_inside_its_unit() -> None:
    axis = charts.Axis(date(2027, 1, 1), date(2028, 1, 1))
    for unit, end, start in (("month", date(2027, 10, 31), 10), ("quarter", date(2027, 12, 31), 10)):
        at = float(axis.mark(end, unit))  # type: ignore[arg-type]
        assert float(axis.at(date(2027, start, 1))) + 3 < at < float(axis.at(end)) - 3
    assert axis.mark(date(2027, 10, 5), "day") == axis.at(date(2027, 10, 5))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("month", range(1, 13))
def test_the_mark_of_a_lone_date_stands_on_its_axis(unit: DateUnit, month: int) -> None:
    end = end_of(date(2027, month, 9), unit)
    axis = charts.axis_of([MilestoneRow(id="m1", title="Handover", forecast=end)], unit)
    assert axis is not None
    assert 5 < float(axis.mark(end, unit)) < 80


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("many", [-40, -9, -1, 0, 1, 4, 12, 40])
def test_both_dates_of_a_slip_stand_on_ticks_within_the_line(unit: DateUnit, many: int) -> None:
    days = round(many * {"month": 365.25 / 12, "quarter": 365.25 / 4}[unit])
    assert in_units(days, unit) == many
    bar = figures.slip_bar(ScheduleVital(slip_days=days), unit)
    ticks = [at for at, _long in bar.ticks]
    assert bar.start in ticks
    assert (bar.end in ticks) or abs(many) > 20
    assert 4 <= float(bar.start) <= 96
    assert 4 <= float(bar.end) <= 96
    assert (float(bar.end) > float(bar.start)) == (many > 0)
    assert len(ticks) <= 37


def test_a_slip_of_days_is_drawn_as_it_was() -> None:
    bar = figures.slip_bar(ScheduleVital(slip_days=11), "day")
    assert (bar.start, bar.end, len(bar.ticks)) == ("23.33", "60.00", 31)
    assert bar.ticks[7] == ("23.33", True)


# scores


@pytest.mark.parametrize("level", ["band", "all"])
def test_no_score_of_the_organisation_stands_anywhere_at_the_level_of_bands(
    levels: dict[str, Said], level: str
) -> None:
    for markup in [*levels[level].everywhere, levels[level].changes, levels[level].mail_with_changes]:
        assert set(SCORE.findall(text(markup))) <= {"2×5 = 10"}
        assert 'class="heat"' not in markup
        assert "highest score, R-" not in text(markup)
        assert "Solid is our view" not in text(markup)
    assert "4×4 = 16" in text(levels["day"].page)
    assert "4×4 = 16" in text(levels["day"].mail)
    assert 'class="heat"' in levels["day"].page


def test_bands_are_said_and_the_own_score_of_the_client_stays_exact(levels: dict[str, Said]) -> None:
    page, mail = text(levels["band"].page), text(levels["band"].mail)
    assert "Band High since 20 April 2027 Example Works" in page
    assert "Band before Medium" in page
    assert "Before any response High" in page
    assert "You 2×5 = 10, medium" in page
    assert "1 high R-01" in page
    assert "Two shared: 1 high, 1 medium" in page
    assert "Bands of likelihood times impact, each 1 to 5; medium from 6, high from 12." in page
    assert "1 high 1 medium" in mail
    assert "R-01 Risk r1 high" in mail
    assert ", high" not in mail.replace("1 medium, high", "")


def test_of_several_in_the_highest_band_none_is_called_the_highest() -> None:
    several = figures.risk_vital(RiskVital(high=2, low=4, top="R-07"))
    assert (several.worst_many, several.worst_which) == ("2 high", "of six shared")
    assert figures.risk_vital(RiskVital(high=2, low=4, top="R-07", top_score=16)).worst_many == ""


def test_a_client_can_score_what_is_shared_as_a_band(levels: dict[str, Said]) -> None:
    terms = shared(score_detail="band")
    (asked,) = [card for card in levels["band"].view.risks if card.view_needed]
    offered = answering._about_risk(asked, terms, 5)
    assert (offered.size, offered.banded) == (5, True)
    assert answering._about_risk(replace(asked, band=None), terms, 5).size == 0


# money


@pytest.mark.parametrize("level", ["money", "all"])
def test_every_amount_is_a_multiple_of_its_step(levels: dict[str, Said], level: str) -> None:
    for markup in [*levels[level].everywhere, levels[level].changes, levels[level].mail_with_changes]:
        assert {amount for amount in amounts(markup) if amount % STEP} == set()
    assert len(amounts(levels[level].page)) > 5
    assert len(amounts(levels[level].mail)) == 4
    assert {amount for amount in amounts(levels["day"].page) if amount % STEP}


def amounts(markup: str) -> set[Decimal]:
    size = {"": 1, "k": 1_000, "m": 1_000_000}
    return {Decimal(digits.replace(",", "")) * size[unit] for digits, unit in AMOUNT.findall(text(markup))}


def test_rounding_is_said_where_an_amount_stands(levels: dict[str, Said]) -> None:
    page = text(levels["money"].page)
    assert page.count("· rounded to £10,000") == 1
    assert "Payment due £410,000, rounded to £10,000" in page
    assert "£210k spent, rounded to £10,000" in text(levels["money"].mail)
    assert "rounded" not in text(levels["day"].page).replace("amounts rounded", "")


def test_pages_of_the_three_levels_have_views_with_nothing_finer(levels: dict[str, Said]) -> None:
    view = levels["all"].view
    rows: tuple[MilestoneRow, ...] = view.milestones
    cards: tuple[RiskCard, ...] = view.risks
    assert rows
    assert all(row.slip is None or row.slip.working is None for row in rows)
    assert cards
    assert all(card.score is card.previous is card.inherent is None for card in cards)
