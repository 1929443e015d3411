"""What the pages of one process wear at this moment."""

from collections.abc import Callable

from domain.people.brand import Brand
from web.door.assets import asset_url
from web.door.worn import Worn
from web.render.look import logo_of
from web.render.page import Renderer

TYPES = {"svg": "image/svg+xml", "png": "image/png"}


class Wardrobe:
    """Knows what pages wear; `brand` returns the one of now. Keeps what it made for the newest one."""

    def __init__(self, renderer: Renderer, brand: Callable[[], Brand]) -> None:
        self._renderer, self._brand = renderer, brand
        self._made: tuple[Brand, Worn] | None = None

    def worn(self) -> Worn:
        """Return what a page wears that shows no update."""
        brand, made = self._brand(), self._made
        if made is None or made[0] != brand:
            made = self._made = brand, worn(self._renderer, brand)
        return made[1]


def worn(renderer: Renderer, brand: Brand) -> Worn:
    """Return what a page wears of a brand."""
    look = brand.look
    accented = look is not None and look.accent is not None
    icon = look.icon if look is not None else None
    return Worn(
        name=brand.name,
        stylesheet=f"/brand/{renderer.dressed(look)}.css" if accented else asset_url("dashboard.css"),
        icon=icon.address if icon is not None else asset_url("icon.svg"),
        icon_type=TYPES[icon.kind if icon is not None else "svg"],
        logo=logo_of(look),
    )
