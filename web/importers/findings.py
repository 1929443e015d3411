"""`Findings`: the problems of a file, which stop an import, and the notes on it, which do not."""

from domain.language import gettext as _
from web.importers.plan import MAX_PROBLEMS, BrokenFile, Problem

TITLE = 200  # characters of a title, as many as a project takes
SHOWN = 60  # characters of a value that a message quotes


class Findings:
    """Collects problems and counted notes of one file."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._counts: dict[str, int] = {}
        self._first: dict[str, int] = {}
        self._notes: list[str] = []

    def problem(self, line: int | None, message: str) -> None:
        """Keep a problem at a line of the file, None where it is of no line.

        Raises: BrokenFile once there are `MAX_PROBLEMS`.
        """
        self._problems.append(Problem(line, message))
        if len(self._problems) >= MAX_PROBLEMS:
            self.stop_if_broken()

    def count(self, what: str, line: int) -> None:
        """Count one more of what a note says, which will give the number and the first line."""
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
        """Do nothing while there is no problem.

        Raises: BrokenFile with the problems in the order of their lines.
        """
        if self._problems:
            raise BrokenFile(*sorted(self._problems, key=lambda problem: problem.line or 0))


def shown(text: str) -> str:
    """Return a value from a file for a message: quoted, escaped and shortened."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def one_line(text: str, line: int, findings: Findings) -> str:
    """Return a title on one line of at most `TITLE` characters; shortened ones are counted in `findings`."""
    title = " ".join(text.split())
    if len(title) <= TITLE:
        return title
    findings.count(_("Titles shortened to {title} characters", title=TITLE), line)
    return title[: TITLE - 1] + "…"
