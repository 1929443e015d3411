"""The updates that name a person, as the page that erases the person lists them."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from domain.ids import PersonId, ProjectId, ShareId
from domain.language import gettext as _
from projections.events.world import World
from projections.evidence.naming import Naming, updates_naming
from projections.wording import words
from projections.wording.phrases import listed
from web.process.services import Services

LISTED = 50  # updates shown one by one; the others are counted
NAMED = 3  # reasons for which an update names the person, in words


class NamingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One update that names the person."""

    project: ProjectId
    title: str  # of the project, as the client knows it
    share: ShareId
    client: str
    n: int
    day: str  # "5 Oct 2027", in the project's time zone
    what: str  # "comment on Handover"


class NamingLines(msgspec.Struct, frozen=True, kw_only=True):
    """The first of the updates that name a person, and how many there are."""

    lines: Sequence[NamingLine] = ()
    total: int = 0

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.total - len(self.lines)


def naming_lines(services: Services, person: PersonId) -> NamingLines:
    """Return the updates whose content is erased with a person. For threads."""
    world = services.present.refresh()
    found = updates_naming(services.logs, world, person)
    lines = [_line(world, naming) for naming in islice(found, LISTED)]
    return NamingLines(lines=lines, total=len(lines) + sum(1 for _more in found))


def _line(world: World, naming: Naming) -> NamingLine:
    share = world.shares[ShareId(naming.share)]
    project = world.projects[share.project]
    more = len(naming.what) - NAMED
    what = [*naming.what[:NAMED], *([_("{more} more", more=more)] if more > 0 else [])]
    return NamingLine(
        project=share.project,
        title=project.client_title,
        share=share.id,
        client=world.client_name(share.client),
        n=naming.n,
        day=words.day_year(words.local(naming.at, project.time_zone).date()),
        what=listed(what),
    )
