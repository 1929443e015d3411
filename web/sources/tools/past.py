"""The past of a project from a tool that remembers: how its plan stood each week of the year before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx2

from domain.plan.project import Project
from web.proposal.history import Past, past
from web.sources.tools.tool import Attached, Remembering

WEEKS = 52


def weeks(now: datetime, many: int = WEEKS) -> Sequence[datetime]:
    """Return the instants of the weeks before `now`, UTC, oldest first."""
    return [now - timedelta(weeks=week) for week in range(many, 0, -1)]


async def past_of(
    project: Project, tool: Remembering, attached: Attached, client: httpx2.AsyncClient, now: datetime
) -> Past:
    """Return what the year before `now` (UTC) adds to the past of a project.

    What changed twice within a week is known as it was at the end of it. Raises: Trouble.
    """
    return past(project, await tool.pull_past(attached, weeks(now), client), now)
