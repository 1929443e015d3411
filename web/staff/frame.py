"""The frame around every page of the organisation's own people, and what its pages have in common."""

from types import ModuleType
from typing import TypedDict

from domain.agreement.share import Share
from domain.ids import ShareId
from projections.wording import words
from web.door.guard import Signed
from web.door.headers import CSP
from web.door.templates import Page
from web.process.rights import organisation_for
from web.process.services import Services
from web.staff.around import Around
from web.staff.for_you import counted
from web.staff.tones import BANDS, TONE, WORD

FRAMING = f"{CSP}; frame-src 'self'"  # the policy of a page that shows a client's page in a frame of this origin


class Frame(TypedDict):
    """The fields of a `StaffPage` that are the same on every page, to be given as `**shell(services, signed)`."""

    signed: Signed
    organisation: str
    w: ModuleType
    tone: dict[str, str]
    word: dict[str, str]
    band_tone: dict[str, str]
    around: Around
    for_you: int | None


class StaffPage(Page, frozen=True, kw_only=True):
    """A page inside the frame of staff and auditors: who is signed in, for whom they work, and words for values."""

    signed: Signed
    organisation: str  # its name
    w: ModuleType  # projections.wording.words
    tone: dict[str, str]  # tone by status
    word: dict[str, str]  # word by status
    band_tone: dict[str, str]  # tone by band of a risk score
    around: Around  # for the path and the bar
    for_you: int | None  # how many lines wait for whoever is signed in; None: they have no list


def shell(services: Services, signed: Signed) -> Frame:
    """Return what the frame around every page of staff and auditors needs; that of a viewer, too, is for threads."""
    return {
        "signed": signed,
        "organisation": organisation_for(services.present.world, services.heads, signed),
        "w": words,
        "tone": TONE,
        "word": WORD,
        "band_tone": BANDS,
        "around": Around(services.present.world),
        "for_you": counted(services, signed),
    }


def share_of(services: Services, project: str, share: str) -> Share | None:
    """Return a share by its id, or None where there is none or it belongs to another project."""
    candidate = services.present.refresh().shares.get(ShareId(share))
    return candidate if candidate is not None and candidate.project == project else None
