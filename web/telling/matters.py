"""What needs somebody in sentences, with the way to the place where it is dealt with: for pages, mails and messages."""

from datetime import datetime

from domain.ids import RiskId
from domain.language import N_
from domain.language import gettext as _
from domain.plan.project import Project
from domain.telling.told import Kind
from projections.events.matters import Matter
from projections.events.world import World
from projections.wording import words
from projections.wording.phrases import in_time
from web.telling import held as record_held

ORDER: tuple[Kind, ...] = (
    "concern", "stopped", "hold", "source", "proposal", "comment", "mail", "expires", "confirm", "score", "ack",
    "joined", "channel",
)  # fmt: skip
NAMES: dict[Kind, str] = {
    "concern": N_("Concern"),
    "comment": N_("Comment"),
    "score": N_("Score of a risk"),
    "ack": N_("Acknowledgement"),
    "hold": N_("Waits for release"),
    "mail": N_("Email refused"),
    "stopped": N_("Share stopped"),
    "confirm": N_("Plan not confirmed for long"),
    "expires": N_("Agreement ends soon"),
    "joined": N_("Signed in for the first time"),
    "channel": N_("Channel refused a message"),
    "source": N_("Source failed"),
    "proposal": N_("Change from a source waits"),
}


def rank(matter: Matter) -> tuple[int, float, str]:
    """Return what a list is sorted by: the kind, then what lapses first or what is newest."""
    at = matter.until or matter.moved
    newest_first = -1 if matter.until is None else 1
    return ORDER.index(matter.kind), newest_first * (at.timestamp() if at else 0), matter.key


def leads_to(matter: Matter) -> str:
    """Return the address of the place where a matter is dealt with."""
    project = f"/p/{matter.project}"
    match matter.kind:
        case "concern":
            return f"{project}/answers#concerns"
        case "comment" | "ack" | "score":
            return f"{project}/answers"
        case "hold":
            return f"{project}#waiting"
        case "stopped":
            return f"{project}#shares"
        case "confirm":
            return f"{project}/do/confirm-plan"
        case "expires":
            return f"{project}/shares/{matter.share}"
        case "mail" | "joined":
            return f"/clients/{matter.client}#people"
        case "channel":
            return f"{project}/channels"
        case "source":
            return f"{project}/sources#s-{matter.source}"
        case "proposal":
            return f"{project}/sources/{matter.source}/waits"


def sentence(world: World, matter: Matter, now: datetime) -> str:
    """Return a matter as one sentence."""
    project = world.projects[matter.project]
    client = world.client_name(matter.client) if matter.client else ""
    who = world.person_name(matter.by, matter.client) if matter.by else ""
    thing = _thing(world, matter)
    match matter.kind:
        case "concern":
            return _("{who} of {client} raised a concern about {thing}.", who=who, client=client, thing=thing)
        case "comment" if matter.many > 1:
            return _(
                "{many} comments of {client} on {thing} have no answer.", many=matter.many, client=client, thing=thing
            )
        case "comment":
            return _("{who} of {client} commented on {thing}.", who=who, client=client, thing=thing)
        case "score":
            return _("{who} of {client} scored {thing}.", who=who, client=client, thing=thing)
        case "ack":
            return _("{who} of {client} acknowledged {thing}.", who=who, client=client, thing=thing)
        case "hold":
            return _held(world, matter, now)
        case "mail":
            return _("The last email to {who} of {client} was refused.", who=who, client=client)
        case "stopped":
            return _("The share with {client} is stopped: its page does not change.", client=client)
        case "confirm":
            assert matter.at is not None
            days = max(1, (now - matter.at).days)
            return _("The plan was last confirmed {days} days ago.", days=days)
        case "expires":
            assert matter.until is not None
            day = words.long_day(words.local(matter.until, project.time_zone).date())
            return _(
                "The agreement with {client} ends {within}, on {day}.",
                client=client,
                day=day,
                within=in_time(matter.until, now),
            )
        case "channel":
            return _("The channel {name} did not take the last message.", name=_channel(world, matter))
        case "joined":
            return _joined(world, matter, who, client)
        case "source":
            return _failed(project, matter)
        case "proposal" if matter.many > 1:
            return _("{many} changes from {name} wait for you.", many=matter.many, name=_source(project, matter))
        case "proposal":
            return _("A change from {name} waits for you.", name=_source(project, matter))


