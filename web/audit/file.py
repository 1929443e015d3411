"""Looks up a file of an auditor in the record: which update, bundle, stylesheet or signed note it is, if any.

Rule: a file is found by the number or hash in it, and taken for recorded only when its bytes are the recorded ones.
"""

import hashlib
import re
import threading
from collections.abc import Iterator
from typing import Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain import check as checks
from domain.errors import Invalid
from domain.ids import ShareId
from domain.language import gettext as _
from domain.language import in_english
from domain.message import UNREADABLE
from projections.proof import notes
from projections.proof.notes import BadNote
from projections.verify.bundle import VerifyReport, check
from web.audit.frame import AuditPage
from web.door.guard import AUDIT, Signed, door
from web.process.services import Services
from web.render import exact_page
from web.staff.consulted import consulted
from web.staff.frame import shell

TITLE = re.compile(rb"<title>Update (\d{1,9}), recorded [0-9TZ:-]{20}</title>")
MOST_SHARES = 2000
INFLATED = 16  # times the largest upload: what a bundle may hold; larger ones are for `fanlight verify`
_one_at_a_time = threading.Lock()  # a member of a bundle may take 128 MiB to check


class Match(msgspec.Struct, frozen=True):
    """One update that a file is, or is about."""

    share: str
    n: int
    said: str  # whose it is, and when it was shown


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is. `good` is None when the record neither has it nor contradicts it."""

    good: bool | None
    title: str
    lines: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()


class FilePage(AuditPage, frozen=True, kw_only=True):
    """A form for a file, and what the one that was sent is."""

    template = "audit/file.html"
    here: Literal["file"] = "file"
    verdict: Verdict | None  # None until a file is sent
    name: str  # of the file
    problem: str  # with what was sent, "" for none


class _Numbered(msgspec.Struct):
    """What a message or a content of an update has: a number, and the share where it names one."""

    n: int
    share: str = ""


_numbers = msgspec.json.Decoder(_Numbered)


def identify(services: Services, data: bytes) -> Verdict:
    """Return what a file is, judged by its beginning. For threads."""
    if data.startswith(b"PK\x03\x04"):
        return _bundle(services, data)
    if (page := TITLE.search(data[:4096])) is not None:
        return _of_number(services, data, int(page[1]), _("exact page"))
    if data[:1] == b"{":
        try:
            n = _numbers.decode(data).n
        except UNREADABLE:
            return _unknown(_("It reads like JSON, but is no message and no content of an update."))
        return _of_number(services, data, n, _("message or content"))
    try:
        text = data.decode()
        if "\n\n" in text:
            return _note(services, text)
    except (UnicodeDecodeError, BadNote):
        pass
    digest = hashlib.sha256(data).hexdigest()
    if services.logs.disclosure.stylesheet(digest) == data:
        return Verdict(
            good=True,
            title=_("This is a stylesheet of recorded updates."),
            lines=(_("SHA-256 {digest}", digest=digest),),
        )
    return _unknown()


def _unknown(why: str = "") -> Verdict:
    """Return that a file is not in the record, and what kinds of files are."""
    kinds = _(
        "Known are: evidence bundles, the exact page of an update saved as one file, messages and contents of "
        "updates, stylesheets, checkpoints and other signed notes. A page saved by a browser’s “Save as” is "
        "altered by it."
    )
    return Verdict(good=None, title=_("Not in this record."), lines=tuple(line for line in (why, kinds) if line))


def _of_number(services: Services, data: bytes, n: int, kind: str) -> Verdict:
    """Return the updates with number `n`, of any share, that a page, message or content is."""
    matches = tuple(_matches(services, data, n))
    if matches:
        these = (
            _("This is update {n}.", n=n)
            if len(matches) == 1
            else _("This is update {n} of {matches} shares.", n=n, matches=len(matches))
        )
        return Verdict(
            good=True, title=these, lines=(_("Its {kind}, byte for byte as recorded.", kind=kind),), matches=matches
        )
    has = [share for share in _shares(services) if 0 < n <= services.logs.disclosure.head(share)]
    which = _("It calls itself update {n}.", n=n)
    found = (
        _("{has} shares have an update {n}; none of them is this, byte for byte.", has=len(has), n=n)
        if has
        else _("No share has an update {n}.", n=n)
    )
    sentence = f"{which} {found}"
    return Verdict(good=False, title=_("Not in this record."), lines=(sentence,))


def _shares(services: Services) -> list[ShareId]:
    return [share.id for share in services.present.world.shares.values() if share.versions][:MOST_SHARES]


def _matches(services: Services, data: bytes, n: int) -> Iterator[Match]:
    page = TITLE.search(data[:4096]) is not None
    for share in _shares(services):
        if not 0 < n <= services.logs.disclosure.head(share):
            continue
        if page:
            recorded = exact_page.recorded(services.logs.disclosure, services.renderer, share, n)
            same = recorded is not None and exact_page.document(*recorded).encode() == data
        else:
            entry = services.logs.disclosure.entry(share, n)
            same = entry is not None and data.strip() in (entry.raw, entry.message)
        if same:
            yield Match(share, n, shown(services, share, n, n))


def shown(services: Services, share: str, first: int, last: int) -> str:
    """Return in words whose updates `first` to `last` are, and from when to when the page showed them, UTC."""
    world, log = services.present.world, services.logs.disclosure
    agreed = world.shares[ShareId(share)]
    begin, end = log.recorded_at(share, first), log.recorded_at(share, last + 1) or agreed.revoked_at
    owner = f"{world.client_name(agreed.client)}, {world.projects[agreed.project].client_title}"
    until = _("to {end:%a %d %b %Y %H:%M:%S} UTC", end=end) if end else _("until now")
    return _("{owner}: shown from {begin:%a %d %b %Y %H:%M:%S} UTC {until}", owner=owner, begin=begin, until=until)


def _bundle(services: Services, data: bytes) -> Verdict:
    """Return what an evidence bundle is, checked as the stand-alone verifier checks it."""
    most = INFLATED * services.settings.max_upload_mb << 20
    with _one_at_a_time:
        report: VerifyReport = check(data, services.notary.verification_key, most=most)
    share = services.present.world.shares.get(ShareId(report.share))
    if not report.accepted:
        title = _("An evidence bundle that does not hold.")
        if report.first_bad is not None:
            bad = _("The first bad update is {first_bad}.", first_bad=report.first_bad)
            title = f"{title} {bad}"
        return Verdict(
            good=False,
            title=title,
            lines=tuple(report.problems[:8]),
        )
    if share is None:
        return Verdict(good=None, title=_("A good evidence bundle of a share that is not in this record."))
    span = (
        _("update {first}", first=report.first)
        if report.first == report.to
        else _("updates {first} to {to}", first=report.first, to=report.to)
    )
    match = Match(report.share, report.first, shown(services, report.share, report.first, report.to))
    lines = (_("Signed by this installation, and every byte holds."), *report.notes)
    return Verdict(good=True, title=_("An evidence bundle of {span}.", span=span), lines=lines, matches=(match,))


def _note(services: Services, note: str) -> Verdict:
    """Return what a signed note is. Raises: BadNote, where it was not signed here."""
    text = notes.verify(note, services.notary.keys)
    try:
        point = notes.open_checkpoint(text)
    except BadNote:
        return Verdict(good=True, title=_("A statement signed by this installation."), lines=tuple(text.splitlines()))
    size = _("{origin}, {size} leaves.", origin=point.origin, size=point.size)
    share = point.origin.rpartition("/share/")[2]
    if share not in services.present.world.shares or not point.size:
        return Verdict(good=True, title=_("A checkpoint signed by this installation."), lines=(size,))
    kept = next(iter(services.logs.disclosure.kept(share, point.size - 1, 1, point.size)), None)
    if kept is None or kept.root != point.root.hex():
        why = _(
            "{told} The record {kept}.",
            told=size,
            kept=_("has no such update") if kept is None else _("has another head at this size"),
        )
        return Verdict(good=False, title=_("Signed here, and the record does not agree with it."), lines=(why,))
    return Verdict(
        good=True,
        title=_("A checkpoint over updates 1 to {size}, and the record agrees with it.", size=point.size),
        lines=(size,),
        matches=(Match(share, point.size, shown(services, share, 1, point.size)),),
    )


async def file(request: Request, signed: Signed) -> Response:
    """`GET|POST /audit/file`: a form to drop a file on, and what it is."""
    services: Services = request.app.state.services
    upload = await _upload(request, services.settings.max_upload_mb) if request.method == "POST" else _Upload()
    verdict = await run_in_threadpool(_verdict, services, signed, upload.data) if upload.data else None
    page = FilePage(**shell(services, signed), verdict=verdict, name=upload.name, problem=upload.problem)
    return services.pages.answer(request, page, 400 if upload.problem else 200)


class _Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file as sent; no data where there is a problem with it."""

    name: str = ""
    data: bytes = b""
    problem: str = ""


