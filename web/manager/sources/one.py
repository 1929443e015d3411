"""The page of one source: how it goes, what it brought, its rules and what they would have done; and its changes."""

import shlex
from collections.abc import Callable, Mapping, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Conflict, Invalid, Refused
from domain.ids import CommandId, MilestoneId, SourceId
from domain.language import N_, offered
from domain.language import gettext as _
from domain.plan.project import Project, SourcesCommand
from domain.plan.sources.commands import (
    ChangeSource,
    DetachSource,
    PauseSource,
    RenewSourceHook,
    ResumeSource,
    SetSourceRules,
    SetSourceSecret,
)
from domain.plan.sources.rules import Deal, Rules
from domain.plan.sources.source import Source
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.identity.credentials import Allows
from web.ids import new_id
from web.manager.sources.page import TypedSource, cadences, project_of, try_out
from web.manager.sources.told import (
    DEALS,
    LineTold,
    PullTold,
    SourceTold,
    asked_on,
    deals,
    line_told,
    pulls_told,
    source_told,
)
from web.process.services import Services, services_of
from web.sources.tools.registry import REMEMBERING
from web.sources.tools.tool import Trouble
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell

SAID = {
    "attached": N_("Attached. It was looked at, and is pulled soon; what it brings waits for you first."),
    "changed": N_("Recorded."),
    "secret": N_("Replaced. The secret before opens nothing any more. Test it."),
    "rules": N_("Recorded. The rules hold from the next pull on."),
    "hook": N_("The address before is answered no more. Set the new one in the tool."),
    "paused": N_("Paused. Nothing is pulled until it goes on."),
    "resumed": N_("It is pulled again."),
    "settled": N_("Recorded."),
    "back": N_("Put back. The same values are not taken again by themselves."),
    "apart": N_("Recorded. That milestone is kept by hand, and the source is not asked about it."),
    "asked": N_("Asked for. It is pulled in a moment: look again."),
    "news": N_("Pulled, and there was news."),
    "nothing": N_("Pulled. Nothing is new."),
}


class SourcePage(StaffPage, frozen=True, kw_only=True):
    """One source of a project."""

    template = "pm/source.html"
    project: Project
    told: SourceTold
    pulls: Sequence[PullTold]
    deals: Sequence[tuple[str, str, str]]  # of each kind: name, in words, what is done
    choices: Sequence[tuple[Deal, str]]
    rules: Rules
    dry: Sequence[LineTold] | None  # what the rules would have done with the newest pull, None where nobody asked
    apart: Sequence[tuple[str, str]]  # milestones kept by hand: id and title
    cadences: Sequence[tuple[int, str]]
    languages: Mapping[str, str]  # that may be chosen, by code
    hook: str  # the address for the tool's webhook, "" where it has none that can be checked
    hook_secret: str
    put: str  # the command by which a script sends the plan, "" where none is sent
    token: str  # that was just made, "" for none
    secret_since: str
    remembers: bool  # whether its tool can say how the plan stood in the past
    said: str
    found: str  # what a test found
    problem: Refused | None
    where: str  # the form that was refused


class OnPage(msgspec.Struct, frozen=True, kw_only=True):
    """What was done on the page, or which of its forms was refused."""

    said: str = ""
    found: str = ""
    token: str = ""
    rules: Rules | None = None
    dry: bool = False
    problem: Refused | None = None
    where: str = ""


def source_of(services: Services, request: Request) -> tuple[Project, Source] | None:
    """Return the project and the source that an address names; for threads."""
    project = project_of(services, request.path_params["project"])
    source = project.sources.get(SourceId(request.path_params["source"])) if project is not None else None
    return (project, source) if project is not None and source is not None else None


