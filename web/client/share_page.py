"""What every page of one share has: whose share it is, and in which zone its times are written."""

from typing import TypedDict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from domain.language import spoken
from web.client.viewing import Viewing, of
from web.door import templates
from web.door.guard import Signed


class ShareFields(TypedDict):
    """The fields of a `SharePage`, to be given as `**share_fields(viewing, signed, share)`."""

    signed: Signed
    several: bool
    share: str
    organisation: str
    client: str
    zone: str


class SharePage(templates.Page, frozen=True, kw_only=True):
    """A page of one share."""

    signed: Signed
    several: bool  # whether more than this one is shared with the reader
    share: str  # its id
    organisation: str  # the name of the one that shares
    client: str  # the name of the one it is shared with
    zone: str  # IANA name of the time zone that times are written in


async def language_of(request: Request, signed: Signed) -> str:
    """Return the language (BCP 47) of the share that a path names: that of its page, else of whoever asks."""
    viewing, share = of(request), request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return spoken()
    return (await run_in_threadpool(viewing.called, share)).language


def share_fields(viewing: Viewing, signed: Signed, share: str) -> ShareFields:
    """Return what every page of a share has, for somebody who may watch it. For threads."""
    called = viewing.called(share)
    return {
        "signed": viewing.known_to(signed, share),
        "several": len(viewing.shares_of(signed)) > 1,
        "share": share,
        "organisation": called.organisation,
        "client": called.client,
        "zone": called.zone,
    }
