"""One event of a source as a sentence."""

from collections.abc import Sequence
from typing import assert_never

from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.sources import source as s
from projections.wording import words
from web.record.said.values import Became


def subject(event: s.SourceEvent, project: Project) -> str:
    """Return what people call the source of an event."""
    source = project.sources.get(event.source)
    return source.name if source is not None else event.source


def became(event: s.SourceEvent, after: Project) -> Sequence[Became]:
    """Return what became of a source, or what it brought; `after`: the project after the event."""
    match event:
        case s.SourceAttached():
            return [Became(what=_("source attached"))]
        case s.SourceChanged():
            return [Became(what=_("source changed"))]
        case s.SourceSecretSet():
            return [Became(what=_("secret replaced"))]
        case s.SourceRulesSet():
            return [Became(what=_("rules set"))]
        case s.SourceHookRenewed():
            return [Became(what=_("address of its webhook replaced"))]
        case s.SourcePaused(reason=reason):
            return [Became(what=_("source paused"), note=reason)]
        case s.SourceResumed():
            return [Became(what=_("source pulled again"))]
        case s.SourceDetached(reason=reason):
            return [Became(what=_("source detached"), note=reason)]
        case s.SourceFailed(why=why, lasting=lasting):
            return [Became(what=_("source has failed for a day") if lasting else _("source failed"), note=why)]
        case s.SourceRecovered():
            return [Became(what=_("source works again"))]
        case s.SourcePulled():
            return [_pulled(event, after)]
        case s.SourceSettled(taken=taken, left=left):
            return [Became(what=_("{taken} proposals taken, {left} left", taken=len(taken), left=len(left)))]
        case s.SourcePullPutBack(reason=reason):
            return [Became(what=_("a pull was put back"), note=reason)]
        case _:
            assert_never(event)


def _pulled(event: s.SourcePulled, after: Project) -> Became:
    source = after.sources.get(event.source)
    pull = source.pull(event.pull) if source is not None else None
    lines = pull.lines if pull is not None else event.lines
    day = _("data date {day}", day=words.day_year(event.data_date)) if event.data_date is not None else ""
    if not lines:
        return Became(what=_("pulled, nothing new"), note=day)
    taken = sum(one.outcome == "taken" for one in lines)
    waits = sum(one.outcome == "waits" for one in lines)
    return Became(what=_("pulled: {taken} taken, {waits} to decide", taken=taken, waits=waits), note=day)