async def page(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/sources/{source}`: one source."""
    return await shown(request, signed, OnPage(said=request.query_params.get("done", "")))


async def shown(request: Request, signed: Signed, attempt: OnPage) -> Response:
    """Return the page of a source after something was done on it."""
    services = services_of(request)
    made = await run_in_threadpool(_page, services, signed, request, attempt)
    if made is None:
        return not_found()
    return services.pages.answer(request, made, status_of(attempt.problem) if attempt.problem else 200)


def _page(services: Services, signed: Signed, request: Request, attempt: OnPage) -> SourcePage | None:
    there = source_of(services, request)
    if there is None:
        return None
    project, source = there
    taking, told = services.sources.taking, source_told(services, project, source)
    rules = attempt.rules or source.rules
    hooks = told.tool is not None and told.tool.hooks and source.attached
    origin, milestones = services.settings.origin, project.schedule.milestones
    dry = [line_told(one.line, one.judged) for one in taking.ahead(project, source, rules)] if attempt.dry else None
    return SourcePage(
        project=project,
        told=told,
        pulls=pulls_told(project, source),
        deals=deals(rules),
        choices=[(deal, _(word)) for deal, word in DEALS.items()],
        rules=rules,
        dry=dry,
        apart=[(key, milestones[key].details.title) for key in source.rules.apart if key in milestones],
        cadences=cadences(),
        languages=offered(),
        hook=f"{origin}/hooks/{taking.hook(project.id, source)}" if hooks else "",
        hook_secret=taking.hook_secret(project.id, source) if hooks else "",
        put=_sending(f"{origin}/api/v1/projects/{project.id}/sources/{source.id}/plan", attempt.token, told),
        token=attempt.token,
        secret_since=asked_on(source.secret_at, project.time_zone),
        remembers=source.tool in REMEMBERING and source.attached,
        said=_(SAID[attempt.said]) if attempt.said in SAID else "",
        found=attempt.found,
        problem=attempt.problem,
        where=attempt.where,
        **shell(services, signed),
    )


def _sending(address: str, token: str, told: SourceTold) -> str:
    """Return the command by which a script sends the plan, "" for a source that is asked."""
    sent = ("curl", "-T", "plan.xml", "--oauth2-bearer", token or "token", f"{address}?name=plan.xml")
    return "" if told.asked else shlex.join(sent)


Make = Callable[[Services, Project, Source, FormData], SourcesCommand]


async def done(request: Request, signed: Signed, where: str, make: Make) -> Response:
    """Carry out the command that a form of the page makes, and show what came of it. `where`: the form's name."""
    services, form = services_of(request), await request.form()
    there = await run_in_threadpool(source_of, services, request)
    if there is None:
        return not_found()
    project, source = there
    key = CommandId(str(form.get("command_id") or "") or new_id(24))
    if await run_in_threadpool(services.service.carried_out, signed.person.id, key):  # what is sealed differs each time
        return RedirectResponse(f"/p/{project.id}/sources{'' if where == 'detach' else f'/{source.id}'}", 303)
    try:
        command = await run_in_threadpool(make, services, project, source, form)
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return await shown(request, signed, OnPage(problem=refused, where=where))
    if isinstance(command, ChangeSource | SetSourceSecret | ResumeSource):
        await run_in_threadpool(services.sources.engine.at_once, project.id, source.id)
    if isinstance(command, DetachSource):
        return RedirectResponse(f"/p/{project.id}/sources?done=detached", 303)
    return RedirectResponse(f"/p/{project.id}/sources/{source.id}?done={where}", 303)


async def change(request: Request, signed: Signed) -> Response:
    """`POST .../change`: another name, address, cadence, or other fields of the tool."""
    return await done(request, signed, "changed", _change)


def _change(services: Services, project: Project, source: Source, form: FormData) -> SourcesCommand:
    typed = _typed(services, project, source, form)
    values, address = typed.values(), typed.address if typed.reached else source.address
    sealed, number = b"", source.secret + 1
    if typed.reached and typed.secret:
        sealed = services.sources.taking.seal(project.id, source.id, number, typed.secret, (source.tool, address))
    return ChangeSource(
        project=project.id, source=source.id, name=typed.name, address=address, values=values, cadence=typed.cadence(),
        number=number if sealed else 0, sealed=sealed, language=typed.language,
    )  # fmt: skip


def _typed(services: Services, project: Project, source: Source, form: FormData) -> TypedSource:
    tool = services.sources.tools.get(source.tool)
    if tool is None:
        raise Invalid(_("This version does not know the tool {tool}.", tool=source.tool), "tool")
    return TypedSource(project, tool, source.id, form)


async def secret(request: Request, signed: Signed) -> Response:
    """`POST .../secret`: another secret, for the same address."""
    return await done(request, signed, "secret", _secret)


def _secret(services: Services, project: Project, source: Source, form: FormData) -> SourcesCommand:
    typed, number = _typed(services, project, source, form), source.secret + 1
    sealed = b""
    if typed.secret:
        to = (source.tool, source.address)
        sealed = services.sources.taking.seal(project.id, source.id, number, typed.secret, to)
    return SetSourceSecret(project=project.id, source=source.id, number=number, sealed=sealed)


async def test(request: Request, signed: Signed) -> Response:
    """`POST .../test`: look at the address with the secret, and say what was found."""
    services = services_of(request)
    there = await run_in_threadpool(source_of, services, request)
    tool = services.sources.tools.get(there[1].tool) if there is not None else None
    if there is None or tool is None or not there[1].attached:
        return not_found()
    project, source = there

    def look() -> str:
        try:
            attached = services.sources.taking.attached(project.id, source)
        except Trouble as trouble:
            raise Invalid(str(trouble), "tool") from None
        return try_out(services, tool, attached)

    try:
        found = await run_in_threadpool(look)
    except Refused as refused:
        return await shown(request, signed, OnPage(problem=refused, where="test"))
    return await shown(request, signed, OnPage(found=found))


async def pull(request: Request, signed: Signed) -> Response:
    """`POST .../pull`: pull now, and say what came of it."""
    services = services_of(request)
    there = await run_in_threadpool(source_of, services, request)
    if there is None:
        return not_found()
    project, source = there
    if project.phase == "closed":
        told = _("The project is closed, so nothing comes from here any more.")
        return await shown(request, signed, OnPage(problem=Conflict(told, "tool"), where="test"))
    if source.paused is not None or not source.attached or source.tool == "upload":
        told = _("Nothing is pulled from this source: it is paused, detached, or a script sends its plan.")
        return await shown(request, signed, OnPage(problem=Conflict(told, "tool"), where="test"))
    asked = await run_in_threadpool(services.sources.engine.pull_now, project.id, source.id)
    if asked.trouble is not None:
        problem = Invalid(str(asked.trouble), "tool")
        return await shown(request, signed, OnPage(problem=problem, where="test"))
    said = {None: "asked", "recorded": "news", "nothing": "nothing", "gone": "asked"}[asked.news]
    return RedirectResponse(f"/p/{project.id}/sources/{source.id}?done={said}", 303)


async def rules(request: Request, signed: Signed) -> Response:
    """`POST .../rules`: what is taken by itself, what asks, and what is left; or try that on the newest pull."""
    form = await request.form()
    if form.get("try"):
        services = services_of(request)
        there = await run_in_threadpool(source_of, services, request)
        if there is None:
            return not_found()
        try:
            tried = _rules_typed(there[1], form)
        except Refused as refused:
            return await shown(request, signed, OnPage(problem=refused, where="rules"))
        return await shown(request, signed, OnPage(rules=tried, dry=True))
    return await done(request, signed, "rules", _rules)


def _rules(_services: Services, project: Project, source: Source, form: FormData) -> SourcesCommand:
    return SetSourceRules(project=project.id, source=source.id, rules=_rules_typed(source, form))


def _rules_typed(source: Source, form: FormData) -> Rules:
    """Return the rules of a form. Raises: Invalid."""
    days = str(form.get("days", ""))
    if not days.isdecimal() or len(days) > 4:
        raise Invalid(_("Type a whole number of days."), "days")
    chosen: Mapping[str, Deal] = {name: _deal(str(form.get(name, "ask"))) for name, _said, _now in deals(source.rules)}
    kept = {str(one) for one in form.getlist("apart")}
    return msgspec.structs.replace(
        source.rules, **chosen, days=int(days), reason=str(form.get("reason", ""))[:400],
        missing="ignore" if form.get("missing") == "ignore" else "ask",
        apart=tuple(key for key in source.rules.apart if key in kept),
    )  # fmt: skip


def _deal(text: str) -> Deal:
    return next((one for one in DEALS if one == text), "ask")


async def apart(request: Request, signed: Signed) -> Response:
    """`POST .../apart`: keep one of its milestones by hand from now on."""
    return await done(request, signed, "apart", _apart)


def _apart(_services: Services, project: Project, source: Source, form: FormData) -> SourcesCommand:
    key = MilestoneId(str(form.get("milestone", "")))
    if key not in project.schedule.milestones:
        raise Invalid(_("There is no such milestone in this project. It may have been removed: reload the plan."))
    kept = msgspec.structs.replace(source.rules, apart=tuple(dict.fromkeys((*source.rules.apart, key))))
    return SetSourceRules(project=project.id, source=source.id, rules=kept)


async def hook(request: Request, signed: Signed) -> Response:
    """`POST .../hook`: another address for the tool's webhook."""
    return await done(
        request, signed, "hook", lambda _s, project, source, _f: RenewSourceHook(project=project.id, source=source.id)
    )


async def pause(request: Request, signed: Signed) -> Response:
    """`POST .../pause`: pull nothing until it goes on."""
    return await done(request, signed, "paused", _pause)


def _pause(_services: Services, project: Project, source: Source, form: FormData) -> SourcesCommand:
    return PauseSource(project=project.id, source=source.id, reason=str(form.get("reason", "")))


async def resume(request: Request, signed: Signed) -> Response:
    """`POST .../resume`: pull again."""
    return await done(
        request, signed, "resumed", lambda _s, project, source, _f: ResumeSource(project=project.id, source=source.id)
    )


async def detach(request: Request, signed: Signed) -> Response:
    """`POST .../detach`: pull nothing any more, and destroy the secret."""
    return await done(request, signed, "detach", _detach)


def _detach(_services: Services, project: Project, source: Source, form: FormData) -> SourcesCommand:
    return DetachSource(project=project.id, source=source.id, reason=str(form.get("reason", "")))


async def token(request: Request, signed: Signed) -> Response:
    """`POST .../token`: make a token that sends this plan and does nothing else, and show it once."""
    services = services_of(request)
    there = await run_in_threadpool(source_of, services, request)
    if there is None or there[1].tool != "upload":
        return not_found()
    project, source = there
    allows = Allows(scopes=(f"source:{source.id}",), projects=(project.id,))
    label = _("Plan of {project}", project=project.title)[:200]
    try:
        made = await run_in_threadpool(services.credentials.token, actor_of(signed), signed.person.id, label, allows)
    except Refused as refused:
        return await shown(request, signed, OnPage(problem=refused, where="token"))
    return await shown(request, signed, OnPage(token=made))


def routes() -> list[BaseRoute]:
    """Return the routes of one source."""
    one = "/p/{project}/sources/{source}"
    posts = {
        "change": change, "secret": secret, "test": test, "pull": pull, "rules": rules, "apart": apart, "hook": hook,
        "pause": pause, "resume": resume, "detach": detach, "token": token,
    }  # fmt: skip
    return [
        door(one, page, allow=STAFF, name="source"),
        *(
            door(f"{one}/{name}", endpoint, allow=STAFF, methods=["POST"], name=f"source_{name}")
            for name, endpoint in posts.items()
        ),
    ]
