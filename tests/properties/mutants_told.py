"""Seeded leaks of the rest: days that pass, ranges, ends, evidence, and what else nobody shares."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from domain.agreement.share import Share
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from domain.reveal import course, policy
from projections.entries import frames
from projections.events.present import CurrentWorld
from projections.events.world import World
from projections.evidence import bundle
from projections.evidence.notary import Notary
from projections.follow import next_entry as disclosing
from tests.properties.leaking import Mutant, replace, scope


def _named(words: Callable[[World], object]) -> Mutant:
    """The name of the client says more."""
    sound = disclosing.names

    def leaky(world: World, share: Share) -> Any:
        called = sound(world, share)
        return replace(called, client=f"{called.client} {words(world)}")

    return lambda: patch.object(disclosing, "names", leaky)


def _row(change: Callable[[Any, Project, Milestone, Any], Any]) -> Mutant:
    """`change(row, project, milestone, terms)` has the last word on every milestone."""
    sound = policy._row

    def leaky(project: Project, terms: Any, m: Milestone, share: Share) -> Any:
        return change(sound(project, terms, m, share), project, m, terms)

    return lambda: patch.object(policy, "_row", leaky)


def _dated_by_any_move(share: Share, m: Milestone) -> Any:
    return policy._set(m.moves[-1].at, policy._past(share, m, "forecast"))


def _reason_of_any_move(m: Milestone, _terms: Any, _since: Any) -> str:
    return m.moves[-1].reason if len(m.moves) > 1 else ""


def _met_day(row: Any, _project: Project, m: Milestone, _terms: Any) -> Any:
    return replace(row, forecast=m.actual if row.forecast and m.actual else row.forecast)


def _overdue_anyway(row: Any, project: Project, m: Milestone, _terms: Any) -> Any:
    return replace(row, status="overdue") if m.actual is None and project.schedule.has_passed(m.forecast) else row


def _after_the_end(world: World, share: Any, now: Any, *rest: Any) -> Any:
    """A share that has ended goes on."""
    agreed = world.shares[share]
    if agreed.versions and agreed.revoked_at is not None:
        world = world.afresh()
        world.shares[share] = replace(agreed, revoked_at=None)
    return _revealed(world, share, now, *rest)


_revealed = disclosing.revealed


def _named_by_the_present(logs: Any, manifest: Any) -> Any:
    world = CurrentWorld(logs.events).world
    project = world.projects[world.shares[manifest.share].project]
    return replace(manifest, project=project.client_title, organisation=world.organisation)


def _signed_by_anybody(self: Notary, origin: str) -> Any:
    found = [one for one in (_of_clockwork(self, origin), self._newest(f"{origin} bundles")) if one is not None]
    return max(found, key=lambda one: one.checkpoint.size, default=None)


_of_clockwork = Notary.of_clockwork


def _counted_by_all(notary: Notary, wanted: Any, checkpoint: Any, made_at: Any) -> Any:
    return replace(
        _manifest(notary, wanted, checkpoint, made_at), made_at=f"{len(notary.all(checkpoint.checkpoint.origin))}"
    )


_manifest = bundle._manifest


def _of_all(self: Notary, origin: str) -> Any:
    return [*self._all(origin), *self._all(f"{origin} bundles")]


@contextmanager
def _in_memory_order() -> Iterator[None]:
    """What is no longer shown is named in the order in which this process happened to learn of it."""
    with patch.object(frames, "sorted", list, create=True), patch.object(disclosing, "sorted", list, create=True):
        yield


def _everybody(field: str) -> Mutant:
    return _named(lambda world: [getattr(p, field) for p in world.people.values()])


TOLD: dict[str, Mutant] = {
    "a move of the range alone dates the page": lambda: patch.object(policy, "_moved_at", _dated_by_any_move),
    "the reason of a move of the range alone": lambda: patch.object(policy, "_reason", _reason_of_any_move),
    "a point of the trend for a move of the range alone": lambda: patch.object(
        course, "settled", lambda history, _said: list(history)
    ),
    "the day on which it was met in place of the forecast": _row(_met_day),
    "a slip by the day on which it was met": lambda: patch.object(policy, "_shown", lambda m, _terms: m.expected),
    "overdue where nobody shares whether it was met": _row(_overdue_anyway),
    "the last day that is recorded as over": scope(lambda p: p.schedule.ended),
    "how many dates have passed, of any milestone": scope(lambda p: len(p.schedule.overdue())),
    "which milestones were accepted": scope(
        lambda p: sorted(m.id for m in p.schedule.milestones.values() if m.accepted_on)
    ),
    "the range of any milestone": scope(
        lambda p: [(m.earliest, m.latest) for m in p.schedule.milestones.values() if m.earliest]
    ),
    "the internal title of the project": scope(lambda p: p.title),
    "the owner of the project": scope(lambda p: p.owner),
    "the working calendar": scope(lambda p: p.calendar.weekdays),
    "the published rule": scope(lambda p: p.tolerances),
    "planned spend of the internal budget": scope(
        lambda p: p.budget.accounts["cost"].planned if "cost" in p.budget.accounts else ""
    ),
    "internal titles of risks": scope(lambda p: [r.details.title for r in p.risks.risks.values()]),
    "how many risks are closed": scope(lambda p: sum(r.closed for r in p.risks.risks.values())),
    "how many projects there are": _named(lambda w: len(w.projects)),
    "how many clients there are": _named(lambda w: len(w.clients)),
    "who was erased": _named(lambda w: sorted(w.erased)),
    "how many tokens there are": _named(lambda w: len(w.tokens)),
    "who may no longer sign in": _everybody("disabled"),
    "to how many clients people belong": _everybody("clients"),
    "what colleagues said of the lines of their lists": _everybody("desk"),
    "what colleagues are mailed of": _everybody("notices"),
    "what became of messages to channels": _named(lambda w: [(c.name, c.posted, c.ended) for c in w.channels.values()]),
    "links that were used": _named(lambda w: [link.used for p in w.people.values() for link in p.links.values()]),
    "for how long receipts of others are kept": _named(
        lambda w: [s.retention for s in w.shares.values() if s.id != "share1"]
    ),
    "which shares of others have expired": _named(
        lambda w: [s.revoked_cause for s in w.shares.values() if s.id != "share1"]
    ),
    "what waits on shares of others": _named(lambda w: sorted(w.holds)),
    "a share that goes on after its end": lambda: patch.object(disclosing, "revealed", _after_the_end),
    "a bundle named by the present": lambda: patch.object(bundle, "_named", _named_by_the_present),
    "checkpoints of other people's bundles": lambda: patch.object(Notary, "all_of_clockwork", _of_all),
    "a clockwork that skips what was signed for somebody": lambda: patch.object(
        Notary, "of_clockwork", _signed_by_anybody
    ),
    "how many checkpoints there are": lambda: patch.object(bundle, "_manifest", _counted_by_all),
    "ids taken away in the order of the memory": _in_memory_order,
}
