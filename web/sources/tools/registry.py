"""`TOOLS`: the tools a plan may be pulled from, by the name that addresses and records give them."""

from collections.abc import Mapping
from types import MappingProxyType

from web.sources.tools.github import GitHub
from web.sources.tools.gitlab import GitLab
from web.sources.tools.jira import Jira
from web.sources.tools.openproject import OpenProject
from web.sources.tools.smartsheet import Smartsheet
from web.sources.tools.tool import Remembering, Tool

_EACH: tuple[Tool, ...] = (Jira(), OpenProject(), GitHub(), GitLab(), Smartsheet())
TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in _EACH})
REMEMBERING: Mapping[str, Remembering] = MappingProxyType(
    {OpenProject.name: OpenProject()}
)  # of these the past is known
