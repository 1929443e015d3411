"""A brand that is looked at before it is set: it travels in the address, so any process can answer, and none keeps it.

Its pictures are kept once they were checked, under their SHA-256, whether or not they are worn one day.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping

import msgspec
from starlette.datastructures import FormData, UploadFile

from domain.errors import Refused
from domain.language import N_
from domain.language import gettext as _
from domain.look.look import Look, Picture
from domain.message import UNREADABLE
from domain.people.brand import Brand, SetBrand, look_of
from projections.logs.disclosure_log import DisclosureLog
from web.pictures.picture import MOST, take
from web.pictures.refused import PictureRefused

PICTURES = {
    "logo": N_("Logo"),
    "logo_dark": N_("Logo in the dark scheme"),
    "icon": N_("Icon in the tab of a browser"),
}
LONGEST = 8_000  # bytes of a draft, inflated
_decoder = msgspec.json.Decoder(SetBrand)


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with what was typed or uploaded, and with which field."""

    field: str
    message: str


def packed(draft: SetBrand) -> str:
    """Return a draft as it travels in an address."""
    return base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(draft), 9)).decode().rstrip("=")


def unpacked(text: str) -> SetBrand | None:
    """Return the draft in an address, None where there is none that could be set."""
    try:
        raw = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), LONGEST)
        draft = _decoder.decode(raw)
        look_of(draft)
    except (zlib.error, binascii.Error, *UNREADABLE, Refused):
        return None
    return draft


def as_it_is(brand: Brand) -> SetBrand:
    """Return the brand of now as a draft that changes nothing."""
    look = brand.look or Look()
    return SetBrand(
        name=brand.name,
        accent=look.accent.asked if look.accent is not None else "",
        logo=look.logo,
        logo_dark=look.logo_dark,
        icon=look.icon,
        sender=brand.sender,
    )


async def drafted(form: FormData, before: SetBrand, log: DisclosureLog) -> tuple[SetBrand, list[Wrong]]:
    """Return the draft that a form makes of another one, and what is wrong with it; its pictures are kept."""
    wrong: list[Wrong] = []
    pictures: dict[str, Picture | None] = {}
    without = {str(value) for value in form.getlist("without")}
    for field in PICTURES:
        sent = form.get(field)
        pictures[field] = None if field in without else getattr(before, field)
        if isinstance(sent, UploadFile) and sent.size:
            try:
                pictures[field] = _kept(await sent.read(MOST + 1), log)
            except PictureRefused as refused:
                wrong.append(Wrong(field, str(refused)))
    draft = SetBrand(
        name=_typed(form, "name"),
        accent=_typed(form, "accent") if form.get("own_accent") is not None else "",
        sender=_typed(form, "sender"),
        logo=pictures["logo"],
        logo_dark=pictures["logo_dark"],
        icon=pictures["icon"],
    )
    return draft, wrong


def _typed(form: FormData, name: str) -> str:
    return str(form.get(name, "")).strip()


def _kept(data: bytes, log: DisclosureLog) -> Picture:
    """Return a picture that was uploaded, and keep it.

    Raises: PictureRefused.
    """
    taken = take(data)
    log.keep_asset(taken.picture.sha256, taken.content)
    return taken.picture


def shown(draft: SetBrand) -> Mapping[str, Picture | None]:
    """Return the pictures of a draft by field."""
    return {field: getattr(draft, field) for field in PICTURES}


def titles() -> Mapping[str, str]:
    """Return what each picture is called, by field."""
    return {field: _(title) for field, title in PICTURES.items()}
