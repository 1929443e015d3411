"""The ways in which tools are pulled, each with its fake; and one pull."""

import asyncio
import functools
import ssl
from collections.abc import Sequence
from datetime import datetime

import httpx2

from tests.web.sources.tools.fake_github import FakeGitHub
from tests.web.sources.tools.fake_gitlab import FakeGitLab
from tests.web.sources.tools.fake_jira import FakeJira
from tests.web.sources.tools.fake_openproject import FakeOpenProject
from tests.web.sources.tools.fake_smartsheet import FakeSmartsheet
from tests.web.sources.tools.served import Fake, Server
from web.importers.plan import Plan, PlannedMilestone
from web.sources.tools.registry import REMEMBERING, TOOLS
from web.sources.tools.tool import Attached, Most, Pulled


class JiraCloudIssues(FakeJira):
    items = "jql"


class JiraServerVersions(FakeJira):
    cloud = False


class JiraServerEpics(FakeJira):
    cloud = False
    items = "epics"


KINDS: dict[str, type[Fake]] = {
    "github": FakeGitHub,
    "gitlab": FakeGitLab,
    "jira cloud versions": FakeJira,
    "jira cloud jql": JiraCloudIssues,
    "jira data center versions": JiraServerVersions,
    "jira data center epics": JiraServerEpics,
    "openproject": FakeOpenProject,
    "smartsheet": FakeSmartsheet,
}


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def client_here() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=_tls(), follow_redirects=False, trust_env=False, timeout=10)


def attached(fake: Fake, most: Most | None = None, **more: str) -> Attached:
    return Attached(
        address=fake.address,
        values=fake.values() | more,
        secret=fake.secret,
        hook_secret="h00k",
        most=most or Most(),
    )


def pull(server: Server, fake: Fake, cursor: str = "", most: Most | None = None, **more: str) -> Pulled:
    server.put(fake)
    return pull_as(fake, attached(fake, most, **more), cursor)


def pull_as(fake: Fake, given: Attached, cursor: str = "") -> Pulled:
    async def asked() -> Pulled:
        async with client_here() as client:
            return await TOOLS[fake.name].pull(given, cursor, client)  # type: ignore[attr-defined]

    return asyncio.run(asked())


def look(server: Server, fake: Fake) -> str:
    server.put(fake)

    async def asked() -> str:
        async with client_here() as client:
            return await TOOLS[fake.name].look(attached(fake), client)  # type: ignore[attr-defined]

    return asyncio.run(asked())


def pull_past(server: Server, fake: Fake, instants: Sequence[datetime], **more: str) -> Sequence[tuple[datetime, Plan]]:
    server.put(fake)

    async def asked() -> Sequence[tuple[datetime, Plan]]:
        async with client_here() as client:
            given = attached(fake, **more)
            return await REMEMBERING[fake.name].pull_past(given, instants, client)  # type: ignore[attr-defined]

    return asyncio.run(asked())


def by_title(found: Pulled) -> dict[str, PlannedMilestone]:
    assert found.plan is not None
    return {one.title: one for one in found.plan.milestones}
