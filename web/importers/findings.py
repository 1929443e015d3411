"""What a reader finds on its way: problems that stop the import, and notes that do not."""

from domain.language import gettext as _
from web.importers.plan import MAX_PROBLEMS, BrokenFile, Problem

TITLE = 200  # as long as the project takes
SHOWN = 60


class Findings:
    """Collects problems and counted notes of one file."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._counts: dict[str, int] = {}
        self._first: dict[str, int] = {}
        self._notes: list[str] = []

    def problem(self, line: int | None, message: str) -> None:
        """Keep a problem.

        Raises: BrokenFile once there are 20.
        """
        self._problems.append(Problem(line, message))
        if len(self._problems) >= MAX_PROBLEMS:
            self.stop_if_broken()

    def count(self, what: str, line: int) -> None:
        """Count one more of what a note will tell with its number and first line."""
        self._counts[what] = self._counts.get(what, 0) + 1
        self._first.setdefault(what, line)

    def note(self, sentence: str) -> None:
        """Keep a sentence for the reader of the plan."""
        self._notes.append(sentence)

    def notes(self) -> tuple[str, ...]:
        """Return the notes: sentences first, then what was counted, in order of appearance."""
        counted = [
            _("{what}: {n} (first on line {first}).", what=what, n=n, first=self._first[what])
            for what, n in self._counts.items()
        ]
        return (*self._notes, *counted)

    def stop_if_broken(self) -> None:
        """Do nothing if all is well.

        Raises: BrokenFile with the problems in the order of the file.
        """
        if self._problems:
            raise BrokenFile(*sorted(self._problems, key=lambda problem: problem.line or 0))


def shown(text: str) -> str:
    """Return a value from a file as it may stand in a message: quoted, escaped, short."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def one_line(text: str, line: int, findings: Findings) -> str:
    """Return a title on one line of at most 200 characters; what had to be shortened is counted."""
    title = " ".join(text.split())
    if len(title) <= TITLE:
        return title
    findings.count(_("Titles shortened to {title} characters", title=TITLE), line)
    return title[: TITLE - 1] + "…"
