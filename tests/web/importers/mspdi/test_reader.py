"""MSPDI: milestones, baselines, actuals and costs as the file has them, and what is wrong with a broken one."""

import hashlib
import io
from datetime import date
from decimal import Decimal

import pytest

from domain import check
from tests.web.importers.plans import HARBOUR, edited, project
from web.importers import plan
from web.importers.mspdi import reader
from web.importers.plan import BrokenFile, PlannedCosts, PlannedMilestone

pytestmark = pytest.mark.once


def test_a_plan_is_read_with_every_date_as_the_day_that_is_written() -> None:
    read = reader.read(HARBOUR)
    assert (read.format, read.title, read.data_date) == ("mspdi", "Harbour lights", date(2027, 3, 31))
    assert read.file_hash == hashlib.sha256(HARBOUR).hexdigest()
    assert read.milestones == (
        PlannedMilestone(
            source_id="11",
            title="Foundations accepted",
            outline="1.1",
            baseline=date(2027, 3, 5),
            baselines=((0, date(2027, 3, 5)), (3, date(2027, 3, 10))),
            forecast=date(2027, 3, 12),
            actual=date(2027, 3, 12),
            deadline=date(2027, 3, 15),
            percent_complete=100,
            line=23,
        ),
        PlannedMilestone(
            source_id="12",
            title="Lamps delivered, both piers",
            outline="1.2",
            forecast=date(2027, 6, 1),
            percent_complete=40,
            line=33,
        ),
        PlannedMilestone(
            source_id="16",
            title="מסירה ללקוח (handover) 🏁",
            outline="2",
            forecast=date(2027, 9, 30),
            percent_complete=0,
            line=50,
        ),
    )


def test_what_was_recognised_skipped_or_not_understood_is_said_with_number_and_first_line() -> None:
    assert sorted(reader.read(HARBOUR).notes) == [
        "Actual finish left out, as less than 100 % is complete: 1 (first on line 33).",
        "Baselines without <Number> left out: 1 (first on line 38).",
        "Empty rows skipped: 1 (first on line 41).",
        "Inactive tasks skipped: 1 (first on line 42).",
        "Interim plans left out, they are no baselines: 1 (first on line 31).",
        "Milestones by flag that last some time, dated by their finish: 1 (first on line 50).",
        "Milestones recognised by zero duration, their flag is not set: 1 (first on line 33).",
        "Unknown element BaselineNumber in baselines of tasks, not read: 1 (first on line 38).",
        "Unknown element BaselineStart in baselines of tasks, not read: 1 (first on line 38).",
        "Unknown element Colour in tasks, not read: 2 (first on line 39).",
        "Unknown element Weather in the project, not read: 1 (first on line 10).",
        "Unknown element {urn:example:add-in}Tint in the project, not read: 1 (first on line 11).",
    ]


def test_money_is_written_in_hundredths_and_read_in_whole_euros() -> None:
    assert reader.read(HARBOUR).costs == PlannedCosts(
        status_date=date(2027, 3, 31),
        currency="EUR",
        bac=Decimal("500000.00"),
        pv=Decimal("200000.00"),
        ev=Decimal("185000.00"),
        ac=Decimal("210400.50"),
        eac=Decimal("525000.00"),
    )


def test_without_a_baseline_cost_there_is_no_planned_and_no_earned_value() -> None:
    read = reader.read(edited("<Number>0</Number><Cost>50000000</Cost>", "<Number>0</Number>"))
    assert read.costs is not None
    assert (read.costs.bac, read.costs.pv, read.costs.ev) == (None, None, None)
    assert read.costs.eac == Decimal("525000.00")
    assert any("Planned and earned value left out" in note for note in read.notes)


def test_without_a_row_for_the_project_only_sums_that_every_first_level_task_carries_are_given() -> None:
    one = "<UID>1</UID><OutlineLevel>1</OutlineLevel><Cost>10000</Cost><ACWP>5000</ACWP>"
    two = "<UID>2</UID><OutlineLevel>1</OutlineLevel><Cost>25050</Cost>"
    inner = "<UID>3</UID><OutlineLevel>2</OutlineLevel><Cost>9900</Cost>"
    read = reader.read(project(one, two, inner))
    assert read.costs == PlannedCosts(eac=Decimal("350.50"))
    assert any("sums of the 2 tasks of the first level" in note for note in read.notes)


