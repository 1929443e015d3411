"""Small plans of our own and the edits that break them."""

from pathlib import Path

from web.importers.plan import BrokenFile

FIXTURES = Path(__file__).parent / "fixtures"
HARBOUR = (FIXTURES / "harbour.mspdi.xml").read_bytes()
HARBOUR_CSV = (FIXTURES / "harbour.csv").read_bytes()
REAL = Path(__file__).parents[4] / "shared" / "data" / "plans"


def edited(old: str, new: str, data: bytes = HARBOUR) -> bytes:
    """Return the plan with one passage replaced; the passage has to be there."""
    assert old.encode() in data, old
    return data.replace(old.encode(), new.encode(), 1)


def project(*tasks: str) -> bytes:
    """Return an MSPDI file with these tasks, each on a line of its own from line 3."""
    head = '<?xml version="1.0"?>\n<Project xmlns="http://schemas.microsoft.com/project"><Tasks>\n'
    return (head + "".join(f"<Task>{task}</Task>\n" for task in tasks) + "</Tasks></Project>\n").encode()


def told(error: BrokenFile) -> list[tuple[int | None, str]]:
    """Return the problems as pairs."""
    return [(problem.line, problem.message) for problem in error.problems]
