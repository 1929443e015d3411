"""`fanlight verify`: checks an evidence bundle, or the stored files of an installation."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from domain.errors import Invalid
from domain.language import gettext as _
from projections.events.present import CurrentWorld
from projections.evidence.inspection import Finding, Inspection, Uncovered
from projections.evidence.notary import Trust
from projections.installation.folder import Logs
from projections.proof import notes
from projections.verify.bundle import VerifyReport, check
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
    return stored(settings, given["checkpoint"], given["key"])


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
        told = [_("ACCEPTED: {span} of share {share}.", span=span, share=report.share)]
        lines = [" ".join([*told, *([_("The record is unbroken from update 1.")] if report.kind == "share" else [])])]
    else:
        bad = report.first_bad
        first = [] if bad is None else [_("The first bad update is {first_bad}.", first_bad=bad)]
        lines = [" ".join([_("REJECTED."), *first]), *(f"  {problem}" for problem in report.problems)]
    return lines + [_("Note: {note}", note=note) for note in report.notes]


def stored(settings: Settings, checkpoints: Sequence[Path], key: str | None = None) -> int:
    """Check every stored row of an installation against everything that was signed; return 0 when all of it holds.

    Raises: BadSetting, Invalid, BadNote.
    """
    if not settings.database_url and not (settings.data / "events.db").exists():
        raise Invalid(_("There is nothing in {data}. Say which folder with --data.", data=settings.data), "data")
    ours = logging.getLogger("fanlight")
    level = ours.level
    ours.setLevel(logging.CRITICAL)  # what cannot be read is told below
    folder = open_logs.logs(settings, reading=True)
    try:
        return _checked(folder, _trusts(folder, settings, key), checkpoints)
    except folder.unreadable as error:
        print(_("REJECTED: {where} cannot be read: {error}", where=folder.where, error=error), file=sys.stderr)
        return 1
    finally:
        folder.close()
        ours.setLevel(level)


def _checked(folder: Logs, trusts: Sequence[Trust], checkpoints: Sequence[Path]) -> int:
    present = CurrentWorld(folder.events)
    keys = [key for trust in trusts for key in trust.keys]
    pinned = [notes.open_checkpoint(notes.verify(path.read_text(), keys)) for path in checkpoints]
    inspection = Inspection(folder, trusts, pinned)
    found = list(inspection.findings(list(present.world.shares)))
    if not any(finding.origin.endswith("/events") for finding in found):  # else it is told already, and why
        found += [Finding(f"{trusts[0].name}/events", n, why) for n, why in present.broken]
    for finding in found:
        told = _("{origin}: first bad number {n}: {why}", origin=finding.origin, n=finding.n, why=finding.why)
        print(told, file=sys.stderr)
    if found:
        print(_("REJECTED: {where} does not hold.", where=folder.where))
        return 1
    shares = len(present.world.shares)
    holds = _(
        "Everything in {where} holds: {shares} shares, their delivery records, the events, the ledger.",
        where=folder.where,
        shares=shares,
    )
    print("\n".join([holds, *_bare(inspection.uncovered)]))
    return 0


def _trusts(folder: Logs, settings: Settings, key: str | None) -> list[Trust]:
    """Return what is trusted: first the newest name, then those signed in before. `key`: one that was given, or a file.

    Raises: BadSetting, BadNote.
    """
    names = signing.names_of(folder)
    if key is not None:
        name, public = notes.open_key(Path(key).read_text() if Path(key).is_file() else key)
        if not any(known == name for known, _public in names):
            told = _("Nothing here was signed by {name}. Is it the key of this installation?", name=name)
            raise notes.BadNote(told)
        names = [(known, public if known == name else first) for known, first in names]
    elif settings.key_file.exists() and os.access(settings.key_file, os.R_OK):
        ours = signing.signing_key(settings.key_file)
        names = [(known, ours.public if known == ours.name else first) for known, first in names]
        names = names or [(ours.name, ours.public)]
    if not names:
        return [Trust(folder, "unsigned", bytes(32))]
    return [Trust(folder, name, public) for name, public in reversed(names)]


def _bare(uncovered: Sequence[Uncovered]) -> list[str]:
    """Return sentences that name what no checkpoint covers; of the ledger it is always the newest checkpoint itself."""
    lines = []
    for bare in uncovered:
        name, _sep, of = bare.origin.partition("/share/")
        what = _("share {share}", share=of) if of else _("the events")
        if name.endswith("/organisation"):
            continue
        told = _(
            "Note: no checkpoint covers {count} of {what}, numbers {first} to {last}",
            count=bare.last - bare.first + 1,
            what=what,
            first=bare.first,
            last=bare.last,
        )
        lines.append(_("{told}: whether these were altered cannot be told.", told=told))
    if lines:
        lines.append(_("A server signs them at the beat of --checkpoint-minutes, and when it is stopped."))
    return lines
