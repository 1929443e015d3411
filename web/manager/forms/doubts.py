"""What can be read and is not likely to be meant: the form comes back once with a question and a tick.

JSON commands are not asked. An import says the same beside the lines of its proposal.
"""

from collections.abc import Iterator
from datetime import date

from domain.headline import count
from domain.language import gettext as _
from domain.plan.neighbours import dates_of, far
from projections.wording import words
from web.forms.fields import dates_in
from web.forms.form import Doubt, Form
from web.manager.forms.asked import Ask


def likely(ask: Ask, blank: Form, form: Form) -> None:
    """Do nothing where all that was typed into a form is likely, or was ticked as meant.

    Raises: Doubt.
    """
    questions: dict[str, str] = {}
    meant: set[str] = set()
    for field, question, token in _questions(ask, blank, form):
        questions.setdefault(field, question)
        meant.add(token)
    if meant - form.meant:
        raise Doubt(questions, frozenset(meant))


def _questions(ask: Ask, blank: Form, form: Form) -> Iterator[tuple[str, str, str]]:
    """Yield each question: the name of its field, the sentence, and what a tick will stand for."""
    yield from _far_dates(ask, blank, form)


def _far_dates(ask: Ask, blank: Form, form: Form) -> Iterator[tuple[str, str, str]]:
    known = dates_of(ask.project, ask.today)
    for field in form.fields:
        before = _dates(blank, field.name)
        given = [day for day in dates_in(field) if day not in before]
        for day in sorted(far(given, known)):
            yield field.name, far_away(day, known), day.isoformat()


def _dates(form: Form, name: str) -> frozenset[date]:
    return frozenset(day for field in form.fields if field.name == name for day in dates_in(field))


def far_away(day: date, known: frozenset[date]) -> str:
    """Return the question about a date that is far from the known ones."""
    near = min(known, key=lambda other: abs(other - day))
    return _(
        "{day} lies {far} from every other date of this project; the nearest is {near}. Is that year meant?",
        day=words.long_day(day),
        far=_far(abs(near - day).days),
        near=words.long_day(near),
    )


def _far(days: int) -> str:
    return count(days // 365, _("year")) if days >= 730 else count(days, _("day"))
