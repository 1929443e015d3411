"""What every page wears: the stylesheet, the icon and the logo of the organisation, or the product's own."""

import msgspec


class Logo(msgspec.Struct, frozen=True, kw_only=True):
    """A logo as it is put into a page: addresses, and how much room it takes, in pixels."""

    light: str
    dark: str  # "": the same
    width: int
    height: int


class Worn(msgspec.Struct, frozen=True, kw_only=True):
    """What a page wears that shows no update; of an update it is recorded."""

    name: str = ""  # of the organisation, "" where it has none
    stylesheet: str  # address of the first stylesheet
    icon: str  # address of the icon
    icon_type: str = "image/svg+xml"
    logo: Logo | None = None