def test_costs_that_are_all_zero_are_no_costs() -> None:
    read = reader.read(project("<UID>0</UID><Cost>0</Cost><ACWP>0.00</ACWP>"))
    assert read.costs is None
    assert "All costs in the file are zero, so none are taken over." in read.notes


def test_a_hundred_percent_without_an_actual_finish_is_not_taken_as_met() -> None:
    read = reader.read(
        project("<UID>5</UID><Name>Go</Name><Milestone>1</Milestone><PercentComplete>100</PercentComplete>")
    )
    assert read.milestones[0].actual is None
    assert any("without an actual finish, so not taken as met: 1" in note for note in read.notes)


def test_a_plan_without_milestones_is_a_plan_and_says_so() -> None:
    read = reader.read(project("<UID>5</UID><Name>Dig</Name><Duration>PT8H0M0S</Duration>"))
    assert read.milestones == ()
    assert any("No milestone among the 1 tasks" in note for note in read.notes)


def test_tasks_that_could_be_followed_are_kept_and_what_is_wrong_with_others_stops_nothing() -> None:
    lasting = "<Duration>PT8H0M0S</Duration>"
    read = reader.read(
        project(
            "<UID>0</UID><Name>All</Name><OutlineLevel>0</OutlineLevel><Finish>2027-05-01T17:00:00</Finish>",
            f"<UID>5</UID><Name>Dig</Name>{lasting}<Finish>2027-01-31T17:00:00</Finish>",
            f"<UID>6</UID><Name>Undated</Name>{lasting}",
            f"<UID>7</UID><Name>Odd</Name>{lasting}<Finish>soon</Finish>",
            f"<UID>8</UID>{lasting}<Finish>2027-01-31T17:00:00</Finish>",
        )
    )
    assert ([task.title for task in read.tasks], read.read) == (["Dig"], 4)
    assert not any("Finish" in note for note in read.notes)


def test_a_very_long_title_is_shortened_and_counted() -> None:
    read = reader.read(project(f"<UID>5</UID><Name>{'Ü' * 300}</Name><Milestone>1</Milestone>"))
    assert read.milestones[0].title == "Ü" * 199 + "…"
    assert "Titles shortened to 200 characters: 1 (first on line 3)." in read.notes


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("2027-03-12T17:00:00</Finish>", "2027-13-12T17:00:00</Finish>", 26, "<Finish> that is not a moment such as 2027-01-31T17:00:00"),
        ("2027-03-15T17:00:00", "soon", 27, "<Deadline> that is not a moment"),
        ("2027-03-15T17:00:00", "0984-01-01T08:00:00", 27, "from 1950 to 2149"),
        ("<PercentComplete>40<", "<PercentComplete>140<", 37, "<PercentComplete> that is not a number from 0 to 100"),
        ("<Number>3<", "<Number>11<", 28, "<Number> that is not a whole number from 0 to 10"),
        ("<Number>3<", "<Number>0<", 29, "Baselines that a task has twice, of which the first was read"),
        ("<Milestone>0</Milestone><Duration>PT0H", "<Milestone>0</Milestone><Duration>nil", 36, "<Duration> that is not a duration such as PT8H0M0S"),
        ("<Milestone>1", "<Milestone>maybe", 25, "<Milestone> that is not 0 or 1"),
        ("<Cost>52500000<", "<Cost>lots<", 16, "<Cost> that is not an amount in hundredths of the currency"),
        ("<UID>12<", "<UID>11<", 33, "Tasks left out whose UID is on an earlier task"),
        ("<UID>12</UID>", "", 33, "Tasks left out that have no <UID>"),
        ("<UID>12<", "<UID>-3<", 34, "<UID> that is not a whole number"),
        ("<Name>Foundations accepted</Name>", "", 23, "Milestones left out that have no <Name>"),
        ("<StatusDate>2027-03-31", "<StatusDate>2027-02-30", 6, "<StatusDate> that is not a moment"),
        ("<UID>11</UID>", "<UID>11</UID><UID>17</UID>", 24, "<UID> stands twice in one element, and the second was left out"),
    ],
)  # fmt: skip
def test_one_odd_value_never_costs_the_file_and_is_counted_with_its_line(
    old: str, new: str, line: int, says: str
) -> None:
    read = reader.read(edited(old, new))
    assert [note for note in read.notes if says in note and f": 1 (first on line {line})." in note]
    assert "16" in {milestone.source_id for milestone in read.milestones}


