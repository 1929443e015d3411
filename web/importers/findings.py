"""`Findings`: the problems of a file, which stop an import, and the notes on it, which do not."""

from domain import check
from domain.language import gettext as _
from web.importers.plan import MAX_PROBLEMS, BrokenFile, Problem

TITLE = 200  # characters of a title, as many as a project takes
SHOWN = 60  # characters of a value that a message quotes
MOST_NOTES = 40  # different notes on one file; what goes beyond is counted in one more


class Findings:
    """Collects problems and counted notes of one file."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._counts: dict[str, int] = {}
        self._first: dict[str, int] = {}
        self._notes: list[str] = []
        self._more = 0  # of kinds beyond those that are told
        self._more_first = 0

    def problem(self, line: int | None, message: str) -> None:
        """Keep a problem at a line of the file, None where it is of no line.

        Raises: BrokenFile once there are `MAX_PROBLEMS`.
        """
        self._problems.append(Problem(line, message))
        if len(self._problems) >= MAX_PROBLEMS:
            self.stop_if_broken()

    def count(self, what: str, line: int) -> None:
        """Count one more of what a note says, which will give the number and the first line."""
        if what not in self._counts and len(self._counts) >= MOST_NOTES:
            self._more += 1
            self._more_first = self._more_first or line
            return
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
        if self._more:
            told = _(
                "Other things in the file that were left out: {n} (first on line {first}).",
                n=self._more,
                first=self._more_first,
            )
            counted.append(told)
        return (*self._notes[:MOST_NOTES], *counted)

    def stop_if_broken(self) -> None:
        """Do nothing while there is no problem.

        Raises: BrokenFile with the problems in the order of their lines.
        """
        if self._problems:
            raise BrokenFile(*sorted(self._problems, key=lambda problem: problem.line or 0))


def shown(text: str) -> str:
    """Return a value from a file for a message: quoted, escaped and shortened."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def visible(text: str, line: int, findings: Findings) -> str:
    """Return a text without the characters nobody sees; what had some is counted in `findings`."""
    cleaned = text if text.isascii() and text.isprintable() else check.without_refused(text)
    if cleaned != text:
        findings.count(_("Titles and ids from which invisible characters were left out"), line)
    return cleaned


def one_line(text: str, line: int, findings: Findings) -> str:
    """Return a title on one line of at most `TITLE` characters; shortened ones are counted in `findings`.

    Characters that nobody sees are left out, and counted too.
    """
    title = " ".join(visible(" ".join(text.split()), line, findings).split())
    if len(title) <= TITLE:
        return title
    findings.count(_("Titles shortened to {title} characters", title=TITLE), line)
    return title[: TITLE - 1] + "…"
