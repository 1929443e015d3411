"""`Clock`: instants in words, in a time zone, with the year only where it is not the present one."""

from datetime import date, datetime

import msgspec

from projections.wording import words


class Clock(msgspec.Struct, frozen=True):
    """Says instants in the time zone `zone` (IANA name); a year is said only where it is not that of `today`."""

    zone: str
    today: date

    def day(self, value: date) -> str:
        """Return "5 October", or "5 October 2027" where its year is another than that of today."""
        words_without_year = f"{value.day} {words.LONG[value.month - 1]}"
        return words_without_year if value.year == self.today.year else f"{words_without_year} {value.year}"

    def moment(self, at: datetime) -> str:
        """Return "Tue 16 March 13:58"."""
        local = words.local(at, self.zone)
        return f"{local:%a} {self.day(local.date())} {local:%H:%M}"

    def second(self, at: datetime) -> str:
        """Return "Tue 16 March, 13:58:04"."""
        local = words.local(at, self.zone)
        return f"{local:%a} {self.day(local.date())}, {local:%H:%M:%S}"
