"""MSPDI: milestones, baselines, actuals and costs as the file has them, and what is wrong with a broken one."""

import hashlib
import io
from datetime import date
from decimal import Decimal

import pytest

from domain import check
from tests.web.importers.plans import HARBOUR, edited, project, told
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
        ("2027-03-12T17:00:00</Finish>", "2027-13-12T17:00:00</Finish>", 26, "<Finish> of task 11 ('Foundations accepted') is '2027-13-12T17:00:00'; expected a moment"),
        ("2027-03-15T17:00:00", "soon", 27, "<Deadline> of task 11 ('Foundations accepted') is 'soon'"),
        ("2027-03-15T17:00:00", "0984-01-01T08:00:00", 27, "from 1950 to 2149"),
        ("<PercentComplete>40<", "<PercentComplete>140<", 37, "expected a whole number from 0 to 100"),
        ("<Number>3<", "<Number>11<", 28, "expected a whole number from 0 to 10"),
        ("<Number>3<", "<Number>0<", 29, "Baseline 0 of task 11 ('Foundations accepted') is here and on line 28"),
        ("<Milestone>0</Milestone><Duration>PT0H", "<Milestone>0</Milestone><Duration>nil", 36, "expected a duration such as PT8H0M0S"),
        ("<Milestone>1", "<Milestone>maybe", 25, "<Milestone> of the task on line 23 is 'maybe'; expected 0 or 1"),
        ("<Cost>52500000<", "<Cost>lots<", 16, "expected an amount in hundredths of the currency"),
        ("<UID>12<", "<UID>11<", 33, "UID 11 is on this task and on the one on line 23"),
        ("<UID>12</UID>", "", 33, "The task on line 33 has no <UID>"),
        ("<UID>12<", "<UID>-3<", 34, "<UID> of the task on line 33 is '-3'"),
        ("<Name>Foundations accepted</Name>", "", 23, "Milestone 11 has no name"),
        ("<StatusDate>2027-03-31", "<StatusDate>2027-02-30", 6, "<StatusDate> of the project is '2027-02-30T17:00:00'"),
        ("<UID>11</UID>", "<UID>11</UID><UID>17</UID>", 24, "<UID> of the task on line 23 is here and on line 24"),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_line_what_came_and_what_was_expected(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(BrokenFile) as raised:
        reader.read(edited(old, new))
    assert [problem_line for problem_line, _ in told(raised.value)] == [line]
    assert says in told(raised.value)[0][1]
    assert raised.value.line == line


def test_all_problems_of_a_file_are_told_at_once_but_no_more_than_twenty() -> None:
    bad = [f"<UID>{n}</UID><Name>Gate {n}</Name><Milestone>1</Milestone><Finish>later</Finish>" for n in range(1, 4)]
    with pytest.raises(BrokenFile) as raised:
        reader.read(project(*bad))
    assert [line for line, _ in told(raised.value)] == [3, 4, 5]
    with pytest.raises(BrokenFile) as raised:
        reader.read(project(*(bad[0] for _ in range(100))))
    assert len(raised.value.problems) == 20
    assert "there may be more" in str(raised.value)


def test_progress_runs_from_zero_to_one_and_a_stream_reads_like_bytes() -> None:
    seen: list[float] = []
    many = project(*(f"<UID>{n}</UID><Name>Gate {n}</Name><Milestone>1</Milestone>" for n in range(1, 3000)))
    assert reader.read(io.BytesIO(many), seen.append) == reader.read(many)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_dates_an_importer_takes_are_the_dates_a_project_takes() -> None:
    assert (plan.EARLIEST, plan.LATEST) == (check.EARLIEST, check.LATEST)
