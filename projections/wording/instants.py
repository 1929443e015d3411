"""How instants are said to people: in a zone, with the year only where it is not this one."""

from datetime import date, datetime

import msgspec

from projections.wording import words


class Clock(msgspec.Struct, frozen=True):
    """How instants are said: in a zone, with the year only where it is not this one."""

    zone: str
    today: date

    def day(self, value: date) -> str:
        """Return "5 October", with its year where that is another one."""
        told = f"{value.day} {words.LONG[value.month - 1]}"
        return told if value.year == self.today.year else f"{told} {value.year}"

    def moment(self, at: datetime) -> str:
        """Return "Tue 16 March 13:58"."""
        there = words.local(at, self.zone)
        return f"{there:%a} {self.day(there.date())} {there:%H:%M}"

    def second(self, at: datetime) -> str:
        """Return "Tue 16 March, 13:58:04"."""
        there = words.local(at, self.zone)
        return f"{there:%a} {self.day(there.date())}, {there:%H:%M:%S}"
