"""The manager's door."""

from starlette.routing import BaseRoute


def routes() -> list[BaseRoute]:
    """Return the routes of the manager's door."""
    return []
