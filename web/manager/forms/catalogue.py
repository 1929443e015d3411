"""Every form there is, by the tag of its command.

Rule: every command of a project has a form here or stands in `ELSEWHERE`; a test proves it.
"""

from collections.abc import Callable

from domain.errors import Unknown
from domain.language import gettext as _
from web.forms.form import Form
from web.manager.forms import budget as money
from web.manager.forms import project as own
from web.manager.forms import risks, schedule
from web.manager.forms.asked import Ask

FORMS: dict[str, Callable[[Ask], Form]] = {
    "describe-project": own.describe,
    "correct-project": own.correct,
    "set-calendar": own.calendar,
    "set-tolerances": own.tolerances,
    "hold-project": own.hold,
    "resume-project": own.resume,
    "close-project": own.close,
    "override-health": own.override,
    "withdraw-override": own.withdraw,
    "add-milestone": schedule.add,
    "describe-milestone": schedule.describe,
    "move-forecast": schedule.move,
    "report-progress": schedule.progress,
    "meet-milestone": schedule.meet,
    "reopen-milestone": schedule.reopen,
    "accept-milestone": schedule.accept,
    "remove-milestone": schedule.remove,
    "approve-baseline": schedule.approve,
    "confirm-plan": schedule.confirm,
    "approve-budget": money.approve,
    "approve-budget-change": money.change,
    "plan-spend": money.plan,
    "measure-cost": money.measure,
    "forecast-completion": money.forecast,
    "raise-risk": risks.raise_one,
    "describe-risk": risks.describe,
    "score-risk": risks.score,
    "ask-client-view": risks.ask_client,
    "score-as-client": risks.client_score,
    "take-risk-note": risks.note,
    "close-risk": risks.close,
    "reopen-risk": risks.reopen,
}
# A page of its own; the clock's; the import's.
ELSEWHERE = frozenset({"start-project", "lapse-overrides", "end-day", "link-milestone", "restore-milestone"})


def form_for(tag: str, ask: Ask) -> Form:
    """Return the form for a command.

    Raises: Unknown.
    """
    if tag not in FORMS:
        raise Unknown(_("There is no form for “{tag}”. Go back to the project and choose again.", tag=tag[:40]))
    return FORMS[tag](ask)
