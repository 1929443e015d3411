"""A dashboard of no project and no client, by which a brand is looked at in both schemes before it is set."""

import base64
import hashlib
from datetime import date
from decimal import Decimal

from starlette.responses import HTMLResponse, Response

from domain.language import gettext as _
from domain.look.look import Look
from domain.money import Money
from domain.view import (
    BudgetVital,
    ClientView,
    ForecastPoint,
    Headline,
    Indicator,
    MilestoneRow,
    RiskCard,
    RiskVital,
    Scale,
    ScheduleVital,
    Score,
    Slip,
)
from projections.entries import parts as parts_of_page
from projections.follow.next_entry import Renderer

DARK = "(prefers-color-scheme: dark)"
FRAME = (
    '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
    "<style>{css}</style></head>\n"
    '<body><main id="main" class="wrap">{roots}</main></body></html>'
)
CONTROLS = (
    '<p class="ask"><a class="btn primary" href="#main">{primary}</a> <a class="btn" href="#main">{other}</a></p>'
)


def document(renderer: Renderer, look: Look, organisation: str, scheme: str) -> Response:
    """Return the sample in one scheme, "light" or "dark", whatever the reader's own; it runs nothing.

    It is drawn as a dashboard is, with the one difference that it asks for no scheme.
    """
    rendered = renderer.render(sample(look, organisation))
    css = renderer.css_of(rendered.stylesheet) or renderer.css
    style = _in(scheme, css.decode()).replace("color-scheme: light dark", f"color-scheme: {scheme}")
    brand, summary, body = (parts_of_page.markup(rendered.parts, root) for root in rendered.roots)
    controls = CONTROLS.format(primary=_("A primary button"), other=_("Another button"))
    title = _("Sample of a dashboard")
    roots = _in(scheme, brand + summary + controls + body)
    page = FRAME.format(title=title, css=style, roots=roots)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"sandbox; default-src 'none'; style-src 'sha256-{allowed}'; font-src 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'self'"
    )
    return HTMLResponse(page, headers={"content-security-policy": policy, "cache-control": "no-store"})


def _in(scheme: str, text: str) -> str:
    """Return a stylesheet or markup in which what asks for the dark scheme always holds, or never."""
    return text.replace(DARK, "all" if scheme == "dark" else "not all")


def sample(look: Look, organisation: str) -> ClientView:
    """Return the view of the sample."""
    behind = Indicator(status="at_risk", rule=_("At risk from 6 days late"))
    return ClientView(
        organisation=organisation,
        client=_("a client"),
        project=_("Sample project"),
        time_zone="UTC",
        terms_version=1,
        scope=_("This is a sample. It shows no project and no client of yours."),
        headline=Headline(sentence=_("Eleven days behind the agreed plan and within budget.")),
        overall=behind,
        schedule=ScheduleVital(
            indicator=behind,
            milestone="m2",
            title=_("Handover"),
            baseline=date(2027, 10, 1),
            forecast=date(2027, 10, 12),
            slip_days=11,
        ),
        budget=_budget(),
        risk=RiskVital(high=1, medium=1, top="R-07", top_score=16),
        milestones_shared=True,
        risks_shared=True,
        milestones=_milestones(),
        risks=(_risk(),),
        scale=Scale(),
        brand=look.digest,
        look=look,
    )


def _budget() -> BudgetVital:
    return BudgetVital(
        indicator=Indicator(status="on_track", rule=_("On track within budget")),
        measure="price",
        status_date=date(2027, 5, 31),
        budget=_pounds(6_800_000),
        forecast=_pounds(6_720_000),
        spent=_pounds(3_100_000),
    )


def _pounds(amount: int) -> Money:
    return Money(Decimal(amount), "GBP")


def _milestones() -> tuple[MilestoneRow, ...]:
    trend = (ForecastPoint(date(2027, 1, 11), date(2027, 10, 1)), ForecastPoint(date(2027, 3, 16), date(2027, 10, 12)))
    return (
        MilestoneRow(
            id="m1",
            title=_("Design approved"),
            original_baseline=date(2027, 3, 1),
            baseline=date(2027, 3, 1),
            actual=date(2027, 3, 1),
            forecast=date(2027, 3, 1),
            status="met",
        ),
        MilestoneRow(
            id="m2",
            title=_("Handover"),
            original_baseline=date(2027, 10, 1),
            baseline=date(2027, 10, 1),
            forecast=date(2027, 10, 12),
            status="at_risk",
            slip=Slip(since_current=11),
            final=True,
            trend=trend,
        ),
    )


def _risk() -> RiskCard:
    return RiskCard(
        id="r1",
        ref="R-07",
        title=_("Ground is softer than surveyed"),
        score=Score(4, 4, 16, date(2027, 3, 16)),
        band="high",
        view_needed=True,
    )
