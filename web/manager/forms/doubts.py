"""What can be read and is not likely to be meant: the form comes back once with a question and a tick.

JSON commands are not asked. An import says the same beside the lines of its proposal.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from domain.errors import Unknown
from domain.headline import counted
from domain.ids import MilestoneId
from domain.language import gettext as _
from domain.message import Command
from domain.plan.calendar import Calendar
from domain.plan.neighbours import MOVE, dates_of, far, passed
from domain.plan.project import Project, SetCalendar
from domain.plan.schedule import MoveForecast
from projections.wording import words
from web.forms.fields import dates_in
from web.forms.form import Doubt, Form
from web.manager.forms import regions
from web.manager.forms.asked import Ask

SHOWN = 6  # days that a question names, and questions that a field shows


def likely(ask: Ask, blank: Form, form: Form, command: Command) -> None:
    """Do nothing where all that was typed into a form for a command is likely, or was ticked as meant.

    Raises: Doubt.
    """
    questions: dict[str, list[str]] = {}
    meant: set[str] = set()
    calendar = _calendar(ask, command.calendar) if isinstance(command, SetCalendar) else ()
    distant = list(_far_dates(ask, blank, form))
    moved = _moved(ask, command) if isinstance(command, MoveForecast) and not distant else ()
    for field, question, token in (*distant, *calendar, *moved):
        questions.setdefault(field, []).append(question)
        meant.add(token)
    if meant - form.meant:
        raise Doubt({field: " ".join(asked[:SHOWN]) for field, asked in questions.items()}, frozenset(meant))


def of_region(region: str, form: Form) -> None:
    """Do nothing where a region is a part of a country or a country without parts, or was ticked as meant.

    Raises: Doubt.
    """
    question, token = regions.common_only(region), regions.code(region)
    if question and token not in form.meant:
        raise Doubt({"calendar.region": question}, frozenset({token}))


Question = tuple[str, str, str]  # the name of its field, the sentence, and what a tick will stand for


def _calendar(ask: Ask, new: Calendar) -> Iterator[Question]:
    """Yield what is asked about a calendar: past days it would lose, and whose days it holds or lacks."""
    old = ask.project.calendar
    lost = [day for day in old.holidays if day.year < ask.today.year and day not in new.holidays]
    if lost:
        sentence = _(
            "Days of past years are no longer listed: {days}. Slips of then would be counted anew without them.",
            days=_days(lost),
        )
        yield "calendar.holidays", sentence, f"lost-{len(lost)}"
    if new.region and (new.region, new.holidays) != (old.region, old.holidays):
        yield from _whose(new, ask.today, asked=new.region != old.region)


def _whose(new: Calendar, today: date, *, asked: bool) -> Iterator[Question]:
    token = re.sub(r"\s+", "-", regions.code(new.region))
    if asked and (question := regions.common_only(new.region)):
        yield "calendar.region", question, token
    try:
        lacking = regions.missing(new, today)
    except Unknown as unknown:
        yield "calendar.region", unknown.message, f"unknown-{token}"
        return
    if lacking:
        sentence = _(
            "Public holidays of {region} are not listed: {days}. Fill them in above, or say that they are worked.",
            region=regions.name(new.region),
            days=_days(lacking),
        )
        yield "calendar.holidays", sentence, f"worked-{len(lacking)}"


def _days(found: Sequence[date]) -> str:
    shown = ", ".join(words.day_year(day) for day in found[:SHOWN])
    return shown if len(found) <= SHOWN else _("{shown} and {more} more", shown=shown, more=len(found) - SHOWN)


def _far_dates(ask: Ask, blank: Form, form: Form) -> Iterator[Question]:
    known = dates_of(ask.project, ask.today)
    for field in form.fields:
        before = _dates(blank, field.name)
        given = [day for day in dates_in(field) if day not in before]
        for day in sorted(far(given, known)):
            yield field.name, far_away(day, known), day.isoformat()


def _moved(ask: Ask, command: MoveForecast) -> Iterator[Question]:
    for _key, question, token in moves(ask.project, {command.milestone: command.forecast}):
        yield "forecast", question, token


def moves(project: Project, to: Mapping[MilestoneId, date]) -> Iterator[tuple[MilestoneId, str, str]]:
    """Yield what is asked about forecasts that are moved together: of which, the sentence, what a tick stands for."""
    plan = project.schedule.milestones
    before = {key: m.expected for key, m in plan.items()}
    after = {**before, **to}
    for key, day in to.items():
        days = (day - plan[key].forecast).days
        if abs(days) > MOVE.days:
            way = _("later") if days > 0 else _("earlier")
            yield key, _("That is {days} days {way}. Is it meant?", days=abs(days), way=way), f"far-{key}-{day}"
    for key, other in passed(before, after).items():
        title, there = plan[other].details.title, words.day_year(after[other])
        if after[key] > after[other]:
            told = _("It would come after “{title}”, {day}, and was before it. Is it meant?", title=title, day=there)
        else:
            told = _("It would come before “{title}”, {day}, and was after it. Is it meant?", title=title, day=there)
        yield key, told, f"order-{key}-{after[key]}"


def _dates(form: Form, name: str) -> frozenset[date]:
    return frozenset(day for field in form.fields if field.name == name for day in dates_in(field))


def far_away(day: date, known: frozenset[date]) -> str:
    """Return the question about a date that is far from the known ones."""
    near = min(known, key=lambda other: abs(other - day))
    return _(
        "{day} lies {far} from today and every other date of this project; the nearest is {near}. Is that year meant?",
        day=words.long_day(day),
        far=_far(abs(near - day).days),
        near=words.long_day(near),
    )


def _far(days: int) -> str:
    if days >= 730:
        return counted("one year", "{many} years", days // 365)
    return counted("one day", "{many} days", days)