@pytest.mark.parametrize(
    "inside",
    [
        "<PercentComplete>0</PercentComplete><PercentComplete>0</PercentComplete>",
        "<Deadline>NA</Deadline>",
        "<ActualFinish>0001-01-01T00:00:00</ActualFinish>",
        "<Baseline><Number>0</Number><Finish>2027-04-01T00:00:00</Finish></Baseline>" * 2,
    ],
)
def test_twins_that_are_equal_and_values_that_mean_none_are_not_even_noted(inside: str) -> None:
    gate = "<UID>5</UID><Name>Go</Name><Milestone>1</Milestone><Duration>PT0H0M0S</Duration>"
    read = reader.read(project(f"{gate}<Finish>2027-05-01T17:00:00</Finish>{inside}"))
    assert [str(milestone.forecast) for milestone in read.milestones] == ["2027-05-01"]
    assert not [note for note in read.notes if "first on line" in note]


def test_a_milestone_that_takes_no_time_and_has_no_finish_is_on_the_day_it_starts() -> None:
    read = reader.read(
        project("<UID>5</UID><Name>Go</Name><Start>2027-05-01T08:00:00</Start><Duration>PT0H0M0S</Duration>")
    )
    assert str(read.milestones[0].forecast) == "2027-05-01"


@pytest.mark.parametrize(("written", "percent"), [("33.3", 33), ("100.0", 100), ("99.9999", 99), ("0", 0)])
def test_a_percentage_is_rounded_down_so_that_a_hundred_is_all_of_it(written: str, percent: int) -> None:
    gate = f"<UID>5</UID><Name>Go</Name><Milestone>1</Milestone><PercentComplete>{written}</PercentComplete>"
    assert reader.read(project(gate)).milestones[0].percent_complete == percent


def test_characters_that_nobody_sees_are_left_out_of_a_title_and_counted() -> None:
    read = reader.read(project("<UID>5</UID><Name>\u202aGo\u202c \u0085live</Name><Milestone>1</Milestone>"))
    assert read.milestones[0].title == "Go live"
    assert any("invisible characters were left out: 1" in note for note in read.notes)
    check.line("title", read.milestones[0].title)


def test_a_currency_in_small_letters_is_understood_and_a_sign_is_not() -> None:
    assert [_currency(old) for old in ("<CurrencyCode>eur</CurrencyCode>", "<CurrencySymbol>£</CurrencySymbol>")] == [
        "EUR",
        "",
    ]


def _currency(element: str) -> str | None:
    costs = reader.read(edited("<CurrencyCode>EUR</CurrencyCode>", element)).costs
    return costs.currency if costs else None


def test_ids_of_all_tasks_are_known_so_that_one_that_cannot_be_read_is_not_missing() -> None:
    read = reader.read(edited("<Name>Foundations accepted</Name>", ""))
    assert "11" in read.present
    assert not read.lost
    assert reader.read(edited("<UID>12</UID>", "")).lost


def test_however_many_different_things_are_odd_there_are_few_notes() -> None:
    odd = "".join(f"<Odd{n}>x</Odd{n}>" for n in range(5000))
    read = reader.read(project(f"<UID>5</UID><Name>Go</Name><Milestone>1</Milestone>{odd}"))
    assert len(read.notes) < 60
    assert any("Other things in the file that were left out: 49" in note for note in read.notes)


def test_more_milestones_than_anybody_follows_are_refused_and_endless_baselines_cost_nothing() -> None:
    gates = (f"<UID>{n}</UID><Name>Gate</Name><Milestone>1</Milestone>" for n in range(1, 20_003))
    with pytest.raises(BrokenFile, match="more than 20,000 milestones"):
        reader.read(project(*gates))
    read = reader.read(project("<UID>5</UID><Name>Go</Name><Milestone>1</Milestone>" + "<Baseline/>" * 50_000))
    assert any("Baselines of a task beyond the hundredth, not read: 49900" in note for note in read.notes)


def test_progress_runs_from_zero_to_one_and_a_stream_reads_like_bytes() -> None:
    seen: list[float] = []
    many = project(*(f"<UID>{n}</UID><Name>Gate {n}</Name><Milestone>1</Milestone>" for n in range(1, 3000)))
    assert reader.read(io.BytesIO(many), seen.append) == reader.read(many)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_dates_an_importer_takes_are_the_dates_a_project_takes() -> None:
    assert (plan.EARLIEST, plan.LATEST) == (check.EARLIEST, check.LATEST)
