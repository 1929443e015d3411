"""Seeded leaks of agreements and answers: the past of what was agreed from now on, other clients' words, people, ways."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from domain.agreement.answers import Answers
from domain.agreement.share import Share
from domain.plan import milestones, risks
from domain.plan.project import Project
from domain.reveal import measures, past, policy
from projections.events.world import World
from projections.follow import next_entry as disclosing
from tests.properties.leaking import Mutant, changed_view, replace


def _told_before(kind: str, *fields: str) -> Mutant:
    """The past of these fields is told, whatever was agreed."""
    sound = past.known_from

    def leaky(share: Share, of: Any, key: str, *asked: str, facing: datetime | None = None) -> datetime | None:
        known = of == kind and bool(set(fields) & set(asked))
        return None if known else sound(share, of, key, *asked, facing=facing)

    @contextmanager
    def patched() -> Iterator[None]:
        with ExitStack() as stack:
            for module in (policy, measures):
                stack.enter_context(patch.object(module, "known_from", leaky))
            yield

    return patched


def _gaps_forgotten() -> AbstractContextManager[object]:
    """What was covered once counts as covered ever since."""
    sound = past._floor

    def leaky(share: Share, kind: Any, key: str, field: str, facing: Any) -> Any:
        naming = [v for v in share.versions if past._begin(v, kind, key, field, facing) is not None]
        return sound(replace(share, versions=tuple(naming)), kind, key, field, facing) if naming else None

    return patch.object(past, "_floor", leaky)


def _facing_forgotten() -> AbstractContextManager[object]:
    """An item that becomes client-facing is known from when the agreement began."""
    sound = past._begin

    def leaky(version: Any, kind: Any, key: str, field: str, facing: Any) -> Any:
        return None if sound(version, kind, key, field, facing) is None else version.at

    return patch.object(past, "_begin", leaky)


def _first_version_decides() -> AbstractContextManager[object]:
    """A new version exposes what the one before agreed with history would have."""
    sound = past._floor

    def leaky(share: Share, *rest: Any) -> Any:
        first = replace(share.versions[0], ways=replace(share.versions[0].ways, history=True))
        return sound(replace(share, versions=(first, *share.versions[1:])), *rest)

    return patch.object(past, "_floor", leaky)


def _everywhere(name: str, leaky: Callable[..., Any], *modules: Any) -> Mutant:
    """One function is replaced in every module that names it."""

    @contextmanager
    def patched() -> Iterator[None]:
        with ExitStack() as stack:
            for module in modules:
                stack.enter_context(patch.object(module, name, leaky))
            yield

    return patched


def _held_by_since_alone(history: Any, since: datetime | None, times: Any) -> list[Any]:
    """The value that held at the floor is looked for without regard to when it was recorded."""
    before = [v for v in history if since is not None and times(v)[1] < since][-1:]
    return [*before, *(v for v in history if past.after(times(v)[1], since))]


def _scope(words: Callable[[Project, Share], object]) -> Mutant:
    """The scope of a view says more."""
    return lambda: changed_view(
        lambda view, project, share: replace(view, scope=f"{view.scope} {words(project, share)}")
    )


def _named(words: Callable[[World, Share], object]) -> Mutant:
    """The name of the client says more."""
    sound = disclosing.names

    def leaky(world: World, share: Share) -> Any:
        called = sound(world, share)
        return replace(called, client=f"{called.client} {words(world, share)}")

    return lambda: patch.object(disclosing, "names", leaky)


def _answers(change: Callable[[Answers, list[Answers]], Answers]) -> Mutant:
    """What was said on other shares of the project comes into this one."""
    sound = disclosing.released_view_of

    def leaky(world: World, share: Share, *called: Any) -> Any:
        others = [s.answers for s in world.shares.values() if s.project == share.project and s.id != share.id]
        return sound(world, replace(share, answers=change(share.answers, others)), *called)

    return lambda: patch.object(disclosing, "released_view_of", leaky)


def _comments(own: Answers, others: list[Answers]) -> Answers:
    return replace(own, comments=(*own.comments, *(c for said in others for c in said.comments)))


def _numbered_by_all(own: Answers, others: list[Answers]) -> Answers:
    """Ids of concerns count what everybody raised."""
    before = sum(len(said.concerns) for said in others)
    return replace(own, concerns={k: replace(c, id=str(before + i)) for i, (k, c) in enumerate(own.concerns.items())})


def _concerns(own: Answers, others: list[Answers]) -> Answers:
    return replace(own, concerns={**own.concerns, **{k: c for said in others for k, c in said.concerns.items()}})


def _noted(own: Answers, others: list[Answers]) -> Answers:
    return replace(own, taken=(*(one for said in others for one in said.taken), *own.taken))


def _everybody(field: str) -> Mutant:
    """Something of all people of the organisation and of every client."""
    return _named(lambda world, _share: [getattr(p, field) for p in world.people.values()])


def _language_of_another() -> AbstractContextManager[object]:
    """A share speaks the language of another client, where that is another one."""
    sound = disclosing.released_view_of

    def leaky(world: World, share: Share, *rest: Any) -> Any:
        spoken = [other.language for other in world.shares.values() if other.client != share.client]
        away = next((language for language in spoken if language != share.language), share.language)
        return sound(world, replace(share, language=away), *rest)

    return patch.object(disclosing, "released_view_of", leaky)


AGREED: dict[str, Mutant] = {
    "language of another client": _language_of_another,
    "reason from before it was agreed from now on": _told_before("milestone", "reason"),
    "forecasts from before": _told_before("milestone", "trend"),
    "comments from before, exposed by a new version": _told_before("milestone", "comments"),
    "comments on a risk from before": _told_before("risk", "comments"),
    "first agreed date from before": _told_before("milestone", "baseline"),
    "plans agreed before, and how many": _told_before("project", "baselines"),
    "confirmation from before": _told_before("project", "confirmed"),
    "previous score from before": _told_before("risk", "history"),
    "day on which a score was given before": _told_before("risk", "score"),
    "curve of spend from before": _told_before("budget", "curve"),
    "budget as it first was": _told_before("budget", "amounts"),
    "day of the last change, though before": lambda: patch.object(policy, "_set", lambda at, _since: at),
    "a floor that reads when a value was recorded, not the earlier of the two": _everywhere(
        "earlier", lambda recorded, _held: recorded, past, policy, measures
    ),
    "a past added later taken for what held then": _everywhere("known", _held_by_since_alone, policy, measures),
    "a value of the past taken for the present": _everywhere(
        "placed", lambda history, value: (*history, value), milestones, risks
    ),
    "a past added later moves the day of the last change": _everywhere(
        "set_at", lambda history, _said: history[-1].at, milestones, risks
    ),
    "what happened while no version covered it": _gaps_forgotten,
    "what happened before it became client-facing": _facing_forgotten,
    "from now on taken for with history": _first_version_decides,
    "comments of another client": _answers(_comments),
    "concerns of another client": _answers(_concerns),
    "ids of concerns that count everybody's": _answers(_numbered_by_all),
    "an acknowledgement of another client marks ours": _answers(_noted),
    "number of concerns of all clients": _named(lambda w, _s: sum(len(s.answers.concerns) for s in w.shares.values())),
    "names of people of another client": _named(
        lambda w, s: [p.name for p in w.people.values() if s.client not in p.clients]
    ),
    "that another client was ended": _named(lambda w, _s: [c.ended_at for c in w.clients.values()]),
    "email domains of clients": _named(lambda w, _s: [c.domains for c in w.clients.values()]),
    "which changes are held for review": _scope(lambda _p, share: share.ways.release),
    "the last day of the agreement": _scope(lambda _p, share: share.ways.expires),
    "why the agreement was changed": _scope(lambda _p, share: share.versions[-1].reason),
    "a draft of the agreement": _scope(lambda _p, share: share.draft),
    "version of the share's stream": _named(lambda w, share: w.versions[f"share-{share.id}"]),
    "how often somebody is mailed": _everybody("digest"),
    "what was mailed to somebody": _everybody("mails"),
    "who is signed in, and how": _everybody("sessions"),
    "projects assigned to a manager": _everybody("projects"),
}