def _source(project: Project, matter: Matter) -> str:
    source = project.sources.get(matter.source) if matter.source else None
    return source.name if source else ""


def _failed(project: Project, matter: Matter) -> str:
    """Return that a source fails, since when and why."""
    source = project.sources.get(matter.source) if matter.source else None
    if source is None or source.failure is None:
        return _("A source failed, and works again.")
    return _(
        "{name} has failed since {at}: {why}",
        name=source.name,
        at=words.moment_year(source.failure.since, project.time_zone),
        why=source.failure.why,
    )


def _joined(world: World, matter: Matter, who: str, client: str) -> str:
    person = world.people.get(matter.by) if matter.by else None
    known = person.known_to(matter.client) if person is not None and matter.client else None
    if known is None or known.joined is not None:
        if known is not None and known.provider:
            return _("{who} joined {client} by its own sign-on, without an invitation.", who=who, client=client)
        return _("{who} of {client} signed in for the first time.", who=who, client=client)
    lead = world.person_name(known.invited_by, matter.client) if known.invited_by else ""
    return _("{lead} of {client} invited {who}.", lead=lead, client=client, who=who)


def _held(world: World, matter: Matter, now: datetime) -> str:
    assert matter.share is not None
    assert matter.until is not None
    project, held = world.projects[matter.project], world.held(matter.share).held.get(matter.about)
    what = record_held.what(held, project) if held else record_held.title(matter.about, project)
    client = world.client_name(matter.client) if matter.client else ""
    if matter.until <= now:
        return _("{what} waits for release to {client}; it goes out by itself now.", client=client, what=what)
    within = in_time(matter.until, now)
    return _(
        "{what} waits for release to {client}; it goes out by itself {within}.", what=what, client=client, within=within
    )


def _thing(world: World, matter: Matter) -> str:
    if not matter.about:
        return _("the whole page")
    kind, _dash, key = matter.about.partition("-")
    return (
        _("agreement {key}", key=key) if kind == "agreement" else title_of(world.projects[matter.project], matter.about)
    )


def _channel(world: World, matter: Matter) -> str:
    channel = world.channels.get(matter.channel) if matter.channel else None
    return channel.name if channel else ""


def quoted(world: World, matter: Matter) -> str:
    """Return what the client said in their own words, of a concern or the newest of some comments; "" of others."""
    share = world.shares.get(matter.share) if matter.share else None
    if share is None:
        return ""
    if matter.kind == "concern":
        concern = share.answers.concerns.get(matter.key.split(".")[3])
        return concern.text if concern else ""
    if matter.kind == "comment":
        theirs = [one.text for one in share.answers.on(matter.about) if one.side == "theirs"]
        return theirs[-1] if theirs else ""
    return ""


def title_of(project: Project, subject: str) -> str:
    """Return what a client calls the subject of its answer; our own title where it has none."""
    kind, _sep, key = subject.partition("-")
    if kind == "milestone" and key in project.schedule.milestones:
        details = project.schedule.milestones[key].details  # type: ignore[index]
        return details.client_title or details.title
    if kind == "risk" and key in project.risks.risks:
        risk = project.risks.risks[RiskId(key)].details
        return f"{risk.ref} {risk.client_title or risk.title}"
    if kind == "agreement":
        return _("Share agreement {key}", key=key)
    return {"": _("The whole page"), "budget": _("The budget")}.get(kind, _("Something that is gone"))
