"""What every page of one share has: whose share it is, and in which zone its times are written."""

from typing import TypedDict

from web.client.viewing import Viewing
from web.door import templates


class ShareFields(TypedDict):
    """The fields of a `SharePage`, to be given as `**share_fields(viewing, share)`."""

    share: str
    organisation: str
    client: str
    zone: str


class SharePage(templates.Page, frozen=True, kw_only=True):
    """A page of one share."""

    share: str  # its id
    organisation: str  # the name of the one that shares
    client: str  # the name of the one it is shared with
    zone: str  # IANA name of the time zone that times are written in


def share_fields(viewing: Viewing, share: str) -> ShareFields:
    """Return what every page of a share has."""
    called = viewing.called(share)
    return {"share": share, "organisation": called.organisation, "client": called.client, "zone": called.zone}
