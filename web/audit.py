"""The auditor's door."""

from starlette.routing import BaseRoute


def routes() -> list[BaseRoute]:
    """Return the routes of the auditor's door."""
    return []
