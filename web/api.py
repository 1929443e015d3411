"""The JSON API: takes commands, and returns the entries of shares. Errors are problem details (RFC 9457)."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain import commands
from domain.commands import AnyCommand
from domain.errors import Invalid, Refused
from domain.ids import CommandId, ShareId
from domain.language import gettext as _
from domain.people.person import ErasePerson, PersonCommand
from domain.people.tokens import CHANGE, READ
from domain.view import ClientView
from projections.entries.entry import Entry
from projections.entries.parts import instant
from projections.events.world import World
from projections.logs.disclosure_log import DisclosureLog
from projections.replay.pages import Views
from web.door.guard import ANY, EVERYONE, NOT_FOUND, OURS, STAFF, VIEWERS, Signed, door
from web.door.problem import problem, refusal
from web.process.rights import may_watch
from web.process.services import services_of
from web.write.permission import Actor
from web.write.service import version_named
from web.write.viewers import bounded

EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MOST = 200  # entries in one answer


class SentCommand(msgspec.Struct, frozen=True):
    """A command as it was sent: its id, the version it expects of its stream (None for any), and itself."""

    key: CommandId
    expected: int | None
    command: AnyCommand


async def carry_out(request: Request, signed: Signed) -> Response:
    """`POST /api/v1/commands`: one tagged command, with an Idempotency-Key and optionally an expected version."""
    service = services_of(request).service
    sent = await _sent_command(request)
    if isinstance(sent, Response):
        return sent
    person = signed.person
    token = signed.token
    scopes, projects = (token.scopes, token.projects) if token is not None else (None, None)
    actor = Actor(person.id, person.role, signed.clients, scopes, projects)
    blind = isinstance(sent.command, PersonCommand) and bounded(services_of(request).present.world, person.id)
    if blind and sent.expected is not None:
        return problem(400, _("Bad Expected-Version"), _("Leave it out: what is recorded of a viewer is not counted."))
    try:
        answer = await run_in_threadpool(
            service.execute, actor, sent.command, command_id=sent.key, expected=sent.expected
        )
    except Refused as refused:
        return refusal(refused)
    if blind:  # a count would tell of what the viewer is to other clients
        answer = msgspec.structs.replace(answer, version=0, events=(), versions=())
    members = msgspec.to_builtins(answer)
    if isinstance(sent.command, ErasePerson):
        members["erased"] = services_of(request).erasure.outcome(sent.command.person).standing
    return Response(msgspec.json.encode(members), 200 if answer.repeated else 201, media_type="application/json")


async def _sent_command(request: Request) -> SentCommand | Response:
    """Return the command of a request, or the problem with it."""
    key = request.headers.get("idempotency-key", "")
    if not key:
        return problem(
            400, _("No Idempotency-Key"), _("Send a header Idempotency-Key with an id of this command's own.")
        )
    expected = request.headers.get("expected-version")
    try:
        version = None if expected is None else version_named(expected)
    except Invalid:
        detail = _(
            "Expected-Version is {expected!r}; expected the version of the stream you looked at, such as 12.",
            expected=(expected or "")[:40],
        )
        return problem(400, _("Bad Expected-Version"), detail)
    payload = await request.body()
    try:
        command = commands.decode(payload)
    except msgspec.MsgspecError as error:
        detail = _("{error}. docs/spec.md section 2 lists every command and its fields.", error=error)
        return problem(400, _("Not a command"), detail)
    return SentCommand(CommandId(key), version, command)


async def entries(request: Request, signed: Signed) -> Response:
    """`GET /api/v1/shares/{share}/entries?after=n`: the updates of a share, as data, in order."""
    services = services_of(request)
    share = request.path_params["share"]
    if not may_watch(services.present, signed, share) or not _covered(services.present.world, signed, share):
        return problem(404, _("Not found"), _(NOT_FOUND))
    after = request.query_params.get("after", "0")
    if not after.isdecimal() or len(after) > 12:
        return problem(
            400, _("Bad number"), _("after is {after!r}; expected the number of the last update you have.", after=after)
        )
    listed = await run_in_threadpool(_entries, services.logs.disclosure, share, int(after))
    return Response(msgspec.json.encode(listed), media_type="application/json", headers={"cache-control": "no-store"})


async def projects(request: Request, signed: Signed) -> Response:
    """`GET /api/v1/projects`: the projects whoever asks may see, with the versions that commands expect."""
    found = await run_in_threadpool(_projects, services_of(request).present.refresh(), signed)
    return Response(
        msgspec.json.encode({"projects": found}), media_type="application/json", headers={"cache-control": "no-store"}
    )


def _projects(world: World, signed: Signed) -> list[dict[str, object]]:
    of = signed.token.projects if signed.token is not None else None
    seen = [p for p in world.projects.values() if signed.person.manages(p.id) and (of is None or p.id in of)]
    return [
        {
            "project": one.id,
            "version": world.versions.get(f"project-{one.id}", 0),
            "title": one.title,
            "client_title": one.client_title,
            "currency": one.currency,
            "time_zone": one.time_zone,
            "phase": one.phase,
            "shares": [
                {
                    "share": share.id,
                    "version": world.versions.get(f"share-{share.id}", 0),
                    "client": share.client,
                    "client_name": world.client_name(share.client),
                    "active": share.active,
                }
                for share in world.shares_of_project(one.id)
            ],
        }
        for one in sorted(seen, key=lambda project: (project.title, project.id))
    ]


def _covered(world: World, signed: Signed, share: str) -> bool:
    """Return whether a token covers the project of a share; True for whoever needs none."""
    of = signed.token.projects if signed.token is not None else None
    return of is None or world.shares[ShareId(share)].project in of


def _entries(log: DisclosureLog, share: str, after: int) -> dict[str, object]:
    """Return the next updates, the numbers among them that were erased, and whether there are more after these."""
    views, kept = Views(log, share), log.kept(share, after, MOST)
    upto = kept[-1].n if kept else after
    return {
        "share": share,
        "entries": [_entry(entry, views.at(entry.n)) for entry in log.entries(share, after, MOST, upto)],
        "erased": [row.n for row in kept if row.state == "erased"],
        "more": len(kept) == MOST,
    }


def _entry(entry: Entry, view: ClientView | None) -> dict[str, object]:
    content = entry.content
    return {
        "n": content.n,
        "at": instant(content.at),
        "agreement": content.terms_version,
        "changes": content.changes,
        "view": view,
        "leaf": entry.leaf.hex(),
        "root": entry.root,
    }


async def nowhere(_request: Request, _signed: Signed) -> Response:
    """Answer a path that does not exist like what may not be seen."""
    return problem(404, _("Not found"), _(NOT_FOUND))


def routes() -> list[BaseRoute]:
    """Return the routes of the JSON API."""
    return [
        door("/api/v1/commands", carry_out, allow=STAFF, methods=["POST"], scope=CHANGE),
        door("/api/v1/projects", projects, allow=OURS, scope=READ, name="api_projects"),
        door("/api/v1/shares/{share}/entries", entries, allow=VIEWERS, scope=READ),
        door("/api/{rest:path}", nowhere, allow=EVERYONE, methods=EVERY_METHOD, scope=ANY),
    ]