async def _upload(request: Request, max_mb: int) -> _Upload:
    """Return the file a form sent, up to `max_mb` MiB."""
    most = max_mb << 20
    try:
        sent = (await request.form(max_part_size=most)).get("file")
    except MultiPartException as error:
        return _Upload(problem=_("The file could not be read: {message}", message=error.message))
    if not isinstance(sent, UploadFile):
        return _Upload(problem=_("Choose a file first."))
    try:
        data, name = await sent.read(most + 1), checks.line("file_name", (sent.filename or _("the file"))[:200])
    except Invalid as invalid:
        return _Upload(problem=invalid.message)
    if len(data) > most:
        too_large = _(
            "The file is larger than {max_upload_mb} MiB. Check it with: fanlight verify FILE", max_upload_mb=max_mb
        )
        return _Upload(name=name, problem=too_large)
    return _Upload(name=name, data=data, problem="" if data else _("Choose a file first."))


def _verdict(services: Services, signed: Signed, data: bytes) -> Verdict:
    """Return what a file is, once the question is recorded."""
    digest = hashlib.sha256(data).hexdigest()
    consulted(services, signed, "", in_english("is a file with SHA-256 {digest} in the record", digest=digest))
    return identify(services, data)


def routes() -> list[BaseRoute]:
    """Return the route of the question."""
    return [door("/audit/file", file, allow=AUDIT, methods=["GET", "POST"], kind="upload")]
