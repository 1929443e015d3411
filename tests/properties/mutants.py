"""Seeded leaks: each a small mistake somebody could make. The noninterference test has to notice every one.

A mutant patches real code and is named by what leaks. Add one whenever a new way to leak comes to mind.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from domain.agreement.share import Share
from domain.agreement.terms import Terms
from domain.plan.project import Project
from domain.reveal import policy
from projections.entries import parts
from projections.entries.entry import Content
from projections.entries.names import key_of
from projections.events.world import World
from projections.follow import follower
from projections.follow import next_entry as disclosing
from projections.follow.people import People
from projections.replay.pages import Heads
from tests.properties.leaking import Mutant, changed_view, replace, scope
from tests.properties.mutants_agreed import AGREED
from tests.properties.mutants_pulled import PULLED
from tests.properties.mutants_told import TOLD


def _rows(change: Callable[[Any, Any, Project], Any]) -> Mutant:
    """Change every milestone row, given the milestone behind it."""

    def rows(view: Any, project: Project, _share: Any) -> Any:
        found = project.schedule.milestones
        return replace(view, milestones=tuple(change(r, found[r.id], project) for r in view.milestones))

    return lambda: changed_view(rows)


def _cards(change: Callable[[Any, Any, Project], Any]) -> Mutant:
    """Change every risk card, given the risk behind it."""

    def cards(view: Any, project: Project, _share: Any) -> Any:
        return replace(view, risks=tuple(change(c, project.risks.risks[c.id], project) for c in view.risks))

    return lambda: changed_view(cards)


def _terms(**widened: object) -> Mutant:
    """Reveal as if the terms named more than they do."""
    sound = policy.reveal

    def leaky(project: Project, share: Any, **names: str) -> Any:
        version = share.versions[-1]
        wide = replace(version, terms=replace(version.terms, **widened))
        return sound(project, replace(share, versions=(*share.versions[:-1], wide)), **names)

    return lambda: patch.object(disclosing, "reveal", leaky)


def _field_without_asking(field: str) -> Mutant:
    """Milestones always carry one field, whatever the terms say."""

    def leaky(project: Project, terms: Terms, milestone: Any, share: Share) -> Any:
        return sound(project, replace(terms, milestone_fields=(*terms.milestone_fields, field)), milestone, share)

    sound = policy._row
    return lambda: patch.object(policy, "_row", leaky)


def _hidden_milestones_selected() -> AbstractContextManager[object]:
    return patch.object(policy, "_selected", lambda project, _terms: list(project.schedule.milestones.values()))


def _hidden_risks_selected() -> AbstractContextManager[object]:
    return patch.object(policy, "_selected_risks", lambda project, _terms: list(project.risks.risks.values()))


def _order_by_internal_title() -> AbstractContextManager[object]:
    def ordered(view: Any, project: Project, _share: Any) -> Any:
        found = project.schedule.milestones
        return replace(view, milestones=tuple(sorted(view.milestones, key=lambda r: found[r.id].details.title)))

    return changed_view(ordered)


def _cost_when_price_is_agreed() -> AbstractContextManager[object]:
    return _terms(measure="cost")()


def _everybodys_score() -> AbstractContextManager[object]:
    def cards(view: Any, project: Project, _share: Any) -> Any:
        count = sum(len(s) for r in project.risks.risks.values() for s in r.client_scores.values())
        return replace(view, scope=f"{view.scope} {count} client views")

    return changed_view(cards)


def _asked_of_others() -> AbstractContextManager[object]:
    def cards(view: Any, project: Project, _share: Any) -> Any:
        risks = tuple(replace(c, view_needed=bool(project.risks.risks[c.id].asked)) for c in view.risks)
        return replace(view, risks=risks)

    return changed_view(cards)


def _entry_without_a_change() -> AbstractContextManager[object]:
    """A hidden change takes a number: the view is never found equal."""
    sound = follower.disclose

    def leaky(world: World, share: Any, shown: Any, *rest: Any) -> Any:
        return sound(world, share, replace(shown, view=None), *rest)

    return patch.object(follower, "disclose", leaky)


def _with_world(words: Callable[[World], object]) -> Mutant:
    """The names a share carries tell of the whole world."""
    sound = disclosing.names

    def leaky(world: World, share: Any) -> Any:
        called = sound(world, share)
        return replace(called, client=f"{called.client} {words(world)}")

    return lambda: patch.object(disclosing, "names", leaky)


@contextmanager
def _one_tree_for_all() -> Iterator[None]:
    """All shares of the process append to the same tree."""
    shared: dict[str, tuple[bytes, ...]] = {}
    sound = disclosing.seal

    def leaky(content: Content, salt: bytes, frontier: Any, names: Any = None) -> Any:
        entry = sound(content, salt, (*frontier, *shared.get("leaves", ())), names)
        shared["leaves"] = (*shared.get("leaves", ()), entry.leaf)
        return entry

    with patch.object(disclosing, "seal", leaky):
        yield


@contextmanager
def _frame_tells_position(words: Callable[[int], str], where: str) -> Iterator[None]:
    """`parts.body` gets words on the position of the whole log added to one of its arguments."""
    sound, body, at = follower.disclose, parts.body, {"position": 0}

    def noting(world: World, *rest: Any) -> Any:
        at["position"] = world.position
        return sound(world, *rest)

    def leaky(n: int, when: Any, roots: Any, items: str, say: str) -> str:
        told = {"items": items, "say": say}
        told[where] += words(at["position"])
        return body(n, when, roots, told["items"], told["say"])

    with patch.object(follower, "disclose", noting), patch.object(parts, "body", leaky):
        yield


def _time_of_the_last_hidden_event() -> AbstractContextManager[object]:
    def dated(view: Any, project: Project, _share: Any) -> Any:
        return replace(view, as_of=project.changed_at.date(), confirmed_at=project.changed_at)

    return changed_view(dated)


def _names_of_all() -> AbstractContextManager[object]:
    """Names of people whom no text of the share mentions are committed to and sealed beside it."""

    def leaky(self: People, _view: Any) -> Any:
        return {key_of(self._share, person): self._named(person) for person in self._world.people}

    return patch.object(People, "named_in", leaky)


def _page_without_share_in_the_key() -> AbstractContextManager[object]:
    """The cache of newest pages forgets whose page it is."""
    sound = Heads.page

    def leaky(self: Heads, _share: str) -> Any:
        key = sorted(self._log._recorder.select_events("share-other0", limit=1), key=str)
        return sound(self, "other0" if key else _share)

    return patch.object(Heads, "page", leaky)


MUTANTS: dict[str, Mutant] = {
    "position of the whole log in the message": lambda: _frame_tells_position(str, "say"),
    "position of the whole log in element ids": lambda: _frame_tells_position(lambda p: f'<li id="c-{p}">', "items"),
    "position of the whole log in a name": _with_world(lambda w: w.position),
    "version of the project's stream": _with_world(lambda w: w.versions[f"project-{min(w.projects)}"]),
    "number of clients of the organisation": _with_world(lambda w: len(w.people)),
    "number of shares of the organisation": _with_world(lambda w: len(w.shares)),
    "a number taken by a change that is not shared": _entry_without_a_change,
    "one tree for all shares": _one_tree_for_all,
    "names of people whom nothing on the page mentions": _names_of_all,
    "cache of pages without the share in its key": _page_without_share_in_the_key,
    "time of the last change of the project": _time_of_the_last_hidden_event,
    "count of all milestones": scope(lambda p: len(p.schedule.milestones)),
    "count of all risks": scope(lambda p: len(p.risks.risks)),
    "count of internal notes": scope(lambda p: sum(len(r.notes) for r in p.risks.risks.values())),
    "latest forecast of any milestone": scope(lambda p: max(m.forecast for m in p.schedule.milestones.values())),
    "highest score of any risk": scope(lambda p: max(r.residual.score for r in p.risks.risks.values())),
    "internal budget beside the client's price": scope(lambda p: p.budget.accounts["cost"].bac),
    "internal spend beside the client's price": scope(lambda p: len(p.budget.accounts["cost"].measurements)),
    "an override of health that no terms name": scope(lambda p: sorted(p.health.overrides)),
    "health that no terms name": scope(lambda p: p.health.status("overall")),
    "phase that no terms name": scope(lambda p: p.phase),
    "confirmation that no terms name": scope(lambda p: p.schedule.confirmed_at),
    "that nobody confirms the plan, which no terms name": lambda: changed_view(
        lambda view, project, _share: replace(view, unconfirmed=policy._unconfirmed(project))
    ),
    "number of agreed plans that no terms name": scope(lambda p: len(p.schedule.baselines)),
    "hidden milestones selected": _hidden_milestones_selected,
    "hidden risks selected": _hidden_risks_selected,
    "order by the internal title": _order_by_internal_title,
    "cost shown where price is agreed": _cost_when_price_is_agreed,
    "other clients' views of a risk": _everybodys_score,
    "other clients asked for their view": _asked_of_others,
    "internal title of a milestone": _rows(lambda row, m, _p: replace(row, title=m.details.title)),
    "internal note of a milestone": _rows(lambda row, m, _p: replace(row, reason=m.details.note)),
    "internal note of a risk": _cards(lambda c, r, _p: replace(c, effect=r.notes[-1].note if r.notes else "")),
    "progress without asking": _field_without_asking("progress"),
    "forecast without asking": _field_without_asking("forecast"),
    "reason without asking": _field_without_asking("reason"),
    "confirmation of a milestone without asking": _field_without_asking("confirmed"),
    "every risk field, whatever the terms say": _terms(risk_fields=("score",), risks="all"),
    "the budget, whatever the terms say": _terms(budget="amounts"),
    "every health indicator, whatever the terms say": _terms(health=("overall", "schedule", "budget", "risk")),
    "every agreed plan, whatever the terms say": _terms(project_fields=("baselines", "phase", "confirmed")),
    **AGREED,
    **TOLD,
    **PULLED,
}
