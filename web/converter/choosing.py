"""`converter`: what a setting says about converting, as one object that turns a file into Microsoft Project's XML."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from domain.language import gettext as _
from web.converter import asking, running
from web.converter.bounds import Allowance, Converted
from web.importers.kinds import Kind
from web.importers.source import Source

HERE = "here"  # the setting for a process of this machine, beside the one that serves


class Converter(msgspec.Struct, frozen=True, kw_only=True):
    """How files are converted, and within which bounds."""

    bounds: Allowance
    run: Callable[[str, Path, Path, Allowance], Converted]

    def convert(self, kind: str, file: Path, out: Path) -> Converted:
        """Write the plan in a file of this kind to `out` as Microsoft Project's XML.

        Raises: BrokenFile.
        """
        return self.run(kind, file, out, self.bounds)

    def take(self, source: Source, kind: Kind) -> tuple[Path, tuple[str, ...]]:
        """Return a file with the plan of another as Microsoft Project's XML, and what its readers are told of that.

        The file is theirs to delete.

        Raises: BrokenFile.
        """
        with tempfile.TemporaryDirectory(prefix="fanlight-") as folder:
            file = source.content
            if isinstance(file, bytes):
                file = Path(folder) / "file"
                file.write_bytes(source.all())
            with tempfile.NamedTemporaryFile(prefix="fanlight-", suffix=".xml", delete=False) as made:
                out = Path(made.name)
            try:
                told = self.convert(kind, file, out)
            except BaseException:
                out.unlink(missing_ok=True)
                raise
        return out, notes(told, kind)


def converter(setting: str, bounds: Allowance) -> Converter | None:
    """Return what the setting names: the service at an address, a process of this machine, or (None) nothing."""
    if not setting:
        return None
    if setting == HERE:
        return Converter(bounds=bounds, run=running.convert)

    def ask(kind: str, file: Path, out: Path, given: Allowance) -> Converted:
        return asking.ask(setting, kind, file, out, given)

    return Converter(bounds=bounds, run=ask)


def notes(told: Converted, kind: str) -> tuple[str, ...]:
    """Return what a reader of a converted plan is told: by which version, and what is not as in the file."""
    said = [
        _(
            "Converted from {kind} by {version}; lines are those of the converted plan.",
            kind=KINDS[kind],
            version=told.version,
        )
    ]
    if told.projects > 1:
        said.append(
            _("The file holds {n} projects; “{title}”, the first, was read.", n=told.projects, title=told.title)
        )
    if not told.baseline:
        said.append(_("The file has no baseline project, so nothing in it says which dates were agreed."))
    return tuple(said)


KINDS = {
    "mpp": "Microsoft Project (MPP)",
    "xer": "Primavera P6 (XER)",
    "pmxml": "Primavera P6 (PMXML)",
    "mpx": "MPX",
    "planner": "Planner",
    "asta": "Asta Powerproject (PP)",
}  # names of programs, the same in every language
