"""What a colleague says of the lines of their list: put off, handed over, opened, and who covers for them."""

from datetime import date, timedelta

import pytest

from domain.errors import Invalid
from domain.people.for_you import (
    KEPT,
    Absence,
    AbsenceEnded,
    AbsenceSet,
    Desk,
    EndAbsence,
    HandOverLine,
    LineHandedOver,
    LinePutOff,
    OpenPlace,
    PlaceOpened,
    PutOffLine,
    SetAbsence,
    evolve,
)
from domain.people.person import PersonInvited
from tests.spec import NOW, given

pytestmark = pytest.mark.once

MARTA = PersonInvited(person="marta", name="Marta", email="m@x.test", role="manager", client=None)
LINE, TODAY = "concern.p1.s1.c1", NOW.date()
FRIDAY = TODAY + timedelta(days=3)
OFF = LinePutOff(line=LINE, until=FRIDAY)


def put_off(until: date | None, line: str = LINE) -> PutOffLine:
    return PutOffLine(person="marta", project="p1", line=line, until=until)


def test_a_line_is_put_off_to_a_day_from_today_on_and_brought_back() -> None:
    given(MARTA).when(put_off(FRIDAY)).then(OFF)
    given(MARTA, OFF).when(put_off(None)).then(LinePutOff(line=LINE, until=None))
    given(MARTA).when(put_off(None)).then()
    assert given(MARTA, OFF).state().desk.put_off[LINE].until == FRIDAY
    assert given(MARTA, OFF, LinePutOff(line=LINE, until=None)).state().desk == Desk()
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=367)):
        given(MARTA).when(put_off(day)).refused(Invalid, "from today on", "until")


def test_a_line_names_the_project_it_is_permitted_by() -> None:
    for line in (
        "concern.p2.s1.c1",
        "concern.p1",
        "",
        "p1",
        "concern.p1.s1 c1",
        "Concern.p1.s1",
        "concern.p1." + "x" * 81,
    ):
        given(MARTA).when(put_off(FRIDAY, line)).refused(Invalid, "no such line", "line")
        handing = HandOverLine(person="marta", project="p1", line=line, to="sam")
        given(MARTA).when(handing).refused(Invalid, "no such line", "line")
    handing = HandOverLine(person="marta", project="p1", line=LINE, to="sam")
    given(MARTA).when(handing).then(LineHandedOver(line=LINE, to="sam"))


def test_a_place_is_opened_as_of_what_was_there_and_never_as_of_later_than_now() -> None:
    opening = OpenPlace(person="marta", place="project-p1", until=NOW)
    opened = PlaceOpened(place="project-p1", until=NOW)
    given(MARTA).when(opening).then(opened)
    given(MARTA, opened).when(opening).then()
    later = OpenPlace(person="marta", place="project-p1", until=NOW + timedelta(seconds=1))
    given(MARTA).when(later).refused(Invalid, "after the time", "until")
    given(MARTA).when(OpenPlace(person="marta", place="share-s1", until=NOW)).refused(Invalid, "a project or a client")


def test_somebody_is_away_from_a_day_to_a_day_and_covered_by_another() -> None:
    away = SetAbsence(person="marta", first=TODAY, last=FRIDAY, cover="sam")
    recorded = AbsenceSet(first=TODAY, last=FRIDAY, cover="sam")
    given(MARTA).when(away).then(recorded)
    given(MARTA, recorded).when(away).then()
    given(MARTA, recorded).when(EndAbsence(person="marta")).then(AbsenceEnded())
    given(MARTA).when(EndAbsence(person="marta")).then()
    assert given(MARTA, recorded).state().desk.absence == Absence(first=TODAY, last=FRIDAY, cover="sam")
    wrong = SetAbsence(person="marta", first=FRIDAY, last=TODAY, cover="sam")
    given(MARTA).when(wrong).refused(Invalid, "after the last", "first")
    given(MARTA).when(SetAbsence(person="marta", first=TODAY, last=FRIDAY, cover="marta")).refused(Invalid, "colleague")


def test_what_is_kept_in_memory_has_a_bound_and_keeps_the_latest() -> None:
    desk = Desk()
    for i in range(KEPT + 3):
        desk = evolve(desk, LinePutOff(line=f"concern.p1.{i}", until=FRIDAY), NOW)
    assert (len(desk.put_off), f"concern.p1.{KEPT + 2}" in desk.put_off) == (KEPT, True)
    assert "concern.p1.2" not in desk.put_off
