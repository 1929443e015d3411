"""Is this in the record? A file from anywhere, held against what was recorded, byte for byte.

Rule: a file is found by what it says of itself, and believed only when its bytes are the recorded ones.
"""

import hashlib
import re
from collections.abc import Iterator

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.ids import ShareId
from domain.language import gettext as _
from projections.proof import notes
from projections.proof.notes import BadNote
from projections.verify.bundle import VerifyReport, check
from web.door.guard import AUDIT, Signed, door
from web.process.services import Services
from web.render import exact_page
from web.staff.consulted import consulted
from web.staff.frame import shell

TITLE = re.compile(rb"<title>Update (\d{1,9}), recorded [0-9TZ:-]{20}</title>")
MOST_SHARES = 2000


class Match(msgspec.Struct, frozen=True):
    """One update a file is."""

    share: str
    n: int
    said: str  # whose it is, and when it was shown


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is. `good` is None when it is neither found nor contradicted by anything."""

    good: bool | None
    title: str
    lines: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()


class _Said(msgspec.Struct):
    """What a message or a content says of itself."""

    n: int
    share: str = ""


_said = msgspec.json.Decoder(_Said)


def identify(services: Services, data: bytes) -> Verdict:
    """Return what a file is. For threads."""
    if data.startswith(b"PK\x03\x04"):
        return _bundle(services, data)
    if (page := TITLE.search(data[:4096])) is not None:
        return _numbered(services, data, int(page[1]), _("exact page"))
    if data[:1] == b"{":
        try:
            n = _said.decode(data).n
        except msgspec.MsgspecError:
            return _unknown(_("It reads like JSON, but is no message and no content of an update."))
        return _numbered(services, data, n, _("message or content"))
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
    known = _(
        "Known are: evidence bundles, the exact page of an update saved as one file, messages and contents of "
        "updates, stylesheets, checkpoints and other signed notes. A page saved by a browser’s “Save as” is "
        "altered by it."
    )
    return Verdict(good=None, title=_("Not in this record."), lines=tuple(line for line in (why, known) if line))


def _numbered(services: Services, data: bytes, n: int, kind: str) -> Verdict:
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
    told = _("It calls itself update {n}. ", n=n) + (
        _("{has} shares have an update {n}; none of them is this, byte for byte.", has=len(has), n=n)
        if has
        else _("No share has an update {n}.", n=n)
    )
    return Verdict(good=False, title=_("Not in this record."), lines=(told,))


def _shares(services: Services) -> list[ShareId]:
    return [share.id for share in services.present.world.shares.values() if share.versions][:MOST_SHARES]


def _matches(services: Services, data: bytes, n: int) -> Iterator[Match]:
    page = TITLE.search(data[:4096]) is not None
    for share in _shares(services):
        if not 0 < n <= services.logs.disclosure.head(share):
            continue
        if page:
            found = exact_page.recorded(services.logs.disclosure, services.renderer, share, n)
            same = found is not None and exact_page.document(*found).encode() == data
        else:
            entry = services.logs.disclosure.entry(share, n)
            same = entry is not None and data.strip() in (entry.raw, entry.message)
        if same:
            yield Match(share, n, shown(services, share, n, n))


def shown(services: Services, share: str, first: int, last: int) -> str:
    """Return whose updates they are and from when to when they were what the page showed, in UTC."""
    world, log = services.present.world, services.logs.disclosure
    agreed = world.shares[share]  # type: ignore[index]
    begin, end = log.recorded_at(share, first), log.recorded_at(share, last + 1) or agreed.revoked_at
    owner = f"{world.client_name(agreed.client)}, {world.projects[agreed.project].client_title}"
    until = _("to {end:%a %d %b %Y %H:%M:%S} UTC", end=end) if end else _("until now")
    return _("{owner}: shown from {begin:%a %d %b %Y %H:%M:%S} UTC {until}", owner=owner, begin=begin, until=until)


def _bundle(services: Services, data: bytes) -> Verdict:
    report: VerifyReport = check(data, services.notary.verification_key)
    whose = services.present.world.shares.get(report.share)  # type: ignore[call-overload]
    if not report.accepted:
        first = (
            _(" The first bad update is {first_bad}.", first_bad=report.first_bad)
            if report.first_bad is not None
            else ""
        )
        return Verdict(
            good=False,
            title=_("An evidence bundle that does not hold.{first}", first=first),
            lines=tuple(report.problems[:8]),
        )
    if whose is None:
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
    text = notes.verify(note, services.notary.keys)
    try:
        point = notes.open_checkpoint(text)
    except BadNote:
        return Verdict(good=True, title=_("A statement signed by this installation."), lines=tuple(text.splitlines()))
    told = _("{origin}, {size} leaves.", origin=point.origin, size=point.size)
    share = point.origin.rpartition("/share/")[2]
    if share not in services.present.world.shares or not point.size:
        return Verdict(good=True, title=_("A checkpoint signed by this installation."), lines=(told,))
    kept = next(iter(services.logs.disclosure.kept(share, point.size - 1, 1, point.size)), None)
    if kept is None or kept.root != point.root.hex():
        why = _(
            "{told} The record {kept}.",
            told=told,
            kept=_("has no such update") if kept is None else _("has another head at this size"),
        )
        return Verdict(good=False, title=_("Signed here, and the record does not agree with it."), lines=(why,))
    return Verdict(
        good=True,
        title=_("A checkpoint over updates 1 to {size}, and the record agrees with it.", size=point.size),
        lines=(told,),
        matches=(Match(share, point.size, shown(services, share, 1, point.size)),),
    )


async def file(request: Request, signed: Signed) -> Response:
    """`GET|POST /audit/file`: a form to drop a file on, and what it is."""
    services: Services = request.app.state.services
    verdict, name, problem = None, "", ""
    if request.method == "POST":
        most = services.settings.max_upload_mb << 20
        try:
            sent = (await request.form(max_part_size=most)).get("file")
        except MultiPartException as error:
            sent, problem = None, _("The file could not be read: {message}", message=error.message)
        data = await sent.read(most + 1) if isinstance(sent, UploadFile) else b""
        name = sent.filename or _("the file") if isinstance(sent, UploadFile) else ""
        if len(data) > most:
            problem = _(
                "The file is larger than {max_upload_mb} MiB. Check it with: fanlight verify FILE",
                max_upload_mb=services.settings.max_upload_mb,
            )
        elif data:
            digest = hashlib.sha256(data).hexdigest()
            await run_in_threadpool(
                consulted, services, signed, "", _("is a file with SHA-256 {digest} in the record", digest=digest)
            )
            verdict = await run_in_threadpool(identify, services, data)
        else:
            problem = problem or _("Choose a file first.")
    status = 400 if problem else 200
    context = {"verdict": verdict, "name": name, "problem": problem, "here": "file", **shell(services, signed)}
    return services.pages.response(request, "audit/file.html", status, **context)


def routes() -> list[BaseRoute]:
    """Return the route of the question."""
    return [door("/audit/file", file, allow=AUDIT, methods=["GET", "POST"])]
