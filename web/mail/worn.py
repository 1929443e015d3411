"""What emails wear of the organisation's brand: its accent, and its logo where it is a small PNG.

Rule: a logo travels in the mail itself; nothing is fetched, so nobody is told that a mail was opened.
"""

from collections.abc import Callable

import msgspec

from domain.people.brand import Brand
from web.mail.letters import MailWorn
from web.render.look import logo_of

MOST = 64 * 1024  # bytes of a logo in a mail; a larger one stays away, and the name stands there


def worn(brand: Brand, asset: Callable[[str], bytes | None]) -> MailWorn:
    """Return what emails wear; `asset` returns a kept picture by its SHA-256."""
    look = brand.look
    if look is None:
        return MailWorn()
    made = MailWorn()
    if look.accent is not None:
        light, dark = look.accent.light.colour, look.accent.dark.colour
        made = MailWorn(link=light, button=light, link_dark=dark, button_dark=dark)
    logo = logo_of(look)
    content = asset(look.logo.sha256) if look.logo is not None and look.logo.kind == "png" else None
    if logo is None or content is None or len(content) > MOST:
        return made
    return msgspec.structs.replace(made, logo=content, width=logo.width, height=logo.height)
