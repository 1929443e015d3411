"""Starting a project: one short form; everything else has a default that can be changed later."""

from collections.abc import Sequence
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
from web.forms.form import Form, command_of, filled, told
from web.ids import new_id
from web.manager.forms.project import public_holidays
from web.process.services import Services
from web.staff.frame import shell
from web.write.permission import Actor


def blank(owner: str, key: str) -> Form:
    """Return the empty form."""
    fields = (
        Field(name="title", label=_("Title among us"), required=True, help=_("Never shown to clients.")),
        Field(name="client_title", label=_("Title for clients"), required=True),
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
            value="GB",
            slim=True,
            help=_("Such as GB, DE-BY or FR; empty for none."),
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
        sent = await request.form()
        typed: dict[str, Sequence[str]] = {name: [v for v in sent.getlist(name) if isinstance(v, str)] for name in sent}
        key = (typed.get("command_id") or [key])[0]
        form = filled(blank(signed.person.id, (typed.get("new") or [new_id()])[0]), typed)
        try:
            project = await run_in_threadpool(_start, services, signed, form, typed, key)
        except (Unfit, Refused) as error:
            form, status = told(form, error), status_of(error) if isinstance(error, Refused) else 422
        else:
            return RedirectResponse(f"/p/{project}", 303)
    context = {"form": form, "action": "/p/new", "command_id": key, "new": form.fixed["project"], "htmx": False}
    return services.pages.response(request, "pm/new.html", status, **context, **shell(services, signed))


def _start(services: Services, signed: Signed, form: Form, typed: dict[str, Sequence[str]], key: str) -> str:
    command = command_of(form, typed)
    assert isinstance(command, StartProject)
    calendar = _with_holidays(command.calendar, services.now().date())
    command = msgspec.structs.replace(command, calendar=calendar)
    person = signed.person
    services.service.execute(Actor(person.id, person.role), command, command_id=CommandId(key))
    return command.project


def _with_holidays(calendar: Calendar, today: date) -> Calendar:
    if not calendar.region:
        return calendar
    return msgspec.structs.replace(calendar, holidays=public_holidays(calendar.region, today))


def routes() -> list[BaseRoute]:
    """Return the route for a new project."""
    return [door("/p/new", new, allow=STAFF, methods=["GET", "POST"])]
