"""A plan as read from a file, before it is compared with a project, and what can be wrong with a file.

Rule: nothing in a plan is guessed, or computed from today's date.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from domain.language import gettext as _

EARLIEST, LATEST = date(1950, 1, 1), date(2150, 1, 1)  # of dates, as a project takes them; LATEST itself is too late
MAX_BYTES = 256 * 2**20  # of a file
MAX_TABLE = 64 * 2**20  # bytes of a comma-separated file or a workbook, which is read whole
MAX_PROBLEMS = 20  # reported of one file
MAX_MILESTONES = 20_000  # of a file
MAX_TASKS = 5000  # beside the milestones: what can be followed


class PlannedMilestone(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone of the file; every date is a civil date."""

    source_id: str  # stable in the source: UID of MSPDI, id column of CSV
    own_id: str = ""  # of the milestone here, where the file was exported here
    title: str
    outline: str = ""  # WBS or outline number
    baseline: date | None = None  # the current one: slot 0
    baselines: tuple[tuple[int, date], ...] = ()  # every slot the file fills, ascending
    forecast: date | None = None
    actual: date | None = None  # only when really finished
    deadline: date | None = None
    percent_complete: int | None = None
    line: int  # in the file


class PlannedCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of the whole project in whole units of its currency; None where the file does not say."""

    status_date: date | None = None
    currency: str = ""  # ISO 4217, or nothing where the file has no code
    bac: Decimal | None = None
    pv: Decimal | None = None
    ev: Decimal | None = None
    ac: Decimal | None = None
    eac: Decimal | None = None  # as planned now: actual plus remaining cost


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan in one file; milestones are in the order of the file."""

    format: Literal["mspdi", "csv", "sheet", "tool"]
    file_hash: str  # sha256 hex of the bytes; of a tool, of what it says of the plan
    title: str = ""
    data_date: date | None = None
    milestones: tuple[PlannedMilestone, ...] = ()
    tasks: tuple[PlannedMilestone, ...] = ()  # that are no milestones and could be followed: they have a finish
    read: int = 0  # tasks or rows of the plan, milestones among them
    undecided: bool = False  # whether nothing in the file says which of the tasks are milestones
    present: frozenset[str] = frozenset()  # ids of all its tasks or rows, also of those that could not be read
    lost: bool = False  # whether it has tasks or rows whose id could not be read
    early: bool = False  # something in it is said to be met after today, and was left out of it for now
    costs: PlannedCosts | None = None
    columns: msgspec.Struct | None = None  # the mapping a table was read by
    notes: tuple[str, ...] = ()  # sentences: what was recognised, skipped or not understood


class Problem(msgspec.Struct, frozen=True):
    """What is wrong at a line of the file: what was expected, what was found, what to do."""

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else _("Line {line}: {message}", line=self.line, message=self.message)


class BrokenFile(Exception):
    """A file that cannot be imported, and of which nothing was; one problem a line, at most `MAX_PROBLEMS`."""

    def __init__(self, *problems: Problem) -> None:
        lines = [str(problem) for problem in problems]
        if len(problems) >= MAX_PROBLEMS:
            lines.append(_("These are the first {max_problems}; there may be more.", max_problems=MAX_PROBLEMS))
        super().__init__("\n".join(lines))
        self.problems = problems

    @property
    def line(self) -> int | None:
        """The line of the first problem."""
        return self.problems[0].line


class BusyReader(BrokenFile):
    """A file that was not read, as others are: nothing is known of it, and trying again may help."""


def too_large(max_bytes: int) -> str:
    """Return what is said of a file of more bytes than are read."""
    return _(
        "The file is larger than {max_bytes} MiB, the most that is read. Send a smaller plan, or have the setting "
        "max_upload_mb raised.",
        max_bytes=max_bytes // 2**20,
    )


def busy(message: str) -> BusyReader:
    """Return the exception for a file that had no turn."""
    return BusyReader(Problem(None, message))


def broken(message: str, line: int | None = None) -> BrokenFile:
    """Return the exception for one problem."""
    return BrokenFile(Problem(line, message))
