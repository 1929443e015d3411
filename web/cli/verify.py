"""`fanlight verify`: checks an evidence bundle, or the stored files of an installation."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from domain.errors import Invalid
from domain.language import gettext as _
from projections.events.present import CurrentWorld
from projections.evidence.inspection import inspect
from projections.proof import notes
from projections.verify.bundle import VerifyReport, check
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.process import open_logs, signing
from web.settings import Settings, add_flags


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("verify", help=_("check an evidence bundle, or all stored files with --data"))
    parser.add_argument("file", type=Path, nargs="?", help=_("evidence bundle"))
    parser.add_argument("--key", help=_("verification key you were given, or a file that holds it"))
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help=_("checkpoint you kept (repeatable)")
    )
    parser.add_argument("--json", action="store_true", help=_("print the report as JSON"))
    add_flags(parser, ("data", "database_url", "signing_key"))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Check a bundle where one is named, else the installation; return 0 when it holds and 1 when it does not.

    Raises: BadSetting, Invalid, BadNote.
    """
    settings = settings_of(given)
    if given["file"] is not None:
        return bundle(given["file"], given["key"], given["checkpoint"], as_json=given["json"])
    return stored(settings, given["checkpoint"])


def bundle(file: Path, key: str | None, checkpoints: Sequence[Path], *, as_json: bool) -> int:
    """Check a bundle; return 0 when it holds and 1 when it does not.

    Raises: Invalid when a file cannot be read.
    """
    try:
        data, kept = file.read_bytes(), [path.read_bytes() for path in checkpoints]
        key = Path(key).read_text() if key is not None and Path(key).is_file() else key
    except OSError as error:
        raise Invalid(
            _(
                "{filename} cannot be read: {strerror}. Check the path.",
                filename=error.filename,
                strerror=error.strerror,
            ),
            "file",
        ) from error
    report = check(data, key.strip() if key else None, kept)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        print("\n".join(sentences(report)))
    return 0 if report.accepted else 1


def sentences(report: VerifyReport) -> list[str]:
    """Return a report in sentences."""
    if report.accepted:
        span = (
            _("update {first}", first=report.first)
            if report.first == report.to
            else _("updates {first} to {to}", first=report.first, to=report.to)
        )
        unbroken = _(" The record is unbroken from update 1.") if report.kind == "share" else ""
        lines = [_("ACCEPTED: {span} of share {share}.{unbroken}", span=span, share=report.share, unbroken=unbroken)]
    else:
        first = (
            _(" The first bad update is {first_bad}.", first_bad=report.first_bad)
            if report.first_bad is not None
            else ""
        )
        lines = [f"REJECTED.{first}", *(f"  {problem}" for problem in report.problems)]
    return lines + [_("Note: {note}", note=note) for note in report.notes]


def stored(settings: Settings, checkpoints: Sequence[Path]) -> int:
    """Check every stored row of an installation against everything that was signed; return 0 when all of it holds.

    Raises: Invalid, BadNote.
    """
    if not settings.database_url and not (settings.data / "events.db").exists():
        raise Invalid(_("There is nothing in {data}. Say which folder with --data.", data=settings.data), "data")
    folder = open_logs.logs(settings)
    try:
        world = CurrentWorld(folder.events).world
        notary = signing.notary(folder, settings, clock.now)
        pinned = [notes.open_checkpoint(notes.verify(path.read_text(), notary.keys)) for path in checkpoints]
        findings = list(inspect(folder, notary, list(world.shares), pinned))
    finally:
        folder.close()
    for finding in findings:
        print(
            _("{origin}: first bad number {n}: {why}", origin=finding.origin, n=finding.n, why=finding.why),
            file=sys.stderr,
        )
    if not findings:
        print(
            _(
                "Everything in {where} holds: {shares} shares, their receipts, the events, the ledger.",
                where=folder.where,
                shares=len(world.shares),
            )
        )
    return 1 if findings else 0
