"""What comes last in both twins: facts after which nothing shared follows, days that pass, and the end of the share.

After the end everything is a fact that the client must not know, whatever its agreement named.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from domain.agreement.share import ActivateTerms, DraftTerms, RevokeShare
from domain.agreement.terms import Terms
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import CommandId, MilestoneId, PersonId, RiskId
from domain.people.brand import NameOrganisation
from domain.plan import project, risks, schedule
from projections.events.days import days_to_end
from tests.properties.vocabulary import Made, range_alone
from tests.world import HARBOUR, SHARE, START, World
from web.write.permission import SYSTEM

DAY = 24 * 60
BEGIN = START + timedelta(days=2)  # minute 0 of the twins
LAST = 20 * DAY  # minute at which nothing follows any more, and after which days still pass
END = START + timedelta(days=24)  # the instant at which both are looked at
MET = (START - timedelta(days=3)).date()
Step = tuple[int, Made]


def ticks() -> list[Step]:
    """Return what the clockwork does in both twins, a little after every midnight."""
    return [(day * DAY + 15 * 60 + 5, tick) for day in range(LAST // DAY)]


def tick(world: World) -> None:
    """Record what days are over, and sign what is new."""
    days_over(world)
    world.notary.attempt(world.notary.origin(SHARE), lambda: world.notary.share(SHARE))


def days_over(world: World) -> None:
    """Record what days are over."""
    for command in list(days_to_end(world.present.refresh(), world.clock.at)):
        key = CommandId(f"day-{command.project}-{command.day}-{world.present.world.position}")
        try:
            world.service.execute(SYSTEM, command, command_id=key)
        except Refused:
            continue
        world.follow_what_was_told(100)


def met(shared: random.Random, own: random.Random, terms: Terms, minutes: int) -> Iterator[Step]:
    """A milestone is met in both twins and maybe opened again; the day differs where neither it nor a status is shared."""
    told = bool({"status", "actual"} & set(terms.milestone_fields))
    for _ in range(shared.randrange(3)):
        key, at = MilestoneId(shared.choice(("m2", "m3"))), shared.randrange(5, minutes)
        days, again = (shared if told else own).randrange(40), shared.random() < 0.6
        yield at, schedule.MeetMilestone(project=HARBOUR, milestone=key, actual=MET - timedelta(days=days))
        if again:
            yield (
                min(at + shared.randrange(1, 4000), minutes),
                schedule.ReopenMilestone(project=HARBOUR, milestone=key, reason="no"),
            )


def last(rng: random.Random, terms: Terms, begin: int) -> list[Step]:
    """Draw facts that no version names and after which only days pass; `begin` in minutes."""
    fields, found = set(terms.milestone_fields), list[Made]()
    key = MilestoneId(rng.choice(("m1", "m2", "m3")))
    if not {"status", "actual", "progress"} & fields and rng.random() < 0.5:
        actual = MET - timedelta(days=rng.randrange(40))
        found.append(schedule.MeetMilestone(project=HARBOUR, milestone=key, actual=actual))
        if "acceptance" not in fields:
            found.append(schedule.AcceptMilestone(project=HARBOUR, milestone=key, on=MET, by=f"Who {rng.random()}"))
    if terms.milestones != "all" and rng.random() < 0.5:
        found.append(schedule.RemoveMilestone(project=HARBOUR, milestone=MilestoneId("m3"), reason="gone"))
    if terms.risks != "all" and rng.random() < 0.5:
        found.append(risks.CloseRisk(project=HARBOUR, risk=RiskId("r2"), reason="closed"))
    if "range" not in fields:
        found.append(range_alone(rng, 0))
    if "phase" not in terms.project_fields and rng.random() < 0.5:
        found.append(project.CloseProject(project=HARBOUR, reason=f"over {rng.random()}"))
    return [(begin + i, made) for i, made in enumerate(found)]


def ended(rng: random.Random, begin: int) -> list[Step]:
    """Draw facts that are recorded after the end: of the project's and the organisation's name, of all that was shared."""
    key = MilestoneId(rng.choice(("m1", "m2", "m3")))
    day = date(2027, 4, 1) + timedelta(days=rng.randrange(300))
    owner, points = PersonId("marta"), risks.Points(rng.randrange(1, 6), rng.randrange(1, 6))
    found: list[AnyCommand] = [
        project.DescribeProject(project=HARBOUR, title="In", client_title=f"Called {rng.random()}", owner=owner),
        NameOrganisation(name=f"Renamed {rng.random()}"),
        schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=day, reason=f"after {rng.random()}"),
        risks.ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=points, reason="after"),
        schedule.ConfirmPlan(project=HARBOUR, note="after"),
        DraftTerms(share=SHARE, terms=Terms(milestones="all", milestone_fields=("forecast",))),
        ActivateTerms(share=SHARE, reason="after"),
    ]
    return [(begin + rng.randrange(1, 600), made) for made in found if rng.random() < 0.7]


def the_end(begin: int) -> list[Step]:
    """Return the end of the share."""
    return [(begin, RevokeShare(share=SHARE, reason="It is over"))]


def restart(world: World) -> None:
    """Stop and start again, as only one of the twins does at that moment."""
    world.restart()
