"""A project's plan as Microsoft Project's XML, which imports to no change: what the importer reads, and no more.

Rule: the internal plan of an organisation, for its own tools; of money the cost alone. What the format cannot say
exactly is left out and told, never rounded.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

from domain.language import gettext as _
from domain.plan.account import Account
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from web.importers.mspdi.names import NAMESPACE, OWN_FIELD, OWN_PREFIX
from web.importers.mspdi.tasks import SLOTS

FIRST_FREE = 1_000_001  # the first UID of what has none in the plan it came from
_UID = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
CENT = Decimal("0.01")


def written(project: Project) -> tuple[bytes, tuple[str, ...]]:
    """Return the plan of a project as an MSPDI file, and sentences on what was left out of it."""
    notes: list[str] = []
    lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', f'<Project xmlns="{NAMESPACE}">']
    lines += [_leaf("SaveVersion", "14"), _leaf("Title", project.schedule.plan_title or project.title)]
    day = _status_date(project)
    lines += [_leaf("CurrencyCode", project.currency), _leaf("BaselineForEarnedValue", "0")]
    if day is not None:
        lines.append(_leaf("StatusDate", _moment(day)))
    lines += [
        "<ExtendedAttributes><ExtendedAttribute>", _leaf("FieldID", OWN_FIELD), _leaf("FieldName", "Text30"),
        _leaf("Alias", "Fanlight"), "</ExtendedAttribute></ExtendedAttributes>", "<Tasks>",
    ]  # fmt: skip
    lines += _whole(project, day, notes)
    for place, (uid, milestone) in enumerate(_numbered(project), 1):
        lines += _task(project, milestone, uid, place)
    lines += ["</Tasks>", "</Project>", ""]
    if notes:
        lines.insert(1, f"<!-- {' '.join(notes).replace('--', '-')} -->")
    return "\n".join(lines).encode(), tuple(notes)


def _status_date(project: Project) -> date | None:
    account = project.budget.accounts.get("cost")
    measured = account.measurements[-1].status_date if account and account.measurements else None
    return project.schedule.data_date or measured


def _whole(project: Project, day: date | None, notes: list[str]) -> Iterator[str]:
    """Yield the row of the whole project, with what it costs where the format can say that."""
    yield from ("<Task>", _leaf("UID", "0"), _leaf("ID", "0"), _leaf("Name", project.title))
    yield from (_leaf("OutlineLevel", "0"), _leaf("Summary", "1"), _leaf("Milestone", "0"))
    account = project.budget.accounts.get("cost")
    if account is not None:
        figures = _figures(account, day, notes)
        yield from (_leaf(name, _hundredths(value)) for name, value in figures.items())
        if _exact(account.bac) and account.bac > 0:
            yield f"<Baseline>{_leaf('Number', '0')}{_leaf('Cost', _hundredths(account.bac))}</Baseline>"
    yield "</Task>"


def _figures(account: Account, day: date | None, notes: list[str]) -> dict[str, Decimal]:
    """Return what was measured and forecast, where it is of the day of the plan and the format can say it."""
    last = account.measurements[-1] if account.measurements else None
    forecast = account.forecasts[-1] if account.forecasts else None
    given: dict[str, Decimal | None] = {}
    if last is not None:
        given |= {"BCWS": last.pv, "BCWP": last.ev, "ACWP": last.ac}
    if forecast is not None:
        given["Cost"] = forecast.eac
    figures = {name: value for name, value in given.items() if value is not None}
    days = {one.status_date for one in (last, forecast) if one is not None}
    if not figures:
        return {}
    if days != {day}:
        notes.append(_("Cost figures are of another day than the dates of the plan, so they were left out."))
        return {}
    if account.bac <= 0 or not all(map(_exact, (account.bac, *figures.values()))):
        notes.append(_("The format cannot say the costs of this project exactly, so they were left out."))
        return {}
    return figures


def _exact(amount: Decimal) -> bool:
    return amount == amount.quantize(CENT)


def _numbered(project: Project) -> Iterator[tuple[str, Milestone]]:
    """Yield the milestones by their dates, each with the id it has in the plan it came from, or a free one."""
    schedule = project.schedule
    every = sorted(schedule.milestones.values(), key=lambda one: (one.expected, one.details.title, one.id))
    taken = {one.source_id for one in (*every, *schedule.removed.values())}
    used: set[str] = set()
    free = FIRST_FREE
    for one in every:
        uid = one.source_id
        if not _UID.fullmatch(uid) or uid in used:
            while str(free) in taken:
                free += 1
            uid, free = str(free), free + 1
        used.add(uid)
        yield uid, one


def _task(project: Project, one: Milestone, uid: str, place: int) -> Iterator[str]:
    yield from ("<Task>", _leaf("UID", uid), _leaf("ID", str(place)), _leaf("Name", one.details.title))
    yield from (_leaf("Active", "1"), _leaf("IsNull", "0"), _leaf("OutlineNumber", str(place)))
    yield from (
        _leaf("OutlineLevel", "1"),
        _leaf("Start", _moment(one.expected)),
        _leaf("Finish", _moment(one.expected)),
    )
    yield from (_leaf("Duration", "PT0H0M0S"), _leaf("Milestone", "1"), _leaf("Summary", "0"))
    if one.percent is not None:
        yield _leaf("PercentComplete", str(one.percent))
    if one.actual is not None:
        yield from (_leaf("ActualStart", _moment(one.actual)), _leaf("ActualFinish", _moment(one.actual)))
    if one.details.deadline is not None:
        yield _leaf("Deadline", _moment(one.details.deadline))
    own = _leaf("FieldID", OWN_FIELD) + _leaf("Value", f"{OWN_PREFIX}{one.id}")
    yield f"<ExtendedAttribute>{own}</ExtendedAttribute>"
    for slot, day in _slots(project, one):
        finish = _leaf("Number", str(slot)) + _leaf("Start", _moment(day)) + _leaf("Finish", _moment(day))
        yield f"<Baseline>{finish}</Baseline>"
    yield "</Task>"


def _slots(project: Project, one: Milestone) -> Iterator[tuple[int, date]]:
    """Yield the dates agreed for a milestone: slot 0 the present one, from slot 1 on each agreed plan, oldest first."""
    present = project.schedule.baseline_of(one.id)
    if present is not None:
        yield 0, present
    for slot, agreed in enumerate(project.schedule.baselines[-(SLOTS - 1) :], 1):
        if one.id in agreed.dates:
            yield slot, agreed.dates[one.id]


def _leaf(name: str, text: str) -> str:
    return f"<{name}>{escape(_NOT_XML.sub('', text))}</{name}>"


def _moment(day: date) -> str:
    return f"{day.isoformat()}T17:00:00"


def _hundredths(amount: Decimal) -> str:
    return f"{amount * 100:.0f}"
