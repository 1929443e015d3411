"""What the frame around every page of the organisation's own people shows."""

from typing import Any

from domain.agreement.share import Share
from domain.ids import ShareId
from domain.language import gettext as _
from projections.wording import words
from web.door.guard import Signed
from web.process.services import Services
from web.staff.tones import BANDS, TONE, WORD


def shell(services: Services, signed: Signed) -> dict[str, Any]:
    """Return what the frame around every page of ours needs."""
    return {
        "signed": signed,
        "organisation": services.present.world.organisation or _("Your organisation"),
        "demo": services.demo,
        "w": words,
        "tone": TONE,
        "word": WORD,
        "band_tone": BANDS,
    }


def share_of(services: Services, project: str, share: str) -> Share | None:
    """Return a share of this very project."""
    found = services.present.refresh().shares.get(ShareId(share))
    return found if found is not None and found.project == project else None
