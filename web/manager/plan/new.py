"""The page on which a project is started: a short form; everything else has a default that can be changed later."""

from datetime import date

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId
from domain.language import gettext as _
from domain.plan.calendar import Calendar
from domain.plan.project import StartProject
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.forms.fields import Field, Unfit
from web.forms.form import Doubt, Form, command_of, filled, told
from web.ids import new_id
from web.manager.forms import doubts, regions
from web.manager.importing.sending import keep, sent_file
from web.manager.plan.change import FormPage
from web.manager.typed import Typed, first, typed_in
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import shell


class NewProjectPage(FormPage, frozen=True, kw_only=True):
    """The form that starts a project."""

    template = "pm/new.html"


def blank(owner: str, key: str) -> Form:
    """Return the empty form; `key` is the id the project will have."""
    fields = (
        Field(name="client_title", label=_("Title for clients"), required=True),
        Field(
            name="title",
            label=_("Internal title"),
            help=_("Never shown to clients. Left empty, it is the same as theirs."),
        ),
        Field(
            name="plan",
            label=_("Plan"),
            kind="file",
            help=_(
                "Microsoft Project XML, a workbook or CSV. The next page shows what is in it; "
                "nothing is taken over before."
            ),
        ),
        Field(name="currency", label=_("Currency"), value="GBP", required=True, slim=True, help=_("Such as GBP, EUR.")),
        Field(
            name="time_zone",
            label=_("Time zone"),
            value="Europe/London",
            required=True,
            help=_("Such as Europe/Berlin."),
        ),
        Field(
            name="calendar.region",
            label=_("Public holidays of"),
            value="GB-ENG",
            slim=True,
            help=_("Such as GB-ENG, GB-SCT, DE-BY or FR; empty for none."),
        ),
    )
    return Form(
        command=StartProject,
        title=_("Start a project"),
        button=_("Start project"),
        fields=fields,
        fixed={"project": key, "owner": owner},
        slot="do-new",
    )


async def new(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/new`: start a project."""
    services: Services = request.app.state.services
    if signed.person.projects is not None:  # a new one would not be among theirs
        return not_found()
    form, status, key = blank(signed.person.id, new_id()), 200, new_id(24)
    if request.method == "POST":
        typed = typed_in(await request.form())
        key = first(typed, "command_id") if typed.get("command_id") else key
        form = filled(blank(signed.person.id, first(typed, "new") if typed.get("new") else new_id()), typed)
        file, problem = await sent_file(request)
        try:
            _check_file(problem)
            project = await run_in_threadpool(_start, services, signed, form, _titled(typed), key)
        except (Unfit, Doubt, Refused) as error:
            form, status = told(form, error), status_of(error) if isinstance(error, Refused) else 422
        else:
            if file is None:
                return RedirectResponse(f"/p/{project}", 303)
            return RedirectResponse(f"/p/{project}/import/{await keep(request, project, file)}", 303)
    shown = NewProjectPage(
        form=form,
        project=None,
        action="/p/new",
        command_id=key,
        new=form.fixed["project"],
        htmx=False,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status)


def _check_file(problem: str) -> None:
    """Raise Unfit where something is wrong with the plan that was sent."""
    if problem:
        raise Unfit({"plan": problem})


def _titled(typed: Typed) -> Typed:
    """Return a form whose internal title, where it is empty, is the one for clients."""
    return typed if first(typed, "title").strip() else {**typed, "title": typed.get("client_title", ())}


def _start(services: Services, signed: Signed, form: Form, typed: Typed, key: str) -> str:
    command = command_of(form, typed)
    assert isinstance(command, StartProject)
    doubts.of_region(command.calendar.region, form)
    calendar = _with_holidays(command.calendar, services.now().date())
    command = msgspec.structs.replace(command, calendar=calendar)
    services.service.execute(actor_of(signed), command, command_id=CommandId(key))
    return command.project


def _with_holidays(calendar: Calendar, today: date) -> Calendar:
    if not calendar.region:
        return calendar
    found = regions.public_holidays(calendar.region, regions.ahead(today))
    return msgspec.structs.replace(calendar, region=regions.code(calendar.region), holidays=found)


def routes() -> list[BaseRoute]:
    """Return the route for a new project."""
    return [door("/p/new", new, allow=STAFF, methods=["GET", "POST"], kind="upload")]
