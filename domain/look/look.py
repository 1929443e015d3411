"""The look of an organisation's pages, recorded with the event that sets it and in every view that wears it."""

import hashlib
from typing import Literal

import msgspec

from domain.look.colour import Accent


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that was checked when it came, kept for ever under its SHA-256."""

    sha256: str  # hex
    kind: Literal["svg", "png"]
    width: int  # of an SVG in its own units, of a PNG in pixels
    height: int

    @property
    def address(self) -> str:
        """Its address on this server, which never changes."""
        return f"/brand/{self.sha256}.{self.kind}"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What pages wear. Without an accent they have the product's, without a logo the name alone."""

    accent: Accent | None = None
    logo: Picture | None = None
    logo_dark: Picture | None = None  # in the dark scheme; None: the same
    icon: Picture | None = None  # in the tab of a browser

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture of it."""
        return tuple(one for one in (self.logo, self.logo_dark, self.icon) if one is not None)

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of its JSON, members in ascending order; docs/spec.md 3.9."""
        return hashlib.sha256(_encoder.encode(self)).hexdigest()


_encoder = msgspec.json.Encoder(order="sorted")
