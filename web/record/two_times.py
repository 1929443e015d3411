"""The two times of a value in words: when it was recorded, and since when it held in its source."""

from datetime import datetime

from domain.language import gettext as _
from projections.wording import words


def two_times(at: datetime, as_of: datetime | None, zone: str) -> str:
    """Return "Recorded on 3 Jun 2027, held since 12 May 2027.", "" where the two do not differ; `zone` is IANA's."""
    if as_of is None or as_of == at:
        return ""
    days = words.local(at, zone).date(), words.local(as_of, zone).date()
    recorded, held = (f"{words.local(one, zone):%H:%M}" for one in (at, as_of))
    if days[0] != days[1]:
        recorded, held = (words.day_year(day) for day in days)
        return _("Recorded on {recorded}, held since {held}.", recorded=recorded, held=held)
    return _("Recorded at {recorded}, held since {held}.", recorded=recorded, held=held)
