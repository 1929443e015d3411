"""What a brand names is kept before it is set: its pictures, which were checked, and the stylesheet it gives.

Rule: an update may name any of these at once, so none may be missing; a command that names what is no picture of ours
is refused, by whichever door it came.
"""

from collections.abc import Callable

from domain.commands import AnyCommand
from domain.errors import Invalid
from domain.language import gettext as _
from domain.look.look import Look
from domain.people import brand
from domain.people.brand import SetBrand
from projections.logs.disclosure_log import DisclosureLog
from web.pictures.picture import checked
from web.write.permission import Actor


class BrandKept:
    """Checks the pictures of a brand, and keeps its stylesheet. `dressed` returns its SHA-256 (hex) and its bytes."""

    def __init__(self, disclosure: DisclosureLog, dressed: Callable[[Look], tuple[str, bytes]]) -> None:
        self._disclosure, self._dressed = disclosure, dressed

    def before(self, _actor: Actor, command: AnyCommand) -> None:
        """Refuse a brand with a picture that is not kept, and keep its stylesheet.

        Raises: Invalid.
        """
        if not isinstance(command, SetBrand):
            return
        for field, picture in command.pictures.items():
            content = self._disclosure.asset(picture.sha256)
            if content is None or checked(content) != picture:
                raise Invalid(_("This names no picture that was kept. Upload it first."), field)
        self._disclosure.keep_stylesheet(*self._dressed(brand.look_of(command)))

    def after(self, command: AnyCommand) -> None:
        """Do nothing more."""
