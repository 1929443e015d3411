"""Reviews in the demo: in its last months Acme Rail's share holds large changes until Marta or time releases them."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from domain.agreement import share
from domain.agreement.terms import Release, Terms, Ways
from domain.commands import AnyCommand
from domain.ids import MilestoneId, PersonId, ShareId
from domain.plan import schedule
from projections.events.world import World
from web.write.permission import SYSTEM, Actor

SHARE = ShareId("h4rb0ura7k2q")
MANAGER = Actor(PersonId("marta"), "manager")
AGREED = 270  # day of the story on which the policy is agreed
POLICY = Release(hours=4, slip_days=5, score=12)
WAITING = "milestone-signa4d7"  # is held when the demo begins
BEGAN = timedelta(hours=3, minutes=8)  # since that long before
SOON = timedelta(minutes=2)  # after which Marta releases what is held while the demo runs
STEPS = {  # day: milestone, days later, why; each beyond the policy
    288: ("sectb9r3", 7, "The second possession was given away"),
    311: ("depot5h8", 6, "Crane booked for another weekend"),
    336: ("trial1m6", 8, "Driver training starts after Easter"),
    351: ("sectb9r3", -7, "The possession was given back"),
    355: ("sectb9r3", 6, "Cable drums arrive late"),
}
NOTES = (
    "We have asked for a third slot and expect an answer on Friday",
    "Discussed with your programme team this morning",
    "The final date is not affected",
)

Tell = Callable[[Actor, AnyCommand], None]


class Reviews:
    """Holds and releases; with a random generator of its own, so that the rest of the story does not depend on it."""

    def __init__(self, tell: Tell, world: Callable[[], World], seed: int) -> None:
        self._tell, self._world = tell, world
        self._random = random.Random(f"reviews {seed}")  # noqa: S311  # a story, not a secret

    def day(self, day: int, at: datetime, terms: Terms, until: datetime) -> Iterator[datetime]:
        """Record the reviews of a day of the story after `at` (UTC); yields each instant before it is recorded."""
        if day == AGREED:
            yield at
            self._tell(MANAGER, share.DraftTerms(share=SHARE, terms=terms, ways=Ways(release=POLICY)))
            reason = "Large changes are looked at before they go out"
            self._tell(MANAGER, share.ActivateTerms(share=SHARE, reason=reason))
        if day in STEPS:
            yield at
            self._slip(*STEPS[day])
        yield from self._release_all(at, until)

    def _release_all(self, at: datetime, until: datetime) -> Iterator[datetime]:
        for fact in self._world().held(SHARE).facts:
            by_hand = self._random.random() < 0.6
            end = fact.since + timedelta(minutes=self._random.randrange(15, 110)) if by_hand else fact.until
            end = max(end, at)
            if end >= until - BEGAN:
                continue
            at = end
            yield end
            self._release(fact.subject) if by_hand else self._tell(SYSTEM, share.ReleaseDue(share=SHARE))

    def _release(self, subject: str) -> None:
        if any(fact.subject == subject for fact in self._world().held(SHARE).facts):
            note = self._random.choice(NOTES)
            command = share.ReleaseHeld(share=SHARE, by=MANAGER.person, subjects=(subject,), note=note)
            self._tell(MANAGER, command)

    def waiting(self, at: datetime, until: datetime) -> Iterator[datetime]:
        """Record what is held when the demo begins at `until`; `at` is the last instant recorded so far."""
        yield max(at, until - BEGAN)
        self._slip("signa4d7", 7, "The laboratory moved our second test slot")

    def _slip(self, key: str, days: int, reason: str) -> None:
        project = self._world().projects[self._world().shares[SHARE].project]
        milestone = project.schedule.milestones[MilestoneId(key)]
        forecast = milestone.forecast + timedelta(days=days)
        if milestone.actual is None:
            move = schedule.MoveForecast(project=project.id, milestone=milestone.id, forecast=forecast, reason=reason)
            self._tell(MANAGER, move)

    def look(self, now: datetime) -> None:
        """Release what was held since the demo began; `WAITING` is left until its time is up."""
        for fact in self._world().held(SHARE).facts:
            if fact.subject != WAITING and fact.since + SOON <= now:
                self._release(fact.subject)
