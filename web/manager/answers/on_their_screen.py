"""The page of what a client was looking at when it answered: a row or card as recorded, alone in a sandbox.

Rule: the markup is the recorded one; only a closed card is opened, as its reader may have done.
"""

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from domain.language import in_english
from projections.entries import parts as parts_of_page
from projections.entries.parts import Part
from projections.replay import pages
from web.door.guard import Signed, not_found
from web.process.services import Services
from web.render import exact_page
from web.staff.consulted import consulted
from web.staff.frame import share_of

SPACE = '<svg width="1" height="8" display="block" aria-hidden="true"></svg>'  # so that no edge cuts the first line


async def look(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}/{n}/look?about=risk-r7`: what update n showed of one thing, or all of it."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(share_of, services, request.path_params["project"], request.path_params["share"])
    number, about = request.path_params["n"], request.query_params.get("about", "")
    n = int(number) if number.isascii() and number.isdecimal() and len(number) < 12 else 0
    if share is None or not n:
        return not_found()
    await run_in_threadpool(
        consulted,
        services,
        signed,
        share.id,
        in_english("{about} of update {n}", about=about[:80] or in_english("the page"), n=n),
    )
    return await run_in_threadpool(_look, services, share.id, n, about)


def _look(services: Services, share: str, n: int, about: str) -> Response:
    recorded = exact_page.recorded(services.logs.disclosure, services.renderer, share, n)
    folded = pages.fold(services.logs.disclosure, share, n)
    if recorded is None or folded is None:
        return not_found()
    page, css = recorded
    return exact_page.sealed(exact_page.document(page, css, cut_out(folded.parts, about)), css, "'self'")


def cut_out(parts: Mapping[str, Part], about: str) -> str:
    """Return the recorded markup of one milestone or risk with what it stands in, "" when the parts have none of it."""
    kind, _, key = about.partition("-")
    if kind == "milestone" and f"ms-{key}" in parts:
        section = parts["milestones"]
        begin = max(section.head.find("<table"), 0)
        rows = [row for row in (f"ms-{key}", f"md-{key}", f"said-{key}") if row in parts]
        cut = "".join(parts_of_page.markup(parts, row) for row in rows)
        shut = f'<details id="mo-{key}">'
        return SPACE + section.head[begin:] + cut.replace(shut, shut[:-1] + " open>", 1) + "</tbody></table>"
    if kind == "risk" and f"r-{key}" in parts:
        card = parts_of_page.markup(parts, f"r-{key}")
        shut = f'<details id="rd-{key}">'
        return f'<ul class="risks">{card.replace(shut, shut[:-1] + " open>", 1)}</ul>'
    return ""
