"""`Clock`: days and instants in words, in a time zone, for pages of the record.

Rule: they have their year. A page of the record is read and printed in another year than it tells of.
"""

from datetime import date, datetime

import msgspec

from projections.wording import words


class Clock(msgspec.Struct, frozen=True):
    """Says instants in the time zone `zone` (IANA name), which the page names once."""

    zone: str

    def day(self, value: date) -> str:
        """Return "5 October 2027"."""
        return words.long_day(value)

    def moment(self, at: datetime) -> str:
        """Return "Tue 16 March 2027, 13:58"."""
        local = words.local(at, self.zone)
        return f"{words.weekday(local)} {self.day(local.date())}, {local:%H:%M}"

    def second(self, at: datetime) -> str:
        """Return "Tue 16 March 2027, 13:58:04"."""
        local = words.local(at, self.zone)
        return f"{words.weekday(local)} {self.day(local.date())}, {local:%H:%M:%S}"
