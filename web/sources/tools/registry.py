"""`TOOLS`: the tools a plan may be pulled from, by the name that addresses and records give them."""

from collections.abc import Mapping

from web.sources.tools.tool import Tool

TOOLS: Mapping[str, Tool] = {}
